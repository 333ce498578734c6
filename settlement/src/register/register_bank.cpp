#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <tuple>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "settlement/bank_json.hpp"
#include "settlement/register.hpp"

// What the bank says, and what of it is open.

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Minor;

namespace {

std::unexpected<RegisterFault> refused(std::string reason)
{
    return std::unexpected(RegisterFault{std::move(reason)});
}

template <class Value, class Fault>
Value read_back(std::expected<Value, Fault> read)
{
    if (!read) throw std::runtime_error{read.error()};
    return std::move(*read);
}

} // namespace

Registered<std::optional<NewEntry>> Register::import_statement(const BankStatement& statement) const
{
    const auto import = settlement::import_statement(bank_, statement);
    if (!import) return refused(import.error().words);
    if (import->is_repeated) return std::nullopt;
    return NewEntry{
        .kind = "statement_imported",
        .content = json::serialize(
            json::object{{"statement", json::parse(bank_statement_json(statement))}})};
}

void Register::apply_statement(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const auto statement =
        read_back(bank_statement_from_json(json::serialize(content.at("statement"))));
    auto import = settlement::import_statement(bank_, statement);
    if (!import) throw std::runtime_error{import.error().words};
    take(bank_, std::move(*import));
}

std::map<BankRowNumber, Minor> Register::open_rows() const
{
    std::map<BankRowNumber, Minor> open;
    for (std::size_t place = 0; place < bank_.rows.size(); ++place)
        open.emplace(static_cast<BankRowNumber>(place + 1), bank_.rows[place].row.amount);
    for (const auto& [entry, match] : matches_) {
        for (const MatchPart& part : match.parts) open[part.row] -= part.amount;
        if (match.write_off && match.write_off->row != 0)
            open[match.write_off->row] -= match.write_off->amount;
    }
    std::erase_if(open, [](const auto& each) { return each.second.count == 0; });
    return open;
}

std::vector<OpenItem> Register::open_items() const
{
    std::vector<OpenItem> items;
    for (const auto& [key, net] : nets_) {
        for (const auto& [partner, payment] : net.payments) {
            const Minor due = payment.due();
            if (due.count == 0) continue;
            OpenItem item{
                .id = payment.reference,
                .partner = partner,
                .program = key.program,
                .open = Minor{-due.count},
                .currency = std::string{payment.currency()}};
            item.references.push_back(payment.reference);
            for (const auto* issued : documents_of(key, partner, payment)) {
                item.references.push_back(issued->document.number);
                item.due_on = std::max(item.due_on, issued->document.due_on);
            }
            items.push_back(std::move(item));
        }
    }
    return items;
}

/// All that a match of one currency looks at.
struct Register::CurrencyDesk {
    std::vector<OpenItem> items{};
    std::vector<OpenRow> rows{};
    std::vector<PaidPart> paid{};
};

std::map<std::string, Register::CurrencyDesk> Register::desks_by_currency(
    const ledger::Terms& terms) const
{
    std::map<std::string, CurrencyDesk> desks;
    for (const auto& [number, open] : open_rows()) {
        const auto& [account, currency, row] = bank_.rows[number - 1];
        desks[currency.code].rows.push_back({.number = number, .open = open, .row = row});
    }
    for (OpenItem& item : open_items())
        desks[item.currency.empty() ? terms.currency.code : item.currency].items.push_back(
            std::move(item));
    using Paid = std::tuple<std::string, std::string, std::string>;
    std::map<Paid, Minor> sums; // by currency, item, end-to-end id
    for (const auto& [entry, made] : matches_) {
        for (const MatchPart& part : made.parts) {
            const auto& [account, currency, row] = bank_.rows[part.row - 1];
            sums[{currency.code, part.item, row.end_to_end_id}] += part.amount;
        }
    }
    for (const auto& [key, amount] : sums) {
        const auto& [currency, item, end_to_end_id] = key;
        if (amount.count == 0) continue;
        desks[currency].paid.push_back(
            {.item = item, .amount = amount, .end_to_end_id = end_to_end_id});
    }
    return desks;
}

Matching Register::find_matches(
    const PartnerAccounts& accounts,
    const MatchingRules& rules,
    const ledger::Terms& terms,
    ledger::Day today) const
{
    Matching found;
    for (const auto& [currency, desk] : desks_by_currency(terms)) {
        MatchingRules own = rules;
        if (currency != terms.currency.code) {
            const auto rate = find_rate(terms.currency.code, currency, today);
            const auto worth = rate ? convert(rules.tolerance, *rate) : Minor{};
            own.tolerance = worth.value_or(Minor{});
        }
        auto matching = match(
            {.items = desk.items,
             .rows = desk.rows,
             .paid = desk.paid,
             .accounts = accounts,
             .rules = own});
        std::ranges::move(matching.matches, std::back_inserter(found.matches));
        std::ranges::move(matching.suggestions, std::back_inserter(found.suggestions));
    }
    std::ranges::sort(found.suggestions, {}, &Suggestion::row);
    return found;
}

std::optional<Register::NamedNet> Register::find_net(std::string_view reference) const
{
    for (const auto& [key, net] : nets_) {
        for (const auto& [partner, payment] : net.payments) {
            if (payment.reference == reference)
                return NamedNet{.key = key, .partner = partner, .payment = &payment};
        }
    }
    return std::nullopt;
}

} // namespace pointhouse::settlement
