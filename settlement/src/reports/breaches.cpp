#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <limits>
#include <tuple>

#include "settlement/payment_calendar.hpp"
#include "settlement/receivables.hpp"

// What should have happened by now and did not, and whose turn it is.

namespace pointhouse::settlement {
namespace {

using ledger::Day;
using ledger::Minor;

struct Breach {
    std::string what{};
    std::string id{};
    std::string owner{};
    Day due_on = 0;
    Minor amount{};
};

constexpr std::string_view the_house_itself = "house";

/// A part of a document in the house's currency.
Minor claimed(const IssuedDocument& issued, Minor part)
{
    const auto& document = issued.document;
    if (!document.booked || document.total.count == 0) return part;
    const ledger::Wide product = ledger::Wide{part.count} * document.booked->total.count;
    return Minor{static_cast<std::int64_t>(product / document.total.count)};
}

constexpr Day last_day = std::numeric_limits<Day>::max();

/// In the house's currency at the newest rate; zero: none is recorded of the currency.
Minor worth_of(
    Minor amount,
    const ledger::Currency& currency,
    const Register& documents,
    const ledger::Terms& terms)
{
    if (currency == terms.currency) return amount;
    const auto rate = documents.find_rate(currency.code, terms.currency.code, last_day);
    return rate ? convert(amount, *rate).value_or(Minor{}) : Minor{};
}

std::vector<Breach> breaches_of(const Register& documents, Day today, const ledger::Terms& terms)
{
    std::vector<Breach> found;
    const auto name_of_partner = [&](ledger::PartnerId id) { return terms.partner(id).name; };
    for (const auto& claim : claims_of(documents)) {
        const Minor amount = claim.open - claim.disputed;
        if (amount.count > 0)
            found.push_back(
                {"unpaid", claim.document, name_of_partner(claim.partner), claim.due_on, amount});
    }
    for (const auto& [id, dispute] : documents.disputes()) {
        if (!dispute.is_open()) continue;
        const auto& issued = *documents.find(dispute.document);
        const auto partner = issued.document.partner;
        const bool is_partners = dispute.stage == DisputeStage::answered;
        found.push_back(
            {"dispute",
             id,
             is_partners ? name_of_partner(partner) : std::string{the_house_itself},
             dispute.act_by,
             claimed(issued, dispute.held)});
    }
    const auto& rows = documents.bank().rows;
    for (const auto& [number, open] : documents.open_rows()) {
        found.push_back(
            {"bank_row",
             fmt::format("{}", number),
             std::string{the_house_itself},
             rows[number - 1].row.booked_on + days_to_match,
             worth_of(Minor{std::abs(open.count)}, rows[number - 1].currency, documents, terms)});
    }
    for (const auto* issued : documents.documents()) {
        const auto& document = issued->document;
        if (!issued->waits_to_be_sent()) continue;
        const Day billing_on =
            documents.calendar().dates_of(document.window, document.program).billing_on;
        found.push_back(
            {"not_sent",
             document.number,
             std::string{the_house_itself},
             std::max(document.issued_on, billing_on),
             Minor{std::abs(issued->claim().count)}});
    }
    std::erase_if(found, [&](const Breach& each) { return each.due_on >= today; });
    std::ranges::sort(found, {}, [](const Breach& each) {
        return std::tuple<Day, std::string_view, std::string_view>{each.due_on, each.what, each.id};
    });
    return found;
}

} // namespace

ReportTable breach_table(const Register& documents, Day today, const ledger::Terms& terms)
{
    const ledger::Micro per_minor{ledger::micro_per_minor(terms.currency)};
    ReportTable table{
        .name = "breaches",
        .columns = {"what", "id", "owner", "due_on", "days_over", "amount"},
        .rows = {}};
    for (const auto& each : breaches_of(documents, today, terms)) {
        table.rows.push_back(
            {each.what,
             each.id,
             each.owner,
             ledger::format_day(each.due_on),
             std::int64_t{today - each.due_on},
             per_minor * each.amount.count});
    }
    return table;
}

} // namespace pointhouse::settlement
