#include <fmt/format.h>

#include "../pdf_diagrams.hpp"
#include "../pdf_parts.hpp"
#include "../pdf_style.hpp"

namespace pointhouse::settlement {

namespace {

using namespace style;

constexpr double row_height = 17;
constexpr double heading_height = 26;
constexpr double words_width_max = 190;

class ReportPages {
public:
    explicit ReportPages(const PrintedReport& report)
        : report_{report}, canvas_{{
                               .title = fmt::format("{} {}", report.title, report.number),
                               .author = report.house,
                               .subject = report.number,
                               .created = report.created,
                           }}
    {}

    std::string drawn()
    {
        for (const Diagram& diagram : report_.diagrams) {
            const double height = height_of(diagram);
            if (height > 0)
                blocks_.push_back({.height = height + 14, .draw = [this, &diagram](double y) {
                                       draw_diagram(canvas_, diagram, y);
                                   }});
        }
        for (const PrintedTable& table : report_.tables) add_table(table);
        add_note();
        const auto pages = dealt(blocks_, 112, 112);
        for (std::size_t index = 0; index < pages.size(); ++index) {
            draw_letterhead(
                canvas_,
                {.logo = report_.logo,
                 .name = report_.house,
                 .title = report_.title,
                 .number = report_.number});
            draw_body(canvas_, pages[index], "");
            draw_footer(canvas_, report_.house, index + 1, pages.size());
            canvas_.end_page();
        }
        return canvas_.finish();
    }

private:
    /// Heading and head stay with the first row, the last two rows with each other.
    void add_table(const PrintedTable& table)
    {
        if (table.rows.empty()) return;
        for (std::size_t place = 0; place < table.rows.size(); ++place) {
            const bool is_first = place == 0;
            const double head = is_first ? heading_height + row_height : 0;
            blocks_.push_back(
                {.height = head + row_height, .draw = [this, &table, place, head](double y) {
                     if (head > 0) draw_head(table, y);
                     draw_row(table, place, y + head);
                 }});
        }
        blocks_.push_back({.height = 16, .draw = [](double) {}});
    }

    [[nodiscard]] static double words_width(const PrintedTable& table)
    {
        return table.columns.size() > 5 ? 96 : words_width_max;
    }

    [[nodiscard]] static double right_of(const PrintedTable& table, std::size_t column)
    {
        const auto numbers = static_cast<double>(table.columns.size() - 1);
        const double pitch = (width - words_width(table)) / numbers;
        return left + words_width(table) + pitch * static_cast<double>(column);
    }

    void draw_cells(
        const PrintedTable& table,
        const std::vector<std::string>& cells,
        double baseline,
        const TextStyle& face)
    {
        canvas_.text({.x = left, .y = baseline}, cells.front(), face, words_width(table) - 6);
        for (std::size_t column = 1; column < cells.size(); ++column)
            canvas_.text(
                {.x = right_of(table, column), .y = baseline},
                cells[column],
                at_right(face),
                right_of(table, 2) - right_of(table, 1) - 4);
    }

    void draw_head(const PrintedTable& table, double y)
    {
        canvas_.text({.x = left, .y = y + 14}, table.heading, strong, width);
        draw_cells(table, table.columns, y + heading_height + 8, quiet);
        canvas_.rule({.x = left, .y = y + heading_height + row_height - 4}, width, 0.9, black);
    }

    void draw_row(const PrintedTable& table, std::size_t place, double y)
    {
        const bool is_total = table.has_total && place + 1 == table.rows.size();
        TextStyle face = is_total ? strong : plain;
        if (table.columns.size() > 5) face.size = 7.5;
        draw_cells(table, table.rows[place], y + 11, face);
        canvas_.rule({.x = left, .y = y + row_height - 1}, width, 0.5, hairline);
    }

    void add_note()
    {
        blocks_.push_back(
            {.height = 40, .draw = [this](double y) {
                 canvas_.paragraph(
                     {.x = left, .y = y},
                     {.words = report_.note, .style = quiet, .width = width, .lines_max = 3});
             }});
    }

    const PrintedReport& report_;
    PdfCanvas canvas_;
    std::vector<Block> blocks_;
};

} // namespace

std::string report_pdf(const PrintedReport& report)
{
    return ReportPages{report}.drawn();
}

} // namespace pointhouse::settlement
