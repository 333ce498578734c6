#include "settlement/bank_matching.hpp"

#include <algorithm>
#include <set>

#include "exact_sums.hpp"
#include "matching_state.hpp"

namespace pointhouse::settlement {

using ledger::Minor;
using ledger::PartnerId;
using ledger::Wide;

namespace {

using Row = MatchingState::Row;
using Item = MatchingState::Item;
using Places = std::vector<std::size_t>;

std::int64_t size_of(std::int64_t amount)
{
    return amount < 0 ? -amount : amount;
}

Places named_items(const MatchingState& state, const Row& row)
{
    Places named;
    for (std::size_t place = 0; place < state.items.size(); ++place) {
        const Item& item = state.items[place];
        if (item.open != 0 && std::ranges::any_of(item.references, [&row](const auto& reference) {
                return names(row.texts, reference);
            }))
            named.push_back(place);
    }
    return named;
}

/// Items of both sides that a row nets: an invoice less a credit note. Only to the cent.
bool settle_netted(MatchingState& state, std::size_t row, const Places& named)
{
    Wide sum = 0;
    bool is_mixed = false;
    for (const std::size_t place : named) {
        sum += state.items[place].open;
        is_mixed |= (state.items[place].open > 0) != (state.rows[row].open > 0);
    }
    if (!is_mixed || sum != state.rows[row].open) return false;

    Match match{.kind = MatchKind::by_reference};
    for (const std::size_t place : named) {
        Item& item = state.items[place];
        match.parts.push_back(
            {.row = state.rows[row].row->number,
             .item = item.item->id,
             .amount = Minor{item.open}});
        item.open = 0;
    }
    std::ranges::sort(match.parts, {}, &MatchPart::item);
    state.rows[row].open = 0;
    state.add(std::move(match));
    return true;
}

/// Whose money items are: one of them is never paid with another's.
using Creditors = std::set<std::pair<PartnerId, std::string>>;

Creditors creditors_of(const MatchingState& state, const Places& items)
{
    Creditors creditors;
    for (const std::size_t place : items)
        creditors.emplace(state.items[place].item->partner, state.items[place].item->program);
    return creditors;
}

/// Whether a row pays items of one side whole. Of none: no.
bool is_exact_sum(const MatchingState& state, const Row& row, const Places& items)
{
    Wide left = row.open;
    for (const std::size_t place : items) {
        if (!MatchingState::may_pay(row, state.items[place])) return false;
        left -= state.items[place].open;
    }
    return left == 0;
}

void match_references(MatchingState& state, std::int64_t tolerance)
{
    for (std::size_t place = 0; place < state.rows.size(); ++place) {
        const Row& row = state.rows[place];
        if (!MatchingState::is_free(row)) continue;
        const Places named = named_items(state, row);
        if (named.empty()) continue;
        // A text may name the window, and with it an item of each partner: the account decides.
        Places of_payer = named;
        std::erase_if(of_payer, [&state, &row](std::size_t item) {
            return !MatchingState::is_of_payer(row, state.items[item]);
        });
        const Creditors creditors = creditors_of(state, of_payer);
        const bool is_one = creditors.size() == 1;
        if (!is_one && (row.partners.empty() || !is_exact_sum(state, row, of_payer))) {
            Places other = named;
            state.doubt(place, Doubt::several_partners, {std::move(other)});
            continue;
        }
        if (is_one && settle_netted(state, place, of_payer)) continue;
        std::erase_if(of_payer, [&state, &row](std::size_t item) {
            return !MatchingState::may_pay(row, state.items[item]);
        });
        if (!of_payer.empty())
            state.settle(MatchKind::by_reference, {.rows = {place}, .items = of_payer}, tolerance);
    }
}

/// Pairs of a row and an item that differ by so much at least and at most.
std::vector<Claim> pairs(const MatchingState& state, std::int64_t least, std::int64_t most)
{
    std::multimap<std::int64_t, std::size_t> items_by_amount;
    for (std::size_t place = 0; place < state.items.size(); ++place)
        items_by_amount.emplace(state.items[place].open, place);

    std::vector<Claim> claims;
    for (std::size_t row = 0; row < state.rows.size(); ++row) {
        if (!MatchingState::is_free(state.rows[row])) continue;
        const std::int64_t open = state.rows[row].open;
        const auto end = items_by_amount.upper_bound(open + most);
        for (auto near = items_by_amount.lower_bound(open - most); near != end; ++near) {
            if (size_of(near->first - open) >= least &&
                MatchingState::may_pay(state.rows[row], state.items[near->second]))
                claims.push_back({.rows = {row}, .items = {near->second}});
        }
    }
    return claims;
}

/// Groups of places, of which some may sum to a target.
using Groups = std::map<std::pair<PartnerId, std::string>, Places>;

struct Sums {
    std::vector<Places> choices{};
    bool is_complete = true;
};

template <class Amounts>
Sums sums_of(const Groups& groups, std::int64_t target, const Amounts& amount_at)
{
    Sums sums;
    std::int32_t steps_left = search_steps_max;
    for (const auto& [key, places] : groups) {
        std::vector<std::int64_t> amounts;
        for (const std::size_t place : places) amounts.push_back(size_of(amount_at(place)));
        const ExactSums found = exact_sums(amounts, size_of(target), steps_left);
        sums.is_complete &= found.is_complete;
        for (Places choice : found.choices) {
            for (std::size_t& place : choice) place = places[place];
            sums.choices.push_back(std::move(choice));
        }
    }
    return sums;
}

void match_one_to_many(MatchingState& state)
{
    std::vector<Claim> claims;
    for (std::size_t place = 0; place < state.rows.size(); ++place) {
        const Row& row = state.rows[place];
        if (!MatchingState::is_free(row)) continue;
        Groups groups;
        for (std::size_t item = 0; item < state.items.size(); ++item)
            if (MatchingState::may_pay(row, state.items[item]) &&
                size_of(state.items[item].open) < size_of(row.open))
                groups[{state.items[item].item->partner, ""}].push_back(item);
        const Sums sums = sums_of(
            groups, row.open, [&state](std::size_t item) { return state.items[item].open; });
        if (!sums.is_complete) {
            state.doubt(place, Doubt::too_many, sums.choices);
            for (const auto& [partner, items] : groups)
                for (const std::size_t item : items) state.items[item].is_doubtful = true;
            continue;
        }
        for (const Places& choice : sums.choices)
            claims.push_back({.rows = {place}, .items = choice});
    }
    state.settle_undisputed(MatchKind::one_to_many, claims);
}

void match_many_to_one(MatchingState& state)
{
    std::vector<Claim> claims;
    for (std::size_t place = 0; place < state.items.size(); ++place) {
        const Item& item = state.items[place];
        Groups groups;
        for (std::size_t row = 0; row < state.rows.size(); ++row) {
            const Row& candidate = state.rows[row];
            const std::string& account = candidate.row->row.counterparty_account;
            if (!MatchingState::is_free(candidate) || !MatchingState::may_pay(candidate, item) ||
                size_of(candidate.open) >= size_of(item.open) ||
                (candidate.partners.empty() && account.empty()))
                continue;
            const bool is_known = candidate.partners.size() == 1;
            groups[{is_known ? *candidate.partners.begin() : PartnerId{}, is_known ? "" : account}]
                .push_back(row);
        }
        const Sums sums =
            sums_of(groups, item.open, [&state](std::size_t row) { return state.rows[row].open; });
        if (!sums.is_complete) {
            for (const auto& [payer, rows] : groups)
                for (const std::size_t row : rows)
                    if (!state.rows[row].is_doubtful) state.doubt(row, Doubt::too_many, {{place}});
            continue;
        }
        for (const Places& choice : sums.choices)
            claims.push_back({.rows = choice, .items = {place}});
    }
    state.settle_undisputed(MatchKind::many_to_one, claims);
}

/// Rows of a known partner with one open item: whatever the amount, there is nothing else to pay.
void match_only_items(MatchingState& state)
{
    for (const bool is_credit : {true, false}) {
        std::map<PartnerId, Places> open_items;
        for (std::size_t place = 0; place < state.items.size(); ++place)
            if (state.items[place].open != 0 && (state.items[place].open > 0) == is_credit)
                open_items[state.items[place].item->partner].push_back(place);

        for (std::size_t place = 0; place < state.rows.size(); ++place) {
            const Row& row = state.rows[place];
            if (!MatchingState::is_free(row) || (row.open > 0) != is_credit) continue;
            Places items;
            for (const PartnerId partner : row.partners)
                items.insert(items.end(), open_items[partner].begin(), open_items[partner].end());
            if (items.empty()) continue;
            if (items.size() > 1) {
                std::vector<Places> choices;
                for (const std::size_t item : items) choices.push_back({item});
                state.doubt(place, Doubt::other_amount, choices);
            } else if (state.items[items.front()].is_doubtful) {
                state.doubt(place, Doubt::several_rows, {items});
            } else if (state.items[items.front()].open != 0) {
                state.settle(MatchKind::only_item, {.rows = {place}, .items = items});
            }
        }
    }
}

/// A payment that a return may name.
struct Paid {
    std::string item{};
    std::int64_t amount = 0;
    std::vector<std::string> ids{}; // comparable
};

/// Adds a part, or takes away the one of the same item that it undoes.
void add_paid(std::vector<Paid>& paid, Paid part)
{
    const auto undone = std::ranges::find_if(paid, [&part](const Paid& other) {
        return other.item == part.item && other.amount == -part.amount;
    });
    if (undone == paid.end())
        paid.push_back(std::move(part));
    else
        paid.erase(undone);
}

std::vector<Paid> paid_parts(const MatchingState& state, std::span<const PaidPart> known)
{
    std::vector<Paid> paid;
    for (const PaidPart& part : known)
        add_paid(
            paid,
            {.item = part.item,
             .amount = part.amount.count,
             .ids = {comparable(part.end_to_end_id), comparable(part.item)}});

    std::map<BankRowNumber, const Row*> rows;
    for (const Row& row : state.rows) rows.emplace(row.row->number, &row);
    std::map<std::string, const Item*> items;
    for (const Item& item : state.items) items.emplace(item.item->id, &item);
    for (const Match& match : state.matches()) {
        for (const MatchPart& part : match.parts) {
            // A file booked as one row has no id of its parts, but the items have.
            Paid made{
                .item = part.item,
                .amount = part.amount.count,
                .ids = items.at(part.item)->references};
            made.ids.push_back(rows.at(part.row)->texts.end_to_end_id);
            made.ids.push_back(comparable(part.item));
            add_paid(paid, std::move(made));
        }
    }
    return paid;
}

void match_returns(MatchingState& state, std::span<const PaidPart> known)
{
    std::vector<Paid> paid = paid_parts(state, known);
    for (std::size_t place = 0; place < state.rows.size(); ++place) {
        Row& row = state.rows[place];
        if (!row.is_return || row.open == 0) continue;
        const auto is_sent_back = [&row](const Paid& part) {
            return part.amount == -row.open && !row.texts.end_to_end_id.empty() &&
                   std::ranges::find(part.ids, row.texts.end_to_end_id) != part.ids.end();
        };
        const auto found = std::ranges::find_if(paid, is_sent_back);
        if (found == paid.end() || std::ranges::count_if(paid, is_sent_back) > 1) {
            state.doubt(place, Doubt::unknown_return, {});
            continue;
        }
        state.add(
            {.kind = MatchKind::returned,
             .parts = {{.row = row.row->number, .item = found->item, .amount = Minor{row.open}}}});
        row.open = 0;
        paid.erase(found);
    }
}

} // namespace

Matching match(const MatchingInput& input)
{
    const std::int64_t tolerance = input.rules.tolerance.count;
    MatchingState state{input};
    match_references(state, tolerance);
    state.settle_undisputed(MatchKind::exact, pairs(state, 0, 0));
    match_one_to_many(state);
    match_many_to_one(state);
    if (tolerance > 0)
        state.settle_undisputed(MatchKind::tolerated, pairs(state, 1, tolerance), tolerance);
    match_only_items(state);
    match_returns(state, input.paid);
    return std::move(state).result();
}

std::string_view name_of(MatchKind kind) noexcept
{
    switch (kind) {
    case MatchKind::by_reference: return "by_reference";
    case MatchKind::exact: return "exact";
    case MatchKind::one_to_many: return "one_to_many";
    case MatchKind::many_to_one: return "many_to_one";
    case MatchKind::tolerated: return "tolerated";
    case MatchKind::only_item: return "only_item";
    case MatchKind::returned: return "returned";
    case MatchKind::by_hand: return "by_hand";
    }
    return "";
}

std::string_view name_of(Doubt doubt) noexcept
{
    switch (doubt) {
    case Doubt::several_items: return "several_items";
    case Doubt::several_rows: return "several_rows";
    case Doubt::several_partners: return "several_partners";
    case Doubt::too_many: return "too_many";
    case Doubt::other_amount: return "other_amount";
    case Doubt::unknown_return: return "unknown_return";
    }
    return "";
}

namespace {

template <class Key>
void add(std::map<Key, Minor>& amounts, const Key& key, std::int64_t amount)
{
    const auto place = amounts.try_emplace(key).first;
    place->second.count += amount;
    if (place->second.count == 0) amounts.erase(place);
}

void move(OpenAmounts& open, const Match& match, std::int64_t direction)
{
    for (const MatchPart& part : match.parts) {
        add(open.items, part.item, direction * part.amount.count);
        add(open.rows, part.row, direction * part.amount.count);
    }
    if (!match.write_off) return;
    const std::int64_t amount = direction * match.write_off->amount.count;
    if (match.write_off->item.empty())
        add(open.rows, match.write_off->row, amount);
    else
        add(open.items, match.write_off->item, amount);
}

} // namespace

void settle(OpenAmounts& open, const Match& match)
{
    move(open, match, -1);
}

void reopen(OpenAmounts& open, const Match& match)
{
    move(open, match, 1);
}

} // namespace pointhouse::settlement
