#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "entry_fields.hpp"
#include "ledger/invariant.hpp"
#include "net_balance.hpp"
#include "register_lines.hpp"
#include "settlement/bank_json.hpp"
#include "settlement/register.hpp"

// Which nets the bank's rows settle, and what that books.

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

/// What speaks against taking so much of what is open; empty: nothing.
std::string fault_in(const std::string& name, Minor open, Minor amount)
{
    if (open.count != 0 && amount.count != 0 && (amount.count < 0) != (open.count < 0))
        return open.count < 0 ? name + " is paid out: its amounts are below zero"
                              : name + " is paid in: its amounts are above zero";
    const bool fits = amount.count != 0 && std::abs(amount.count) <= std::abs(open.count);
    return fits ? std::string{} : name + " has less that is open";
}

/// In the house's currency.
Minor worth_at(const std::optional<ExchangeRate>& rate, Minor amount)
{
    return rate ? worth_of(amount, *rate) : amount;
}

void add_rate(std::vector<std::string>& ids, const std::optional<ExchangeRate>& rate)
{
    if (rate && std::ranges::find(ids, rate->id) == ids.end()) ids.push_back(rate->id);
}

/// As `bank_matched` has it, read back. Entries of before there were currencies have the house's.
MatchBooking booking_from(const json::object& content, const Match& match)
{
    MatchBooking booking;
    for (const auto& each : content.at("payments").as_array()) {
        const auto& row = each.as_object();
        MatchBooking::Payment payment{
            .reference = std::string{std::string_view{row.at("reference").as_string()}},
            .settled = minor_at(row, "paid_minor")};
        payment.worth = payment.settled;
        if (row.contains("foreign_minor")) {
            payment.foreign = minor_at(row, "foreign_minor");
            payment.worth = minor_at(row, "worth_minor");
            for (const auto& id : row.at("rate_ids").as_array())
                payment.rate_ids.emplace_back(std::string_view{id.as_string()});
        }
        booking.payments.push_back(std::move(payment));
    }
    if (content.contains("written_off_minor"))
        booking.written_off = minor_at(content, "written_off_minor");
    else if (match.write_off)
        booking.written_off = match.write_off->amount;
    return booking;
}

bool has_foreign(const MatchBooking& booking)
{
    return std::ranges::any_of(
        booking.payments, [](const auto& payment) { return payment.foreign.has_value(); });
}

constexpr std::string_view bank_charges = "bank_charges";

/// A residual of a row is money that pays nothing: cash came or went all the same. One of an item
/// is settled as if it had been paid, by the house's own loss or gain.
void book_write_off(std::vector<AccountLine>& lines, Minor amount, const WriteOff& off)
{
    const std::int64_t sign = off.item.empty() ? 1 : -1;
    const Account account =
        off.account == bank_charges ? Account::bank_charges : Account::write_off;
    lines.push_back({.account = Account::cash_operating, .amount = sign * amount.count});
    lines.push_back({.account = account, .amount = -sign * amount.count});
}

} // namespace

MatchBooking MatchBooking::reversed() const
{
    MatchBooking other = *this;
    for (Payment& payment : other.payments) {
        payment.settled = Minor{-payment.settled.count};
        payment.worth = Minor{-payment.worth.count};
        if (payment.foreign) payment.foreign = Minor{-payment.foreign->count};
    }
    other.written_off = Minor{-written_off.count};
    return other;
}

std::optional<ExchangeRate> Register::rate_of_row(
    BankRowNumber row, const NetPayment& payment, const ledger::Terms& terms) const
{
    if (!payment.foreign) return std::nullopt;
    const ExchangeRate& own = payment.foreign->rate;
    if (!payment.foreign->is_of_documents) return own;
    const auto day = bank_.rows[row - 1].row.booked_on;
    return find_rate(terms.currency.code, own.to.code, day).value_or(own);
}

std::optional<ExchangeRate> Register::rate_of_day(
    BankRowNumber row, const ledger::Terms& terms) const
{
    const auto& told = bank_.rows[row - 1];
    return find_rate(terms.currency.code, told.currency.code, told.row.booked_on);
}

/// Pre: every item is a net of the register.
MatchBooking Register::plan_booking(const Match& match, const ledger::Terms& terms) const
{
    std::map<std::string, MatchBooking::Payment> payments;
    MatchBooking booking;
    // In the sign of the account, which is the other one than the net's.
    const auto add = [&](const std::string& item, Minor amount, BankRowNumber row) {
        const auto net = find_net(item);
        ledger::invariant(net.has_value(), "a match is about nets of the register");
        const auto rate = rate_of_row(row, *net->payment, terms);
        const Minor worth = worth_at(rate, amount);
        auto& payment = payments[item];
        payment.reference = item;
        payment.settled -= amount;
        payment.worth -= worth;
        add_rate(payment.rate_ids, rate);
        return worth;
    };
    for (const MatchPart& part : match.parts) add(part.item, part.amount, part.row);
    if (const auto& off = match.write_off) {
        if (match.parts.empty()) {
            booking.written_off = worth_at(rate_of_day(off->row, terms), off->amount);
        } else if (const auto& first = match.parts.front(); off->item.empty()) {
            const auto net = find_net(first.item);
            const auto rate = rate_of_row(off->row, *net->payment, terms);
            booking.written_off = worth_at(rate, off->amount);
        } else {
            booking.written_off = add(off->item, off->amount, first.row);
        }
    }
    for (auto& [item, payment] : payments) {
        const NetPayment& net = *find_net(item)->payment;
        if (net.foreign) payment.foreign = payment.settled;
        payment.settled = claim_settled_by(payment.settled, net);
        booking.payments.push_back(std::move(payment));
    }
    return booking;
}

Register::Content Register::booked(
    const MatchBooking& booking, const Match& match, const ledger::Terms& terms) const
{
    std::vector<AccountLine> lines;
    json::array payments;
    for (const auto& payment : booking.payments) {
        const auto net = find_net(payment.reference);
        json::object row{
            {"window", ledger::format_month(net->key.window)},
            {"partner", net->partner.value()},
            {"reference", payment.reference},
            {"paid_minor", payment.settled.count}};
        add_program(row, net->key);
        std::ranges::copy(settling_lines(*net, payment.settled), std::back_inserter(lines));
        if (payment.foreign) {
            row.emplace("foreign_minor", payment.foreign->count);
            row.emplace("worth_minor", payment.worth.count);
            row.emplace("rate_ids", json::array(payment.rate_ids.begin(), payment.rate_ids.end()));
            book_exchange(lines, payment.settled, payment.worth);
        }
        payments.push_back(std::move(row));
    }
    if (match.write_off) book_write_off(lines, booking.written_off, *match.write_off);
    to_micro(lines, terms.currency);
    Content content{{"payments", std::move(payments)}, {"lines_micro", lines_object(lines, terms)}};
    if (match.write_off && (has_foreign(booking) || booking.payments.empty()))
        content.emplace("written_off_minor", booking.written_off.count);
    return content;
}

/// What speaks against a part of a match; empty: nothing. Takes it off what is open.
std::string Register::OpenSides::take(const MatchPart& part, bool is_return)
{
    const auto take_off = [](const std::string& name, Minor& open, Minor amount) {
        const std::string fault = fault_in(name, open, amount);
        open -= amount;
        return fault;
    };
    const std::string row = fmt::format("row {} of the bank", part.row);
    if (!rows.contains(part.row)) return row + " is not open";
    if (std::string fault = take_off(row, rows.at(part.row), part.amount); !fault.empty())
        return fault;
    if (is_return) return {};
    if (!items.contains(part.item)) return part.item + " is not open";
    return take_off(part.item, items.at(part.item), part.amount);
}

Registered<Match> Register::match_by_hand(
    BankRowNumber row, const std::string& item, std::optional<Minor> amount) const
{
    const auto rows = open_rows();
    const auto items = open_items();
    const auto open = rows.find(row);
    if (open == rows.end()) return refused(fmt::format("row {} of the bank is not open", row));
    const auto found = std::ranges::find(items, item, &OpenItem::id);
    if (found == items.end()) return refused(item + " is not open");
    const bool is_less = std::abs(open->second.count) < std::abs(found->open.count);
    return Match{
        .kind = MatchKind::by_hand,
        .parts = {
            {.row = row,
             .item = item,
             .amount = amount.value_or(is_less ? open->second : found->open)}}};
}

Registered<Match> Register::write_off_by_hand(
    BankRowNumber row, const std::string& account, std::optional<Minor> amount) const
{
    if (account != bank_charges && account != "write_off")
        return refused(account + " is no account for this: bank_charges or write_off");
    const auto rows = open_rows();
    const auto open = rows.find(row);
    if (open == rows.end()) return refused(fmt::format("row {} of the bank is not open", row));
    const Minor whole = open->second;
    const Minor part = amount.value_or(whole);
    const std::string fault = fault_in(fmt::format("row {} of the bank", row), whole, part);
    if (!fault.empty()) return refused(fault);
    return Match{
        .kind = MatchKind::by_hand,
        .write_off = WriteOff{.row = row, .amount = part, .account = account}};
}

Registered<NewEntry> Register::book_match(const Match& match, const ledger::Terms& terms) const
{
    OpenSides open{.rows = open_rows(), .items = {}};
    for (const OpenItem& item : open_items()) open.items.emplace(item.id, item.open);
    if (match.parts.empty()) {
        if (!match.write_off || match.write_off->row == 0)
            return refused("a match settles something");
        const auto& currency = bank_.rows[match.write_off->row - 1].currency;
        if (currency.code != terms.currency.code && !rate_of_day(match.write_off->row, terms))
            return refused(fmt::format(
                "no rate says what {} was worth on that day: pointhouse fx set", currency.code));
    }
    if (match.write_off) {
        if (auto admitted = admit(match); !admitted) return std::unexpected(admitted.error());
    }
    for (const MatchPart& part : match.parts) {
        if (auto fault = open.take(part, match.kind == MatchKind::returned); !fault.empty())
            return refused(std::move(fault));
        const auto net = find_net(part.item);
        if (!net) return refused(part.item + " is no net");
        const auto named = net->payment->currency();
        const std::string_view wanted = named.empty() ? terms.currency.code : named;
        const std::string_view paid = bank_.rows[part.row - 1].currency.code;
        if (paid != wanted) {
            return refused(fmt::format(
                "{} is paid in {}, row {} of the bank is in {}",
                part.item,
                wanted,
                part.row,
                paid));
        }
    }
    Content content{{"match", json::parse(match_json(match))}};
    for (auto& member : booked(plan_booking(match, terms), match, terms))
        content.insert(std::move(member));
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
    const auto reversed = bookings_.at(entry).reversed();
    for (const auto& payment : reversed.payments) {
        const NetPayment& net = *find_net(payment.reference)->payment;
        const Minor whole = net.foreign ? net.foreign->net : net.net;
        const Minor settled = net.foreign ? net.foreign->settled : net.settled;
        const Minor after = settled + payment.foreign.value_or(payment.settled);
        // Less than nothing, or more than all of it: what came back, or was paid again, hangs on
        // it.
        const bool is_other_way = after.count != 0 && (after.count < 0) != (whole.count < 0);
        if (is_other_way || std::abs(after.count) > std::abs(whole.count))
            return refused(fmt::format(
                "{} was paid, or sent back, after it: undo that first", payment.reference));
    }
    Content content{{"match_entry", entry.value()}, {"reason", reason}};
    for (auto& member : booked(reversed, found->second, terms)) content.insert(std::move(member));
    return NewEntry{.kind = "match_reversed", .content = json::serialize(content)};
}

void Register::settle_nets(const Content& content)
{
    for (const auto& each : content.at("payments").as_array()) settle_net(each.as_object());
}

void Register::apply_match(const ledger::HouseEntry& entry, const Content& content)
{
    auto match = match_from_json(json::serialize(content.at("match")));
    if (!match) throw std::runtime_error{match.error()};
    bookings_.emplace(entry.sequence, booking_from(content, *match));
    matches_.emplace(entry.sequence, std::move(*match));
    settle_nets(content);
}

void Register::apply_match_reversal(const ledger::HouseEntry& /*entry*/, const Content& content)
{
    const ledger::HouseSequence match{content.at("match_entry").to_number<std::uint64_t>()};
    matches_.erase(match);
    bookings_.erase(match);
    settle_nets(content);
}

} // namespace pointhouse::settlement
