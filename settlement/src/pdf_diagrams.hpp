#pragma once

#include "pdf_canvas.hpp"
#include "settlement/printed_report.hpp"

namespace pointhouse::settlement {

/// How high a diagram is, with its title and labels; zero: there is nothing to show.
[[nodiscard]] double height_of(const Diagram& diagram);
/// Draws it over the width of the text, down from `y`. Shades differ in lightness and in outline,
/// so that it reads in black and white; each bar has its amount beside it.
void draw_diagram(PdfCanvas& canvas, const Diagram& diagram, double y);

} // namespace pointhouse::settlement
