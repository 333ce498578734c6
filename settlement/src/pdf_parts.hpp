#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pdf_canvas.hpp"

namespace pointhouse::settlement {

/// What all our PDFs have in common: a letterhead, a table that goes on over pages, a footer.

/// A part of the body that is never split between pages. `draw` gets the y of its top.
struct Block {
    double height = 0;
    bool is_table_row = false;
    std::function<void(double)> draw;
};

/// The blocks of one page.
struct PageOfBlocks {
    std::vector<const Block*> blocks{};
    double body_top = 0;
};

/// Deals blocks to pages, leaving room for the table's head on each page that begins with a row.
/// Points into `blocks`. Pre: at least one block.
[[nodiscard]] std::vector<PageOfBlocks> dealt(
    std::span<const Block> blocks, double first_top, double next_top);

/// Draws the page's blocks under the table's head, where there is one.
void draw_body(PdfCanvas& canvas, const PageOfBlocks& page, std::string_view currency);

/// The house's logo and its name, the title and the number.
struct Letterhead {
    std::string_view logo{}; // a PNG; empty: the drawn mark
    std::string_view name{};
    std::string_view title{};
    std::string_view number{};
};
void draw_letterhead(PdfCanvas& canvas, const Letterhead& head);
/// A tinted band under the letterhead.
void draw_notice(PdfCanvas& canvas, std::string_view notice);
/// The page's number, from 1, beside `words`.
void draw_footer(PdfCanvas& canvas, std::string_view words, std::size_t page, std::size_t pages);

} // namespace pointhouse::settlement
