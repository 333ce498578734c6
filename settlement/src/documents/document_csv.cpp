#include <array>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "../csv_row.hpp"
#include "../wording.hpp"
#include "settlement/document_json.hpp"

namespace pointhouse::settlement {
namespace {

/// The columns that differ from row to row. A cell that a record does not have is empty.
struct Row {
    std::string_view record{};
    std::string line{};
    std::string_view flow{};
    std::string_view kind{};
    std::string tariff{};
    std::string origin{};
    std::string points{};
    std::string price{};
    std::string exact{};
    std::string net{};
    std::string_view vat_category{};
    std::string vat_rate{};
    std::string vat{};
    std::string total{};
    std::string_view undoes{}; // of the document that billed it; else what the document corrects
};

constexpr std::string_view header =
    "document,type,issued_on,due_on,record,line,flow,kind,tariff,origin,points,price,exact,net,"
    "vat_category,vat_rate_basis_points,vat,total,currency,seller,buyer,corrects,object_by\r\n";

/// Writes the rows of one document.
class DocumentTable {
public:
    explicit DocumentTable(const Document& document)
        : document_{document}, issued_on_{ledger::format_day(document.issued_on)},
          due_on_{ledger::format_day(document.due_on)},
          object_by_{document.object_by() ? ledger::format_day(*document.object_by()) : ""}
    {}

    std::string written()
    {
        for (std::size_t index = 0; index < document_.lines.size(); ++index)
            add_line(document_.lines[index], fmt::to_string(index + 1));
        for (const VatTotal& vat : document_.vat) {
            append({
                .record = "vat",
                .net = amount(vat.net),
                .vat_category = vat.rate.category,
                .vat_rate = fmt::to_string(vat.rate.basis_points),
                .vat = amount(vat.tax),
                .total = vat.rate.is_gross ? amount(vat.gross) : "",
            });
        }
        append({
            .record = "total",
            .net = amount(document_.net),
            .vat = amount(document_.tax),
            .total = amount(document_.total),
        });
        return std::move(text_);
    }

private:
    void add_line(const DocumentLine& line, const std::string& number)
    {
        append({
            .record = "line",
            .line = number,
            .flow = name_of(line.charge),
            .tariff = fmt::to_string(line.tariff.value()),
            .origin = format_month(line.origin),
            .points = line.price ? fmt::to_string(line.points) : "",
            .price = line.price ? format_micro(*line.price) : "",
            .exact = format_micro(line.exact),
            .net = amount(line.net),
            .vat_category = line.vat.category,
            .vat_rate = fmt::to_string(line.vat.basis_points),
            .total = line.vat.is_gross ? amount(line.gross) : "",
        });
        for (const LineDetail& detail : line.details) {
            append({
                .record = "detail",
                .line = number,
                .flow = name_of(line.charge),
                .kind = ledger::name_of(detail.kind),
                .tariff = fmt::to_string(line.tariff.value()),
                .origin = format_month(line.origin),
                .points = fmt::to_string(detail.points),
                .price = price_per_point(detail),
                .exact = format_micro(detail.amount),
            });
        }
        for (const EarlierPart& part : line.earlier) {
            append({
                .record = part.undoes ? "undone" : "late",
                .line = number,
                .flow = name_of(line.charge),
                .kind = ledger::name_of(part.kind),
                .tariff = fmt::to_string(line.tariff.value()),
                .origin = format_month(part.origin),
                .points = fmt::to_string(part.points),
                .exact = format_micro(part.amount),
                .undoes = part.billed_on ? std::string_view{part.billed_on->number} : "",
            });
        }
    }

    // What is the same in every row stands in each: rows get copied without their header.
    void append(const Row& row)
    {
        const std::array<std::string_view, 23> cells{
            document_.number,
            name_of(document_.kind),
            issued_on_,
            due_on_,
            row.record,
            row.line,
            row.flow,
            row.kind,
            row.tariff,
            row.origin,
            row.points,
            row.price,
            row.exact,
            row.net,
            row.vat_category,
            row.vat_rate,
            row.vat,
            row.total,
            document_.currency.code,
            document_.seller.id,
            document_.buyer.id,
            document_.corrects ? std::string_view{document_.corrects->number} : row.undoes,
            object_by_,
        };
        text_ += csv_row(cells);
    }

    [[nodiscard]] std::string amount(ledger::Minor minor) const
    {
        return format_minor(minor, document_.currency);
    }

    const Document& document_;
    std::string issued_on_;
    std::string due_on_;
    std::string object_by_;
    std::string text_{header};
};

} // namespace

std::string document_csv(const Document& document)
{
    return DocumentTable{document}.written();
}

} // namespace pointhouse::settlement
