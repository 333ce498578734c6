#include "pdf_parts.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "pdf_style.hpp"

namespace pointhouse::settlement {
namespace {

using namespace style;

void draw_table_head(PdfCanvas& canvas, double y, std::string_view currency)
{
    const double baseline = y + 11;
    canvas.text({.x = left, .y = baseline}, "Description", quiet);
    canvas.text({.x = points_column, .y = baseline}, "Points", at_right(quiet), 90);
    canvas.text({.x = price_column, .y = baseline}, "Price per 1,000", at_right(quiet), 90);
    canvas.text({.x = vat_column, .y = baseline}, "VAT", at_right(quiet), 45);
    const std::string net = fmt::format("Net, {}", currency);
    canvas.text({.x = right, .y = baseline}, net, at_right(quiet), 80);
    canvas.rule({.x = left, .y = y + table_head_height - 6}, width, 0.9, black);
}

constexpr double mark_top = 46;
constexpr double mark_height = 34;
constexpr double mark_gap = 10;
constexpr double logo_width_max = 150;
constexpr double title_width_max = 250;
constexpr TextStyle name_face{.size = 12, .is_bold = true, .ink = accent};
constexpr TextStyle title_face{.size = 16, .is_bold = true, .ink = black};
constexpr TextStyle number_face{.size = 9, .ink = grey};

/// Of a house without a logo: two coins that pass each other.
void draw_mark(PdfCanvas& canvas, std::string_view name)
{
    canvas.fill(
        {.corner = {.x = left, .y = mark_top}, .width = mark_height, .height = mark_height},
        accent,
        7);
    canvas.disc({.x = left + 13, .y = 63}, 6.5, white);
    canvas.disc({.x = left + 21, .y = 63}, 6.5, hairline);
    canvas.text({.x = left + mark_height + mark_gap, .y = 67}, name, name_face, 190);
}

/// The name has what a logo and the title leave, on two lines where it is long.
void draw_logo(PdfCanvas& canvas, const Letterhead& head)
{
    const Box box{
        .corner = {.x = left, .y = mark_top}, .width = logo_width_max, .height = mark_height};
    const double x = left + canvas.picture(box, head.logo) + mark_gap;
    const double title = std::min(
        title_width_max,
        std::max(
            canvas.width_of(head.title, title_face), canvas.width_of(head.number, number_face)));
    const PdfCanvas::Paragraph name{
        .words = head.name,
        .style = name_face,
        .width = right - title - mark_gap - x,
        .lines_max = 2};
    const double top = mark_top + (mark_height - canvas.height_of(name)) / 2;
    canvas.paragraph({.x = x, .y = top}, name);
}

} // namespace

std::vector<PageOfBlocks> dealt(std::span<const Block> blocks, double first_top, double next_top)
{
    std::vector<PageOfBlocks> pages{{.blocks = {}, .body_top = first_top}};
    double y = first_top;
    for (const Block& block : blocks) {
        const bool is_first = pages.back().blocks.empty();
        const double head = is_first && block.is_table_row ? table_head_height : 0;
        if (!is_first && y + block.height > body_bottom) {
            pages.push_back({.blocks = {}, .body_top = next_top});
            y = next_top + (block.is_table_row ? table_head_height : 0);
        } else {
            y += head;
        }
        pages.back().blocks.push_back(&block);
        y += block.height;
    }
    return pages;
}

void draw_body(PdfCanvas& canvas, const PageOfBlocks& page, std::string_view currency)
{
    double y = page.body_top;
    if (page.blocks.front()->is_table_row) {
        draw_table_head(canvas, y, currency);
        y += table_head_height;
    }
    for (const Block* block : page.blocks) {
        block->draw(y);
        y += block->height;
    }
}

void draw_letterhead(PdfCanvas& canvas, const Letterhead& head)
{
    if (head.logo.empty())
        draw_mark(canvas, head.name);
    else
        draw_logo(canvas, head);
    canvas.text({.x = right, .y = 61}, head.title, at_right(title_face), title_width_max);
    canvas.text({.x = right, .y = 77}, head.number, at_right(number_face), title_width_max);
}

void draw_notice(PdfCanvas& canvas, std::string_view notice)
{
    canvas.fill({.corner = {.x = left, .y = notice_top}, .width = width, .height = 22}, tint, 3);
    const TextStyle bold{.size = 8.5, .is_bold = true, .ink = accent};
    canvas.text({.x = left + 10, .y = notice_top + 14.2}, notice, bold, width - 20);
}

void draw_footer(PdfCanvas& canvas, std::string_view words, std::size_t page, std::size_t pages)
{
    canvas.rule({.x = left, .y = footer_baseline - 14}, width, 0.5, hairline);
    canvas.text({.x = left, .y = footer_baseline}, words, quiet, 380);
    const std::string count = fmt::format("Page {} of {}", page, pages);
    canvas.text({.x = right, .y = footer_baseline}, count, at_right(quiet), 90);
}

} // namespace pointhouse::settlement
