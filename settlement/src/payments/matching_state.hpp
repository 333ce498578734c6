#pragma once

#include <set>
#include <string>
#include <vector>

#include "payment_reference.hpp"
#include "settlement/bank_matching.hpp"

namespace pointhouse::settlement {

/// Rows that may pay items: one solution of a stage. Places in the vectors of `MatchingState`.
struct Claim {
    std::vector<std::size_t> rows{};
    std::vector<std::size_t> items{};
};

/// What is still open while stages run, and what they found. Items stand by due day, then id; rows
/// by day, then number: the order of the input is gone. One thread.
class MatchingState {
public:
    struct Item {
        const OpenItem* item = nullptr;
        std::vector<std::string> references{}; // comparable
        std::int64_t open = 0;
        bool is_doubtful = false; // some solution wants it and was not taken
    };
    struct Row {
        const OpenRow* row = nullptr;
        RowTexts texts{};
        std::set<ledger::PartnerId> partners{}; // whose account it is; none: not known
        std::int64_t open = 0;
        bool is_return = false;
        bool is_doubtful = false;
    };

    explicit MatchingState(const MatchingInput& input);

    std::vector<Item> items{};
    std::vector<Row> rows{};

    /// Whether stages may look at it.
    [[nodiscard]] static bool is_free(const Row& row)
    {
        return row.open != 0 && !row.is_return && !row.is_doubtful;
    }
    /// Whether the account that a row came from is not another partner's.
    [[nodiscard]] static bool is_of_payer(const Row& row, const Item& item)
    {
        return row.partners.empty() || row.partners.contains(item.item->partner);
    }
    /// Whether the row could pay something of the item: on the same side, and not another
    /// partner's.
    [[nodiscard]] static bool may_pay(const Row& row, const Item& item)
    {
        return item.open != 0 && (row.open > 0) == (item.open > 0) && is_of_payer(row, item);
    }

    /// Pays the items from the rows, each in its order, as far as both go. Rests stay open, but for
    /// one that `tolerance` lets be written off.
    void settle(MatchKind kind, const Claim& claim, std::int64_t tolerance = 0);
    /// Settles the claims that share no row and no item with another, and doubts the rest.
    void settle_undisputed(
        MatchKind kind, const std::vector<Claim>& claims, std::int64_t tolerance = 0);
    /// Sets a row aside for a person.
    void doubt(std::size_t row, Doubt doubt, const std::vector<std::vector<std::size_t>>& choices);
    /// A match that is known already.
    void add(Match match) { result_.matches.push_back(std::move(match)); }

    /// Sorted: the state is done with.
    [[nodiscard]] Matching result() &&;
    [[nodiscard]] const std::vector<Match>& matches() const { return result_.matches; }

private:
    void write_off(Match& match, const Claim& claim, std::int64_t tolerance);

    std::string write_off_account_;
    Matching result_;
};

} // namespace pointhouse::settlement
