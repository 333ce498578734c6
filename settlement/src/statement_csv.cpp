#include <array>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "csv_row.hpp"
#include "settlement/rendering.hpp"

namespace pointhouse::settlement {
namespace {

/// The columns, and one row of them. A cell that a record does not have is empty.
struct Row {
    std::string_view record{};
    std::string flow{};
    std::string kind{};
    std::string tariff{};
    std::string points{};
    std::string price{};
    std::string exact{};
    std::string net{};
    std::string vat_category{};
    std::string vat_rate{};
    std::string vat{};
    std::string total{};
};

constexpr std::string_view header = "document,record,flow,kind,tariff,points,price,exact,net,vat_"
                                    "category,vat_rate_basis_points,vat,"
                                    "total,currency,payer,payee,notice\r\n";

/// Writes the rows of one statement.
class Table {
public:
    Table(const Settlement& settlement, const Statement& statement)
        : currency_{settlement.currency}, statement_{statement}
    {}

    void add_line(const StatementLine& line)
    {
        append({
            .record = "line",
            .flow = std::string{name_of(line.charge)},
            .tariff = fmt::to_string(line.tariff.value()),
            .points = line.price ? fmt::to_string(line.points) : "",
            .price = line.price ? format_micro(*line.price) : "",
            .exact = format_micro(line.exact),
            .net = format_minor(line.net, currency_),
            .vat_category = line.vat.category,
            .vat_rate = fmt::to_string(line.vat.basis_points),
        });
        for (const LineDetail& detail : line.details) {
            append({
                .record = "detail",
                .flow = std::string{name_of(line.charge)},
                .kind = std::string{name_of(detail.kind)},
                .tariff = fmt::to_string(line.tariff.value()),
                .points = fmt::to_string(detail.points),
                .price = format_micro(detail.price),
                .exact = format_micro(detail.amount),
            });
        }
    }

    void add_totals()
    {
        for (const VatTotal& vat : statement_.vat) {
            append({
                .record = "vat",
                .net = format_minor(vat.net, currency_),
                .vat_category = vat.rate.category,
                .vat_rate = fmt::to_string(vat.rate.basis_points),
                .vat = format_minor(vat.tax, currency_),
            });
        }
        append({
            .record = "total",
            .net = format_minor(statement_.net, currency_),
            .vat = format_minor(statement_.tax, currency_),
            .total = format_minor(statement_.total, currency_),
        });
    }

    [[nodiscard]] const std::string& text() const { return text_; }

private:
    void append(const Row& row)
    {
        const std::array<std::string_view, 17> cells{
            statement_.number,
            row.record,
            row.flow,
            row.kind,
            row.tariff,
            row.points,
            row.price,
            row.exact,
            row.net,
            row.vat_category,
            row.vat_rate,
            row.vat,
            row.total,
            currency_.code,
            statement_.payer.id,
            statement_.payee.id,
            pro_forma_notice, // on every row: rows get copied without their header
        };
        text_ += csv_row(cells);
    }

    const ledger::Currency& currency_;
    const Statement& statement_;
    std::string text_{header};
};

} // namespace

std::string statement_csv(const Settlement& settlement, const Statement& statement)
{
    Table table{settlement, statement};
    for (const StatementLine& line : statement.lines) table.add_line(line);
    table.add_totals();
    return table.text();
}

} // namespace pointhouse::settlement
