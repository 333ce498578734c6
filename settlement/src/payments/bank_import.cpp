#include "settlement/bank_import.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "ledger/invariant.hpp"

namespace pointhouse::settlement {

using ledger::Day;
using ledger::Minor;
using ledger::Wide;

namespace {

/// All that makes a row the same row in another statement.
using RowKey = std::tuple<
    Day,
    Day,
    std::int64_t,
    bool,
    std::string_view,
    std::string_view,
    std::string_view,
    std::string_view,
    std::string_view,
    std::string_view,
    std::string_view,
    std::string_view,
    std::string_view>;

RowKey key_of(const BankRow& row)
{
    return {
        row.booked_on,
        row.value_on,
        row.amount.count,
        row.is_reversal,
        row.servicer_reference,
        row.end_to_end_id,
        row.payment_block,
        row.creditor_reference,
        row.remittance,
        row.counterparty,
        row.counterparty_account,
        row.return_reason,
        row.code};
}

std::optional<std::int64_t> number_of(const BankStatement& statement)
{
    return statement.electronic_sequence ? statement.electronic_sequence : statement.legal_sequence;
}

bool is_same_statement(const BankStatement& left, const BankStatement& right)
{
    const auto identity = [](const BankStatement& statement) {
        return std::tie(
            statement.account,
            statement.id,
            statement.electronic_sequence,
            statement.legal_sequence,
            statement.page,
            statement.from,
            statement.to);
    };
    return identity(left) == identity(right);
}

bool has_period(const BankStatement& statement)
{
    return !statement.from.empty() && !statement.to.empty();
}

/// Whether one goes on where the other ended, or later.
bool follows(const BankStatement& later, const BankStatement& earlier)
{
    const bool has_periods = has_period(later) && has_period(earlier);
    // Strictly: a period may name its last day by that day's first instant.
    if (has_periods && later.from > earlier.to) return true;
    if (later.opening.amount != earlier.closing.amount) return false;
    const bool is_same_period = later.from == earlier.from && later.to == earlier.to;
    if (has_periods && !is_same_period) return later.from == earlier.to;
    const auto number = number_of(later);
    const auto number_before = number_of(earlier);
    if (number && number_before)
        return std::tie(*number, later.page) > std::tie(*number_before, earlier.page);
    return !has_periods && later.opening.day > earlier.closing.day;
}

using Statements = std::vector<const ImportedStatement*>;

/// Known statements of the account that say something about the same days.
Statements neighbours_of(const BankBook& book, const ImportedStatement& statement)
{
    Statements neighbours;
    for (const ImportedStatement& known : book.statements)
        if (known.statement.account == statement.statement.account &&
            known.last_day >= statement.first_day && known.first_day <= statement.last_day)
            neighbours.push_back(&known);
    return neighbours;
}

/// Moves from `neighbours` those that follow each other from the statement on, to one side.
void take_chain(
    const BankStatement& from, bool is_forward, Statements& neighbours, Statements& chain)
{
    std::vector<const BankStatement*> ends{&from};
    while (!ends.empty()) {
        const BankStatement& end = *ends.back();
        ends.pop_back();
        const auto is_next = [&end, is_forward](const ImportedStatement* known) {
            return is_forward ? follows(known->statement, end) : follows(end, known->statement);
        };
        const auto others = std::ranges::partition(neighbours, std::not_fn(is_next));
        for (const ImportedStatement* known : others) {
            chain.push_back(known);
            ends.push_back(&known->statement);
        }
        neighbours.erase(others.begin(), others.end());
    }
}

using RowsByKey = std::map<RowKey, std::set<BankRowNumber>>;

RowsByKey rows_by_key(const BankBook& book, const Statements& statements)
{
    RowsByKey rows;
    for (const ImportedStatement* known : statements)
        for (const BankRowNumber number : known->rows)
            rows[key_of(book.rows[number - 1].row)].insert(number);
    return rows;
}

/// Rows of statements in the chain that the new one repeats nevertheless: the bank's reference or
/// the period says so, and they sum to zero, so that the balances cannot tell.
RowsByKey repeated_in_chain(
    const BankBook& book, const BankStatement& statement, const Statements& chain)
{
    RowsByKey candidates;
    for (const ImportedStatement* known : chain) {
        const bool has_same_period = has_period(statement) &&
                                     known->statement.from == statement.from &&
                                     known->statement.to == statement.to;
        for (const BankRowNumber number : known->rows) {
            const BankRow& row = book.rows[number - 1].row;
            if (has_same_period || !row.servicer_reference.empty())
                candidates[key_of(row)].insert(number);
        }
    }

    RowsByKey repeated;
    Wide sum = 0;
    for (const BankRow& row : statement.rows) {
        const auto known = candidates.find(key_of(row));
        if (known == candidates.end() || known->second.empty()) continue;
        repeated[known->first].insert(known->second.extract(known->second.begin()).value());
        sum += row.amount.count;
    }
    return sum == 0 ? repeated : RowsByKey{};
}

/// Known rows that the statement may show again.
RowsByKey known_rows(
    const BankBook& book, const ImportedStatement& imported, const BankStatement& statement)
{
    Statements overlapping = neighbours_of(book, imported);
    Statements chain;
    take_chain(statement, false, overlapping, chain);
    take_chain(statement, true, overlapping, chain);

    RowsByKey known = rows_by_key(book, overlapping);
    for (const auto& [key, numbers] : rows_by_key(book, chain))
        if (const auto found = known.find(key); found != known.end())
            for (const BankRowNumber number : numbers) found->second.erase(number);
    for (const auto& [key, numbers] : repeated_in_chain(book, statement, chain))
        known[key].insert(numbers.begin(), numbers.end());
    return known;
}

bool has_same_content(
    const BankBook& book, const ImportedStatement& known, const BankStatement& statement)
{
    const auto is_same_row = [&book](BankRowNumber number, const BankRow& row) {
        return key_of(book.rows[number - 1].row) == key_of(row);
    };
    return known.statement.opening == statement.opening &&
           known.statement.closing == statement.closing &&
           std::ranges::equal(known.rows, statement.rows, is_same_row);
}

void set_days(ImportedStatement& imported, const BankStatement& statement)
{
    imported.first_day = std::min(statement.opening.day, statement.closing.day);
    imported.last_day = std::max(statement.opening.day, statement.closing.day);
    for (const BankRow& row : statement.rows) {
        imported.first_day = std::min(imported.first_day, row.booked_on);
        imported.last_day = std::max(imported.last_day, row.booked_on);
    }
}

} // namespace

std::expected<BankImport, ImportFault> import_statement(
    const BankBook& book, const BankStatement& statement)
{
    BankImport imported;
    for (const ImportedStatement& known : book.statements) {
        if (known.statement.account == statement.account &&
            known.statement.currency != statement.currency)
            return std::unexpected(ImportFault{fmt::format(
                "account {} was in {} before, not in {}",
                statement.account,
                known.statement.currency.code,
                statement.currency.code)});
        if (!is_same_statement(known.statement, statement)) continue;
        if (!has_same_content(book, known, statement))
            return std::unexpected(ImportFault{fmt::format(
                "statement {} of account {} is known with other balances or rows",
                statement.id,
                statement.account)});
        imported.is_repeated = true;
        imported.statement = known;
        return imported;
    }

    imported.statement.statement = statement;
    imported.statement.statement.rows.clear();
    set_days(imported.statement, statement);
    RowsByKey known = known_rows(book, imported.statement, statement);
    for (const BankRow& row : statement.rows) {
        const auto found = known.find(key_of(row));
        if (found != known.end() && !found->second.empty()) {
            imported.statement.rows.push_back(found->second.extract(found->second.begin()).value());
            continue;
        }
        imported.added.push_back(
            {.account = statement.account, .currency = statement.currency, .row = row});
        imported.statement.rows.push_back(
            static_cast<BankRowNumber>(book.rows.size() + imported.added.size()));
    }
    return imported;
}

void take(BankBook& book, BankImport imported)
{
    if (imported.is_repeated) return;
    for (BankBook::Row& row : imported.added) book.rows.push_back(std::move(row));
    for (const BankRowNumber number : imported.statement.rows)
        ledger::invariant(number <= book.rows.size(), "an import belongs to its book");
    book.statements.push_back(std::move(imported.statement));
}

namespace {

std::chrono::year year_of(Day day)
{
    return std::chrono::year_month_day{std::chrono::sys_days{std::chrono::days{day}}}.year();
}

Statements by_day(const BankBook& book, std::string_view account)
{
    Statements statements;
    for (const ImportedStatement& known : book.statements)
        if (known.statement.account == account) statements.push_back(&known);
    const auto place = [](const ImportedStatement* known) {
        const BankStatement& statement = known->statement;
        return std::tuple{
            statement.closing.day,
            number_of(statement).value_or(0),
            statement.page,
            std::string_view{statement.to}};
    };
    // Equal ones stay in the order of import.
    std::ranges::sort(statements, [&place](const auto* left, const auto* right) {
        const auto a = place(left);
        const auto b = place(right);
        return a != b ? a < b : left < right;
    });
    return statements;
}

bool share_rows(const ImportedStatement& left, const ImportedStatement& right)
{
    const std::set<BankRowNumber> rows{left.rows.begin(), left.rows.end()};
    return std::ranges::any_of(
        right.rows, [&rows](BankRowNumber number) { return rows.contains(number); });
}

/// Between two statements in the order of days; none: nothing is missing.
std::optional<StatementGap> gap_between(
    const ImportedStatement& earlier, const ImportedStatement& later)
{
    const BankStatement& before = earlier.statement;
    const BankStatement& after = later.statement;
    StatementGap gap{
        .account = after.account, .after = before.closing.day, .before = after.opening.day};
    const auto last = number_of(before);
    const auto next = number_of(after);
    if (last && next) {
        const bool begins_anew =
            *next <= *last && year_of(after.closing.day) > year_of(before.closing.day);
        const std::int64_t expected = begins_anew ? 1 : *last + 1;
        if (*next > expected) {
            gap.first_missing = expected;
            gap.last_missing = *next - 1;
            return gap;
        }
    }
    if (share_rows(earlier, later) || before.closing.amount == after.opening.amount)
        return std::nullopt;
    const Wide difference = Wide{after.opening.amount.count} - before.closing.amount.count;
    gap.balance_difference =
        Minor{static_cast<std::int64_t>(std::clamp<Wide>(difference, -INT64_MAX, INT64_MAX))};
    return gap;
}

/// Whether it tells nothing that the later of the days' statements does not: it was cut anew.
bool is_within(const ImportedStatement& inner, const ImportedStatement& outer)
{
    const std::set<BankRowNumber> rows{outer.rows.begin(), outer.rows.end()};
    return !inner.rows.empty() && std::ranges::all_of(inner.rows, [&rows](BankRowNumber number) {
        return rows.contains(number);
    });
}

} // namespace

std::vector<StatementGap> find_gaps(const BankBook& book, std::string_view account)
{
    std::vector<StatementGap> gaps;
    const ImportedStatement* earlier = nullptr;
    for (const ImportedStatement* later : by_day(book, account)) {
        if (earlier != nullptr) {
            if (is_within(*later, *earlier)) continue;
            if (auto gap = gap_between(*earlier, *later)) gaps.push_back(std::move(*gap));
        }
        earlier = later;
    }
    return gaps;
}

Minor unexplained_balance(const BankBook& book, std::string_view account)
{
    const Statements statements = by_day(book, account);
    if (statements.empty()) return {};
    // The first statement is the one that opened first: a long one may close after short ones.
    const auto first = std::ranges::min_element(statements, {}, [](const auto* known) {
        return std::tuple{
            known->statement.opening.day,
            number_of(known->statement).value_or(0),
            known->statement.page};
    });
    Wide difference = Wide{statements.back()->statement.closing.amount.count} -
                      (*first)->statement.opening.amount.count;
    for (const BankBook::Row& known : book.rows)
        if (known.account == account) difference -= known.row.amount.count;
    return Minor{static_cast<std::int64_t>(std::clamp<Wide>(difference, -INT64_MAX, INT64_MAX))};
}

} // namespace pointhouse::settlement
