#pragma once

#include <map>
#include <utility>
#include <vector>

#include "settlement/document.hpp"

namespace pointhouse::settlement {

/// Two documents of one statement are two sums.
[[nodiscard]] inline ledger::Time issue_of(const StatementLine& line)
{
    return line.issued_at;
}
[[nodiscard]] inline ledger::Time issue_of(const DocumentLine& /*line*/)
{
    return {};
}

/// Sums lines by rate and taxes each sum once. Where prices hold the tax, it first gives each line
/// its net: on the running sum of the rate, so that the lines add up to what of the sum is without
/// the tax. Pure.
template <class Line>
[[nodiscard]] std::vector<VatTotal> vat_totals(std::vector<Line>& lines)
{
    std::map<std::pair<ledger::Time, VatRate>, VatTotal> by_rate;
    for (Line& line : lines) {
        VatTotal& total = by_rate[{issue_of(line), line.vat}];
        if (line.vat.is_gross) {
            total.gross += line.gross;
            line.net = ledger::net_of(total.gross, line.vat.basis_points) - total.net;
        }
        total.net += line.net;
    }
    std::vector<VatTotal> totals;
    for (auto& [key, total] : by_rate) {
        total.rate = key.second;
        total.tax = ledger::tax_of(total.net, total.rate.basis_points);
        totals.push_back(std::move(total));
    }
    return totals;
}

/// What a line's exact amount is rounded to.
template <class Line>
[[nodiscard]] ledger::Minor rounded_amount(const Line& line)
{
    return line.vat.is_gross ? line.gross : line.net;
}

/// Rounds a line's exact amount: to `gross` where it holds the tax, else to `net`.
template <class Line>
void set_rounded(Line& line, ledger::Minor amount)
{
    (line.vat.is_gross ? line.gross : line.net) = amount;
}

} // namespace pointhouse::settlement
