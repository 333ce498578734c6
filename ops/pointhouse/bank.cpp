#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "bank_by_hand.hpp"
#include "closed_window.hpp"
#include "commands.hpp"
#include "settle_documents.hpp"
#include "settlement/bank_json.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;
using ledger::Minor;
using settlement::Register;

struct Options {
    std::string file;
    std::string tolerance = "0";
    std::string account = "write_off";
    std::string reason;
    std::string late_reason;
    std::uint64_t match = 0;
    bool is_open = false;
};

json::array gaps_of(const Register& documents, std::string_view account)
{
    json::array gaps;
    const auto number = [](const std::optional<std::int64_t>& missing) -> json::value {
        if (!missing) return nullptr;
        return *missing;
    };
    for (const auto& gap : settlement::find_gaps(documents.bank(), account)) {
        gaps.push_back(json::object{
            {"account", gap.account},
            {"first_missing", number(gap.first_missing)},
            {"last_missing", number(gap.last_missing)},
            {"balance_difference_minor", gap.balance_difference.count},
            {"after", ledger::format_day(gap.after)},
            {"before", ledger::format_day(gap.before)}});
    }
    return gaps;
}

/// Why a statement is not of an account of the house; empty: it is.
std::string fault_of_account(House& house, const settlement::BankStatement& statement)
{
    const auto& company = house.registry().house_company();
    const auto& own = house.registry().terms()->currency.code;
    const auto& currency = statement.currency.code;
    const auto account = company.accounts.find(currency);
    if (account != company.accounts.end() && account->second.iban == statement.account) return {};
    const bool has_told_nothing = company == partners::Company{};
    if (currency != own && !has_told_nothing)
        return fmt::format(
            "{} is in {}, and no account of the house is: pointhouse house set-company",
            statement.account,
            currency);
    if (!company.iban.empty() && statement.account != company.iban)
        return fmt::format("{} is not the house's account", statement.account);
    return {};
}

/// What speaks against a file as a whole; empty: nothing. A file is taken whole or not at all.
std::string fault_of_file(House& house, std::span<const settlement::BankStatement> statements)
{
    auto book = house.documents().bank();
    for (const auto& statement : statements) {
        if (auto fault = fault_of_account(house, statement); !fault.empty()) return fault;
        auto import = settlement::import_statement(book, statement);
        if (!import) return import.error().words;
        settlement::take(book, std::move(*import));
    }
    return {};
}

CommandResult import_file(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "imports bank statements");
    const auto read = settlement::parse_camt053(read_text(typed.path(options.file)));
    if (!read) return refused(fmt::format("{}: {}", options.file, read.error().words));
    if (const auto fault = fault_of_file(house, *read); !fault.empty())
        return refused(fmt::format("{}: {}", options.file, fault));
    json::array shown;
    std::string text;
    for (const auto& statement : *read) {
        const auto before = house.documents().bank().rows.size();
        const auto entry = require(house.documents().import_statement(statement));
        if (entry) house.record(*entry);
        const auto added = house.documents().bank().rows.size() - before;
        auto gaps = gaps_of(house.documents(), statement.account);
        const auto unexplained =
            settlement::unexplained_balance(house.documents().bank(), statement.account);
        text += fmt::format(
            "{} {}: {} rows, {} of them new{}\n",
            statement.account,
            statement.id,
            statement.rows.size(),
            added,
            gaps.empty() ? "" : "; statements are missing, see --json");
        if (unexplained != Minor{}) {
            text += fmt::format(
                "{}: {} {} of its balance unexplained\n",
                statement.account,
                ledger::format_minor(unexplained, statement.currency),
                statement.currency.code);
        }
        shown.push_back(json::object{
            {"account", statement.account},
            {"statement", statement.id},
            {"rows", statement.rows.size()},
            {"added", added},
            {"repeated", !entry},
            {"gaps", std::move(gaps)},
            {"unexplained_minor", unexplained.count}});
    }
    return report(typed, shown, text);
}

/// The IBANs that partners said are theirs.
settlement::PartnerAccounts partner_accounts(House& house)
{
    settlement::PartnerAccounts accounts;
    for (const auto& contract : house.registry().contracts()) {
        const auto& company = contract.company;
        if (!company.iban.empty()) accounts.emplace(company.iban, contract.terms.partner);
        for (const auto& [currency, account] : company.accounts)
            accounts.emplace(account.iban, contract.terms.partner);
    }
    return accounts;
}

/// The window that a match writes off in after its soft close; none: it does not.
std::optional<ledger::Month> late_window(House& house, const settlement::Match& match)
{
    if (!match.write_off) return std::nullopt;
    const auto& documents = house.documents();
    for (const auto window : documents.windows_of(match))
        if (documents.closings().state_of(window) != settlement::CloseState::open) return window;
    return std::nullopt;
}

/// Books a match. Returns why it is held back instead; empty: it is booked. How much may be missing
/// is a person's word: what is written off takes two in a production house.
std::string book_or_hold(
    House& house, const settlement::Match& match, const Options& options, const Invocation& typed)
{
    const auto& terms = *house.registry().terms();
    if (!match.write_off) {
        house.record(require(house.documents().book_match(match, terms)));
        return {};
    }
    const auto& currency = house.documents().bank().rows[match.parts.front().row - 1].currency;
    const auto window = late_window(house, match);
    const LateEntry late{
        .window = window.value_or(ledger::Month{}),
        .act = fmt::format(
            "write {} {} of {} off, row {}, to {}",
            ledger::format_minor(match.write_off->amount, currency),
            currency.code,
            match.write_off->item,
            match.write_off->row,
            match.write_off->account),
        .reason = options.late_reason};
    if (window) {
        const auto admitted = house.documents().closings().admit(late.window, late.reason);
        if (!admitted) return admitted.error().reason;
    }
    const auto entry = require(house.documents().book_match(match, terms));
    const auto permitted =
        window ? admit_late(house, late, typed) : ask_permission(house, late.act, typed);
    if (permitted.waiting) return late.act + " waits for another operator: pointhouse approve list";
    record_admitted(house, entry, late, permitted);
    return {};
}

CommandResult match_rows(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "matches payments");
    const auto terms = house.registry().terms();
    const auto tolerance = read_amount(options.tolerance, terms->currency);
    if (tolerance.count < 0) throw CommandFailure{"a tolerance is not below zero"};
    if (options.account != "write_off" && options.account != "bank_charges")
        throw CommandFailure{
            options.account + " is no account for this: bank_charges or write_off"};
    const auto found = house.documents().find_matches(
        partner_accounts(house),
        {.tolerance = tolerance, .write_off_account = options.account},
        *terms,
        issue_terms(house).today);
    json::array matches;
    json::array held_back;
    std::string waiting;
    for (const auto& match : found.matches) {
        if (const auto why = book_or_hold(house, match, options, typed); !why.empty()) {
            held_back.push_back(json::object{
                {"match", json::parse(settlement::match_json(match))}, {"reason", why}});
            waiting += fmt::format("held back: {}\n", why);
            continue;
        }
        matches.push_back(json::object{
            {"id", house.documents().matches().rbegin()->first.value()},
            {"match", json::parse(settlement::match_json(match))}});
    }
    json::array suggestions;
    for (const auto& suggestion : found.suggestions)
        suggestions.push_back(json::parse(settlement::suggestion_json(suggestion)));
    const auto text = fmt::format(
        "{} matches booked, {} for a person to decide, {} held back, {} rows open\n",
        matches.size(),
        suggestions.size(),
        held_back.size(),
        house.documents().open_rows().size());
    return report(
        typed,
        {{"matches", std::move(matches)},
         {"suggestions", std::move(suggestions)},
         {"held_back", std::move(held_back)}},
        text + waiting);
}

CommandResult undo_match(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "undoes matches");
    const auto entry = require(house.documents().reverse_match(
        ledger::HouseSequence{options.match}, options.reason, *house.registry().terms()));
    const auto permitted = ask_permission(
        house, fmt::format("undo match {}: {}", options.match, options.reason), typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return report(
        typed,
        {{"id", options.match}, {"reversed", true}},
        fmt::format("match {} is undone\n", options.match));
}

/// What a row paid or was written off to, each with the match that `unmatch` undoes.
struct Use {
    ledger::HouseSequence match;
    Minor amount;
    std::string item;    // empty: it paid nothing
    std::string account; // empty: nothing was written off
};

std::multimap<settlement::BankRowNumber, Use> uses_by_row(House& house)
{
    std::multimap<settlement::BankRowNumber, Use> uses;
    for (const auto& [id, match] : house.documents().matches()) {
        for (const auto& part : match.parts)
            uses.emplace(
                part.row,
                Use{.match = id, .amount = part.amount, .item = part.item, .account = {}});
        if (!match.write_off) continue;
        const auto& residual = *match.write_off;
        const auto row = residual.row != 0 ? residual.row : match.parts.front().row;
        uses.emplace(
            row,
            Use{.match = id,
                .amount = residual.amount,
                .item = residual.item,
                .account = residual.account});
    }
    return uses;
}

json::object use_json(const Use& use)
{
    json::object shown{{"match", use.match.value()}, {"amount_minor", use.amount.count}};
    if (!use.item.empty()) shown["pays"] = use.item;
    if (!use.account.empty()) shown["written_off_to"] = use.account;
    return shown;
}

std::string use_in_words(const Use& use, const ledger::Currency& currency)
{
    const auto amount = ledger::format_minor(use.amount, currency);
    if (use.account.empty())
        return fmt::format("       match {}: {} for {}\n", use.match.value(), amount, use.item);
    return fmt::format(
        "       match {}: {} written off to {}{}{}\n",
        use.match.value(),
        amount,
        use.account,
        use.item.empty() ? "" : ", of ",
        use.item);
}

CommandResult list_rows(House& house, const Options& options, const Invocation& typed)
{
    const auto& bank = house.documents().bank();
    const auto open = house.documents().open_rows();
    const auto uses = uses_by_row(house);
    json::array rows;
    std::string text;
    for (std::size_t place = 0; place < bank.rows.size(); ++place) {
        const auto number = static_cast<settlement::BankRowNumber>(place + 1);
        const auto& [account, currency, row] = bank.rows[place];
        const auto found = open.find(number);
        const Minor left = found == open.end() ? Minor{} : found->second;
        if (options.is_open && left.count == 0) continue;
        json::array matches;
        std::string lines;
        const auto [first, last] = uses.equal_range(number);
        for (auto use = first; use != last; ++use) {
            matches.push_back(use_json(use->second));
            lines += use_in_words(use->second, currency);
        }
        rows.push_back(json::object{
            {"row", number},
            {"account", account},
            {"currency", currency.code},
            {"booked_on", ledger::format_day(row.booked_on)},
            {"amount_minor", row.amount.count},
            {"open_minor", left.count},
            {"counterparty", row.counterparty},
            {"end_to_end_id", row.end_to_end_id},
            {"remittance", row.remittance},
            {"matches", std::move(matches)}});
        text += fmt::format(
            "{:>6} {} {} {:>14} {:>14} open  {} {}\n{}",
            number,
            ledger::format_day(row.booked_on),
            currency.code,
            ledger::format_minor(row.amount, currency),
            ledger::format_minor(left, currency),
            row.counterparty,
            row.remittance.empty() ? row.end_to_end_id : row.remittance,
            lines);
    }
    if (text.empty()) text = "no rows\n";
    return report(typed, rows, text);
}

} // namespace

void declare_bank(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "bank", "What the bank's statements say, and what they pay");
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(group, invocation, options);
    declare("import", "Read statements in camt.053; what is known is passed over", import_file)
        .add_option("FILE", options->file)
        ->required();
    auto& matching =
        declare("match", "Book what the open rows pay, as far as it is certain", match_rows);
    matching
        .add_option(
            "--tolerance",
            options->tolerance,
            "Residuals up to this, or its worth, are written off")
        ->capture_default_str();
    matching
        .add_option("--account", options->account, "Where residuals go: write_off, bank_charges")
        ->capture_default_str();
    add_late_option(matching, options->late_reason);
    auto& undoing = declare("unmatch", "Undo a match: its rows are open again", undo_match);
    undoing.add_option("MATCH", options->match, "Its id")->required();
    undoing.add_option("--reason", options->reason, "Why")->required()->check(has_words());
    declare_bank_by_hand(group, invocation);
    declare("rows", "Rows of the bank and what of them is open", list_rows)
        .add_flag("--open", options->is_open, "Only those that are open");
}

} // namespace pointhouse::ops
