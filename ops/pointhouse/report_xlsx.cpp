#include "report_xlsx.hpp"

#include <chrono>
#include <fmt/format.h>
#include <xlsxwriter.h>

#include "command_line.hpp"

namespace pointhouse::ops {

namespace {

constexpr double micro_per_unit = 1'000'000;
constexpr double column_width = 18;

class Sheet {
public:
    Sheet(lxw_workbook* book, const settlement::ReportTable& table)
        : sheet_{workbook_add_worksheet(book, table.name.c_str())}, heading_{format_of(book, true)},
          count_{format_of(book, false)}, money_{format_of(book, false)}
    {
        format_set_num_format(count_, "#,##0");
        format_set_num_format(money_, "#,##0.000000");
        const auto last = static_cast<lxw_col_t>(table.columns.size() - 1);
        worksheet_set_column(sheet_, 0, last, column_width, nullptr);
        worksheet_freeze_panes(sheet_, 1, 0);
        lxw_col_t column = 0;
        for (const auto& name : table.columns)
            worksheet_write_string(sheet_, 0, column++, name.c_str(), heading_);
        lxw_row_t row = 1;
        for (const auto& cells : table.rows) write_row(row++, cells);
    }

private:
    static lxw_format* format_of(lxw_workbook* book, bool is_bold)
    {
        auto* const format = workbook_add_format(book);
        if (is_bold) format_set_bold(format);
        return format;
    }

    void write_row(lxw_row_t row, const std::vector<settlement::ReportCell>& cells)
    {
        lxw_col_t column = 0;
        for (const auto& cell : cells) {
            if (const auto* text = std::get_if<std::string>(&cell)) {
                worksheet_write_string(sheet_, row, column, text->c_str(), nullptr);
            } else if (const auto* count = std::get_if<std::int64_t>(&cell)) {
                worksheet_write_number(sheet_, row, column, static_cast<double>(*count), count_);
            } else if (const auto* money = std::get_if<ledger::Micro>(&cell)) {
                worksheet_write_number(
                    sheet_,
                    row,
                    column,
                    static_cast<double>(money->count()) / micro_per_unit,
                    money_);
            }
            ++column;
        }
    }

    lxw_worksheet* sheet_;
    lxw_format* heading_;
    lxw_format* count_;
    lxw_format* money_;
};

} // namespace

void write_xlsx(
    const std::filesystem::path& file, const settlement::Report& report, ledger::Time made)
{
    if (std::filesystem::exists(file) && !std::filesystem::is_regular_file(file))
        throw CommandFailure{fmt::format("cannot write {}: a sheet is a file", file.string())};
    const auto unfinished = std::filesystem::path{file}.concat(".unfinished");
    auto* const book = workbook_new(unfinished.c_str());
    if (book == nullptr) throw CommandFailure{fmt::format("cannot write {}", file.string())};
    std::string title = report.name;
    std::string company = "Pointhouse";
    lxw_doc_properties properties{};
    properties.title = title.data();
    properties.company = company.data();
    properties.created =
        std::chrono::duration_cast<std::chrono::seconds>(made.time_since_epoch()).count();
    workbook_set_properties(book, &properties);

    const settlement::ReportTable facts{.name = "about", .columns = {"what", "is"}, .rows = [&] {
                                            std::vector<std::vector<settlement::ReportCell>> rows;
                                            rows.reserve(report.facts.size());
                                            for (const auto& [name, fact] : report.facts)
                                                rows.push_back({name, fact});
                                            return rows;
                                        }()};
    for (const auto& table : report.tables) Sheet{book, table};
    Sheet{book, facts};
    const auto error = workbook_close(book);
    if (error != LXW_NO_ERROR) {
        std::error_code ignored;
        std::filesystem::remove(unfinished, ignored);
        throw CommandFailure{
            fmt::format("cannot write {}: {}", file.string(), lxw_strerror(error))};
    }
    std::filesystem::rename(unfinished, file);
}

} // namespace pointhouse::ops
