#include "bank_by_hand.hpp"

#include <fmt/format.h>
#include <memory>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "closed_window.hpp"
#include "commands.hpp"
#include "settle_documents.hpp"

// What no rule matches: a person says what a row of the bank is.

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::House;

struct Options {
    settlement::BankRowNumber row = 0;
    std::string item;
    std::string amount;
    std::string account;
    std::string reason;
};

/// The amount that was typed, in the row's currency; none: as much as is open.
std::optional<ledger::Minor> amount_of(House& house, const Options& options)
{
    if (options.amount.empty()) return std::nullopt;
    const auto& rows = house.documents().bank().rows;
    if (options.row == 0 || options.row > rows.size())
        throw CommandFailure{fmt::format("the bank has told of no row {}", options.row)};
    const auto amount = read_amount(options.amount, rows[options.row - 1].currency);
    if (amount.count == 0) throw CommandFailure{"an amount is not zero"};
    return amount;
}

/// The first of its windows that is closed to entries of money; none: all are open.
ledger::Month closed_window_of(House& house, const settlement::Match& match)
{
    const auto& documents = house.documents();
    for (const auto window : documents.windows_of(match))
        if (documents.closings().state_of(window) != settlement::CloseState::open) return window;
    return {};
}

/// Two people want it in a production house, and it says why.
CommandResult book(
    House& house,
    const settlement::Match& match,
    const std::string& act,
    const Options& options,
    const Invocation& typed)
{
    const LateEntry late{
        .window = closed_window_of(house, match), .act = act, .reason = options.reason};
    require(house.documents().closings().admit(late.window, late.reason));
    const auto entry = require(house.documents().book_match(match, *house.registry().terms()));
    const auto permitted = ask_permission(house, act + ": " + options.reason, typed);
    if (permitted.waiting) return *permitted.waiting;
    record_admitted(house, entry, late, permitted);
    const auto id = house.documents().matches().rbegin()->first.value();
    return report(
        typed, {{"id", id}, {"row", options.row}}, fmt::format("match {}: {}\n", id, act));
}

CommandResult assign(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "matches payments by hand");
    const auto match = require(
        house.documents().match_by_hand(options.row, options.item, amount_of(house, options)));
    const auto& part = match.parts.front();
    const auto& currency = house.documents().bank().rows[part.row - 1].currency;
    const auto act = fmt::format(
        "match {} {} of row {} with {}",
        ledger::format_minor(part.amount, currency),
        currency.code,
        part.row,
        part.item);
    return book(house, match, act, options, typed);
}

CommandResult write_off(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "books rows of the bank off");
    const auto match = require(house.documents().write_off_by_hand(
        options.row, options.account, amount_of(house, options)));
    const auto& currency = house.documents().bank().rows[options.row - 1].currency;
    const auto act = fmt::format(
        "book {} {} of row {} to {}",
        ledger::format_minor(match.write_off->amount, currency),
        currency.code,
        options.row,
        options.account);
    return book(house, match, act, options, typed);
}

} // namespace

void declare_bank_by_hand(CLI::App& bank, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(bank, invocation, options);
    const auto with_row = [&](CLI::App& command) -> CLI::App& {
        command.add_option("ROW", options->row, "Its number, of `bank rows`")->required();
        command.add_option(
            "--amount",
            options->amount,
            "Of the row, with its sign: below zero of what was paid out; else all that is open");
        command.add_option("--reason", options->reason, "Why")->required()->check(has_words());
        return command;
    };
    with_row(declare("assign", "Say what an open row pays, where no rule does", assign))
        .add_option("REFERENCE", options->item, "What it pays, PH-2026-06-GRO")
        ->required();
    with_row(declare("write-off", "Book what pays nothing: a bank's charge, a residual", write_off))
        .add_option("ACCOUNT", options->account, "bank_charges or write_off")
        ->required();
}

} // namespace pointhouse::ops
