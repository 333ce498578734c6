#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "ledger/invariant.hpp"
#include "register_lines.hpp"
#include "settlement/bank_json.hpp"
#include "settlement/register.hpp"

// What the bank says, and which nets it settles.

namespace pointhouse::settlement {

namespace json = boost::json;
using ledger::Account;
using ledger::AccountLine;
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
    for (const auto& [window, net] : nets_) {
        for (const auto& [partner, payment] : net.payments) {
            const Minor left = payment.settled - payment.net;
            // The house's bank account is in its own currency.
            if (left.count == 0 || payment.foreign) continue;
            OpenItem item{.id = payment.reference, .partner = partner, .open = left};
            item.references.push_back(payment.reference);
            for (const auto* issued : documents_of(window, partner, payment)) {
                item.references.push_back(issued->document.number);
                item.due_on = std::max(item.due_on, issued->document.due_on);
            }
            items.push_back(std::move(item));
        }
    }
    return items;
}

Matching Register::find_matches(
    const std::map<std::string, ledger::PartnerId>& accounts, const MatchingRules& rules) const
{
    const auto items = open_items();
    std::vector<OpenRow> rows;
    for (const auto& [number, open] : open_rows())
        rows.push_back({.number = number, .open = open, .row = bank_.rows[number - 1].row});
    std::map<std::pair<std::string, std::string>, Minor> paid_by_item;
    for (const auto& [entry, made] : matches_) {
        for (const MatchPart& part : made.parts) {
            const auto& end_to_end_id = bank_.rows[part.row - 1].row.end_to_end_id;
            paid_by_item[{part.item, end_to_end_id}] += part.amount;
        }
    }
    std::vector<PaidPart> paid;
    for (const auto& [key, amount] : paid_by_item) {
        if (amount.count != 0)
            paid.push_back({.item = key.first, .amount = amount, .end_to_end_id = key.second});
    }
    return match(
        {.items = items, .rows = rows, .paid = paid, .accounts = accounts, .rules = rules});
}

std::optional<Register::NamedNet> Register::find_net(std::string_view reference) const
{
    for (const auto& [window, net] : nets_) {
        for (const auto& [partner, payment] : net.payments) {
            if (payment.reference == reference)
                return NamedNet{.window = window, .partner = partner, .payment = &payment};
        }
    }
    return std::nullopt;
}

/// Pre: every item is a net of the register.
Register::Content Register::booking_of(
    const Match& match, bool is_reversal, const ledger::Terms& terms) const
{
    const std::int64_t scale = ledger::micro_per_minor(terms.currency);
    const std::int64_t sign = is_reversal ? 1 : -1; // the account's sign against the net's
    std::map<std::string, Minor> paid;
    for (const MatchPart& part : match.parts) paid[part.item] += part.amount;
    std::vector<AccountLine> lines;
    if (const auto& off = match.write_off) {
        const Minor amount = off->amount;
        if (off->item.empty()) {
            // The row's own money, which pays nothing: cash came or went all the same.
            lines.push_back(
                {.account = Account::cash_operating, .amount = -sign * amount.count * scale});
            lines.push_back({.account = Account::write_off, .amount = sign * amount.count * scale});
        } else {
            // The item is settled as if it had been paid, by the house's own loss or gain.
            paid[off->item] += amount;
            lines.push_back(
                {.account = Account::cash_operating, .amount = sign * amount.count * scale});
            lines.push_back(
                {.account = Account::write_off, .amount = -sign * amount.count * scale});
        }
    }
    json::array payments;
    for (const auto& [item, amount] : paid) {
        const auto net = find_net(item);
        ledger::invariant(net.has_value(), "a match is about nets of the register");
        const Minor settled{sign * amount.count};
        payments.push_back(json::object{
            {"window", ledger::format_month(net->window)},
            {"partner", net->partner.value()},
            {"reference", item},
            {"paid_minor", settled.count}});
        for (AccountLine line : settling_lines(*net, settled)) {
            line.amount *= scale;
            lines.push_back(line);
        }
    }
    std::erase_if(lines, [](const AccountLine& line) { return line.amount == 0; });
    return {{"payments", std::move(payments)}, {"lines_micro", lines_object(lines, terms)}};
}

Registered<NewEntry> Register::book_match(const Match& match, const ledger::Terms& terms) const
{
    auto rows = open_rows();
    std::map<std::string, Minor> items;
    for (const OpenItem& item : open_items()) items.emplace(item.id, item.open);
    const auto takes = [](Minor& open, Minor part) {
        const bool fits = part.count != 0 && (part.count < 0) == (open.count < 0) &&
                          std::abs(part.count) <= std::abs(open.count);
        open -= part;
        return fits;
    };
    if (match.parts.empty()) return refused("a match settles something");
    if (match.write_off) {
        if (auto admitted = admit(match); !admitted) return std::unexpected(admitted.error());
    }
    for (const MatchPart& part : match.parts) {
        if (!rows.contains(part.row))
            return refused(fmt::format("row {} of the bank is not open", part.row));
        if (!takes(rows.at(part.row), part.amount))
            return refused(fmt::format("row {} of the bank has less that is open", part.row));
        if (match.kind == MatchKind::returned) {
            const auto net = find_net(part.item);
            if (!net || net->payment->foreign) return refused(part.item + " is no net");
            continue;
        }
        if (!items.contains(part.item)) return refused(part.item + " is not open");
        if (!takes(items.at(part.item), part.amount))
            return refused(part.item + " has less that is open");
    }
    json::object content{{"match", json::parse(match_json(match))}};
    for (auto& member : booking_of(match, false, terms)) content.insert(std::move(member));
    return NewEntry{.kind = "bank_matched", .content = json::serialize(content)};
}

Registered<NewEntry> Register::reverse_match(
    ledger::HouseSequence entry, std::string_view reason, const ledger::Terms& terms) const
{
    const auto found = matches_.find(entry);
    if (found == matches_.end())
        return refused(fmt::format("there is no match {} to reverse", entry.value()));
    if (reason.empty()) return refused("a match is reversed for a reason");
    if (auto admitted = admit(found->second); !admitted) return std::unexpected(admitted.error());
    json::object content{{"match_entry", entry.value()}, {"reason", reason}};
    for (auto& member : booking_of(found->second, true, terms)) content.insert(std::move(member));
    return NewEntry{.kind = "match_reversed", .content = json::serialize(content)};
}

void Register::settle_nets(const Content& content)
{
    for (const auto& each : content.at("payments").as_array()) settle_net(each.as_object());
}

void Register::apply_match(const ledger::HouseEntry& entry, const Content& content)
{
    matches_.emplace(
        entry.sequence, read_back(match_from_json(json::serialize(content.at("match")))));
    settle_nets(content);
}

void Register::apply_match_reversal(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    matches_.erase(ledger::HouseSequence{content.at("match_entry").to_number<std::uint64_t>()});
    settle_nets(content);
}

} // namespace pointhouse::settlement
