#pragma once

#include "pdf_canvas.hpp"

/// How documents look: inks, places on the page and faces of text.
namespace pointhouse::settlement::style {

inline constexpr Ink black{.red = 0.11, .green = 0.13, .blue = 0.16};
inline constexpr Ink grey{.red = 0.42, .green = 0.45, .blue = 0.50};
inline constexpr Ink hairline{.red = 0.84, .green = 0.86, .blue = 0.88};
inline constexpr Ink accent{.red = 0.06, .green = 0.30, .blue = 0.36};
inline constexpr Ink tint{.red = 0.94, .green = 0.96, .blue = 0.965};
inline constexpr Ink white{.red = 1, .green = 1, .blue = 1};

inline constexpr double left = 54;
inline constexpr double width = a4_width - 2 * left;
inline constexpr double right = left + width;
inline constexpr double points_column = 318;
inline constexpr double price_column = 404;
inline constexpr double vat_column = 456;
inline constexpr double description_width = 190;

inline constexpr double notice_top = 98;
inline constexpr double parties_top = 148;
inline constexpr double first_body_top = 212;
inline constexpr double next_body_top = 142;
inline constexpr double body_bottom = 770;
inline constexpr double footer_baseline = 806;

inline constexpr double table_head_height = 24;
inline constexpr double line_height = 22;
inline constexpr double detail_height = 13;

inline constexpr TextStyle plain{.ink = black};
inline constexpr TextStyle strong{.is_bold = true, .ink = black};
inline constexpr TextStyle quiet{.size = 7.5, .ink = grey};

inline TextStyle at_right(TextStyle style)
{
    style.alignment = Alignment::right;
    return style;
}

} // namespace pointhouse::settlement::style
