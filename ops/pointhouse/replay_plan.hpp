#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ledger/time.hpp"
#include "replay_file.hpp"

namespace pointhouse::ops {

/// What the rows of one basket at one partner say, by kind: one message (rule B1 sums the purchase
/// rows, and the return rows).
struct PlannedBasket {
    ledger::Time occurred_at; // of the first row
    std::string basket;
    std::uint32_t partner = 0; // in ReplayPlan::partners
    RowKind kind = RowKind::purchase;
    std::int64_t amount_minor = 0; // above zero, whatever the kind; zero in a free purchase
    std::string channel;           // empty: none, or several
};

/// One member's baskets in the order (time, basket, partner, kind).
struct MemberPlan {
    std::string member;
    std::vector<PlannedBasket> baskets;
};

/// A purchases file as messages to send.
struct ReplayPlan {
    std::string currency;
    std::vector<std::string> partners; // sorted
    std::vector<MemberPlan> members;   // by name; each has a basket
    std::optional<std::int64_t> redeem_at;
    std::uint64_t rows = 0;
    std::uint64_t baskets = 0;
    std::map<std::string, std::uint64_t> rows_skipped; // by kind
};

/// Builds a plan from rows. Offers are skipped; under rule R(T), returns and redemptions, too.
class PlanBuilder {
public:
    explicit PlanBuilder(std::optional<std::int64_t> redeem_at);
    /// Throws FileFault when the row does not fit the earlier ones: a second currency, or a basket
    /// of another member.
    void add(PurchaseRow&& row);
    /// The plan of all rows so far; the builder is empty then.
    [[nodiscard]] ReplayPlan finish();

private:
    struct Place {
        std::size_t member = 0;
        std::size_t basket = 0;
    };

    ReplayPlan plan_;
    std::unordered_map<std::string, std::uint32_t> partners_; // in the order of first sight
    std::unordered_map<std::string, std::size_t> members_;
    std::unordered_map<std::string, Place> places_; // by basket, partner and kind
};

/// What the replay sends. `planned` stays in the plan.
struct ReplayMessage {
    enum class Kind : std::uint8_t {
        accrual,
        clawback,
        redemption_by_value,
        redemption_of_points, // rule R(T)
        enrolment,
    };
    Kind kind = Kind::accrual;
    const PlannedBasket* planned = nullptr;
    std::string_view member;
    std::int64_t points = 0; // redemption_of_points alone

    /// The same at every run: from basket, partner and kind; of an enrolment, from the member.
    [[nodiscard]] std::string message_id(const ReplayPlan& plan) const;
};

/// One member's way through the plan: which message comes next, given the answers so far. Decides
/// rule R(T). Pure; the plan must outlive it.
class MemberCourse {
public:
    MemberCourse(const ReplayPlan& plan, const MemberPlan& member);

    /// The message to send now; none when the member has nothing left before `end`.
    [[nodiscard]] std::optional<ReplayMessage> next(ledger::Time end) const;
    /// The message was answered; `available` is the balance in the answer, when it has one.
    void answered(const ReplayMessage& message, std::optional<std::int64_t> available);
    /// How many of the member's baskets are behind it.
    [[nodiscard]] std::size_t baskets_done() const { return position_; }

private:
    const ReplayPlan* plan_;
    const MemberPlan* member_;
    std::size_t position_ = 0;
    bool must_enrol_ = false;      // the first message is not an accrual, which would enrol
    bool redeemed_before_ = false; // rule R(T) is done with the basket at `position_`
    std::int64_t available_ = 0;   // as of the last answer
};

/// The months (UTC) in which something happens: their ends, ascending.
[[nodiscard]] std::vector<ledger::Time> month_ends(const ReplayPlan& plan);

} // namespace pointhouse::ops
