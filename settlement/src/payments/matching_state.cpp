#include "matching_state.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace pointhouse::settlement {

using ledger::Minor;

namespace {

std::int64_t size_of(std::int64_t amount)
{
    return amount < 0 ? -amount : amount;
}

} // namespace

MatchingState::MatchingState(const MatchingInput& input)
    : write_off_account_{input.rules.write_off_account}
{
    for (const OpenItem& item : input.items) {
        Item state{.item = &item, .open = item.open.count};
        for (const std::string& reference : item.references)
            state.references.push_back(comparable(reference));
        items.push_back(std::move(state));
    }
    for (const OpenRow& row : input.rows) {
        Row state{.row = &row, .texts = texts_of(row.row), .open = row.open.count};
        state.is_return = !row.row.return_reason.empty() || row.row.is_reversal;
        auto [owner, end] = input.accounts.equal_range(row.row.counterparty_account);
        for (; owner != end; ++owner) state.partners.insert(owner->second);
        rows.push_back(std::move(state));
    }
    std::ranges::sort(
        items, {}, [](const Item& state) { return std::tie(state.item->due_on, state.item->id); });
    std::ranges::sort(rows, {}, [](const Row& state) {
        return std::tie(state.row->row.booked_on, state.row->number);
    });
}

void MatchingState::settle(MatchKind kind, const Claim& claim, std::int64_t tolerance)
{
    Match match{.kind = kind};
    for (const std::size_t row_place : claim.rows) {
        Row& row = rows[row_place];
        for (const std::size_t item_place : claim.items) {
            Item& item = items[item_place];
            if (row.open == 0) break;
            if (item.open == 0 || (row.open > 0) != (item.open > 0)) continue;
            const std::int64_t amount =
                row.open > 0 ? std::min(row.open, item.open) : std::max(row.open, item.open);
            match.parts.push_back(
                {.row = row.row->number, .item = item.item->id, .amount = Minor{amount}});
            row.open -= amount;
            item.open -= amount;
        }
    }
    write_off(match, claim, tolerance);
    std::ranges::sort(
        match.parts, {}, [](const MatchPart& part) { return std::tie(part.row, part.item); });
    add(std::move(match));
}

void MatchingState::write_off(Match& match, const Claim& claim, std::int64_t tolerance)
{
    // What is left is of one row or one item: two would be more than a residual.
    std::vector<Item*> unpaid;
    for (const std::size_t place : claim.items)
        if (items[place].open != 0) unpaid.push_back(&items[place]);
    std::vector<Row*> unspent;
    for (const std::size_t place : claim.rows)
        if (rows[place].open != 0) unspent.push_back(&rows[place]);
    if (unpaid.size() + unspent.size() != 1) return;

    WriteOff residual{.account = write_off_account_};
    std::int64_t& open = unpaid.empty() ? unspent.front()->open : unpaid.front()->open;
    if (size_of(open) > tolerance) return;
    if (unpaid.empty())
        residual.row = unspent.front()->row->number;
    else
        residual.item = unpaid.front()->item->id;
    residual.amount = Minor{open};
    open = 0;
    match.write_off = std::move(residual);
}

void MatchingState::settle_undisputed(
    MatchKind kind, const std::vector<Claim>& claims, std::int64_t tolerance)
{
    std::vector<int> wanting_row(rows.size());
    std::vector<int> wanting_item(items.size());
    for (const Claim& claim : claims) {
        for (const std::size_t row : claim.rows) ++wanting_row[row];
        for (const std::size_t item : claim.items) ++wanting_item[item];
    }
    const auto is_undisputed = [&](const Claim& claim) {
        return std::ranges::all_of(
                   claim.rows, [&](std::size_t row) { return wanting_row[row] == 1; }) &&
               std::ranges::all_of(claim.items, [&](std::size_t item) {
                   return wanting_item[item] == 1 && !items[item].is_doubtful;
               });
    };

    std::map<std::size_t, std::vector<std::vector<std::size_t>>> doubtful; // choices by row
    for (const Claim& claim : claims) {
        if (is_undisputed(claim))
            settle(kind, claim, tolerance);
        else
            for (const std::size_t row : claim.rows) doubtful[row].push_back(claim.items);
    }
    for (const auto& [row, choices] : doubtful)
        doubt(row, choices.size() > 1 ? Doubt::several_items : Doubt::several_rows, choices);
}

void MatchingState::doubt(
    std::size_t row, Doubt doubt, const std::vector<std::vector<std::size_t>>& choices)
{
    constexpr std::size_t named_max = 3;
    Suggestion suggestion{.row = rows[row].row->number, .doubt = doubt};
    for (const std::vector<std::size_t>& choice : choices) {
        std::vector<std::string> ids;
        for (const std::size_t item : choice) {
            items[item].is_doubtful = true;
            ids.push_back(items[item].item->id);
        }
        if (suggestion.choices.size() < named_max) suggestion.choices.push_back(std::move(ids));
    }
    rows[row].is_doubtful = true;
    result_.suggestions.push_back(std::move(suggestion));
}

Matching MatchingState::result() &&
{
    const auto first_row = [](const Match& match) {
        return std::tie(match.parts.front().row, match.parts.front().item);
    };
    std::ranges::sort(result_.matches, {}, first_row);
    std::ranges::sort(result_.suggestions, {}, &Suggestion::row);
    return std::move(result_);
}

} // namespace pointhouse::settlement
