#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/message.hpp"
#include "ledger/money.hpp"
#include "ledger/points.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// A share of a whole as two integers, 0 <= numerator <= denominator, denominator >= 1.
struct Share {
    std::int32_t numerator = 1;
    std::int32_t denominator = 1;
    friend bool operator==(Share, Share) = default;
};

/// When points of a tariff end. None: never.
struct ExpiryPolicy {
    std::int32_t months = 0;   // after the activity month or day
    bool at_month_end = false; // the last day of that month, else the same day of the month
    friend bool operator==(const ExpiryPolicy&, const ExpiryPolicy&) = default;
};

/// One dated tariff of one partner as the ledger prices with it. Immutable once published; prices
/// in micro-units of the book currency per point. A lot freezes its issuer's version, a capture its
/// redeemer's.
/// Invariant: issue_price × prefund_share is a whole number of micro-units.
struct Tariff {
    TariffVersion version{};
    PartnerId partner{};
    Time valid_from{};
    Micro issue_price{};
    Micro service_fee{};
    Micro reimbursement{};
    Share prefund_share{};
    std::optional<ExpiryPolicy> expiry{};
    std::int32_t pending_days = 0;
    std::int32_t breakage_operator = 1; // integer shares of breakage
    std::int32_t breakage_issuer = 0;
    /// What a member gets at least for a point issued under this tariff; the house's face value is
    /// never below it.
    Micro minimum_burn_value{};
    /// How many points were bought ahead at these prices: a prepaid block. Zero: a dated tariff. A
    /// lot drawn from a block names the block as its tariff, and so has the block's price.
    Points block{};

    [[nodiscard]] bool is_block() const { return !block.is_zero(); }
    /// issue_price × prefund_share: what stands in the points liability for one open point.
    [[nodiscard]] Micro prefunded_price() const;
};

/// Who bears member debt until it is recovered, as integer shares (DESIGN section 3). Not all zero.
struct DebtShares {
    std::int32_t issuer = 1;
    std::int32_t redeemer = 0; // those who took the points
    std::int32_t house = 0;
    friend bool operator==(const DebtShares&, const DebtShares&) = default;
};

/// Points of a debt by who bears them.
struct DebtParts {
    Points issuer{};
    Points redeemer{};
    Points house{};
    friend bool operator==(const DebtParts&, const DebtParts&) = default;
};

/// Splits by shares, and loses no point: points left over go to the largest remainders, equal ones
/// in the order issuer, redeemer, house.
[[nodiscard]] DebtParts split(Points points, const DebtShares& shares);

struct Roles {
    bool issuer = false;
    bool redeemer = false;
    bool charity = false;
};

/// How an issuer pays for its points: after the window, up to a limit, or by blocks bought ahead.
enum class Billing : std::uint8_t { postpaid = 0, prepaid = 1 };

/// What happens to an accrual that the oldest block cannot hold: it is refused, or the rest of it
/// is drawn from the next block.
enum class OnShort : std::uint8_t { refuse = 0, next_block = 1 };

/// VAT on what an issuer owes, from a time on. Basis points; zero where none is due.
struct IssuerVat {
    Time valid_from{};
    std::int32_t price = 0;
    std::int32_t fee = 0;
    friend bool operator==(const IssuerVat&, const IssuerVat&) = default;
};

/// What the house's own record moved of what a partner owes: its opening, invoices, payments.
struct ClaimMoves {
    Micro unbilled_price{}; // net of VAT; invoices take from it what the journal accrued
    Micro unbilled_fee{};
    Micro receivable{}; // VAT included
    friend bool operator==(const ClaimMoves&, const ClaimMoves&) = default;
};

/// A partner as the ledger sees it.
struct PartnerTerms {
    PartnerId partner{};
    std::string name{}; // the id in the certificate's URI SAN, e.g. "GRO"
    Roles roles{};
    DebtShares debt_shares{};
    bool excess_clawbacks_allowed = true;
    std::vector<std::uint32_t> tariffs{}; // places in Terms::tariffs, in order of publication
    Billing billing = Billing::postpaid;
    std::optional<Micro> credit_limit{}; // postpaid, VAT included; none: no limit
    OnShort on_short = OnShort::refuse;  // prepaid
    std::vector<std::uint32_t> blocks{}; // places in Terms::tariffs, oldest first
    std::vector<IssuerVat> vat{};        // by valid_from, ascending
    ClaimMoves moved{};
    std::optional<Time> leaves_at{}; // from then on it grants and takes no points

    [[nodiscard]] bool has_left(Time at) const { return leaves_at && at >= *leaves_at; }
    /// Whether activity of that time may grant points of this partner, or take some.
    [[nodiscard]] bool may_issue(Time at) const { return roles.issuer && !has_left(at); }
    [[nodiscard]] bool may_redeem(Time at) const { return roles.redeemer && !has_left(at); }
    /// The row in force at `at`; all zeros when none is.
    [[nodiscard]] IssuerVat vat_at(Time at) const;
};

/// A partner's part in funding a promotion, as an integer share of all parts.
struct Funder {
    PartnerId partner{};
    std::int32_t share = 1; // 1 to 1,000,000
    friend bool operator==(const Funder&, const Funder&) = default;
};

/// An approved agreement on who funds the points that are granted under it.
struct Promotion {
    PromotionId id{};
    std::string name{};
    std::vector<Funder> funders{}; // 1 to 16, none twice; their lots are drawn in this order
    Day from = 0;                  // of the activity
    Day to = 0;                    // inclusive
    Points cap{};                  // on all points granted under it; zero: none
};

inline constexpr std::size_t funders_max = 16;

/// Terms of the house as a whole that may change in its life.
struct HouseTerms {
    /// A refund into a lot whose last day has passed makes it last so many days from the refund's
    /// on; 0: it expires again at once.
    std::int32_t refund_grace_days = 0;
    /// All points of a member that has done nothing for so many months expire; 0: none do.
    std::int32_t inactivity_months = 0;
    /// The months count from this day at the earliest: when the term came into force.
    Day inactivity_from = 0;
    /// From this entry of the house's record on it is kept when members were last active; none: it
    /// never was a term.
    HouseSequence activity_kept_from{};
    /// An adjustment of more points waits for a second operator; none: none does.
    std::optional<Points> approval_above{};
    /// Messages about a member that wait for a second operator: of block, unblock, close and merge,
    /// in the order of their numbers.
    std::vector<MessageType> approval_of{};
    friend bool operator==(const HouseTerms&, const HouseTerms&) = default;
};

/// All that a decision needs to know of the house, frozen at one sequence of the house's own
/// record. Immutable; shared between threads by shared_ptr<const Terms>, because decisions in
/// flight keep the terms they started with while newer ones are published.
struct Terms {
    HouseSequence as_of{};
    Currency currency{};
    Micro face_value{}; // of one point, for the member
    std::int32_t late_window_days = 60;
    HouseTerms house{};
    std::shared_ptr<const Calendar> calendar{};
    std::vector<PartnerTerms> partners{}; // partners[id - 1]
    std::vector<Tariff> tariffs{};        // tariffs[version - 1]: dated tariffs and blocks
    std::vector<Promotion> promotions{};  // promotions[id - 1]

    [[nodiscard]] const PartnerTerms& partner(PartnerId id) const;
    [[nodiscard]] const Tariff& tariff(TariffVersion version) const;
    [[nodiscard]] const PartnerTerms* find_partner(std::string_view name) const;
    [[nodiscard]] const Promotion& promotion(PromotionId id) const;
    [[nodiscard]] const Promotion* find_promotion(std::string_view name) const;
    /// The partner's dated tariff in force at `at`: the latest valid_from not after it; null when
    /// none is. Never a block.
    [[nodiscard]] const Tariff* find_tariff(PartnerId id, Time at) const;
};

struct AccountLine; // ledger/accounts.hpp

/// The terms at every sequence of the house's own record that a record of the journal may name: the
/// port through which a replay that decides again sees the terms the first decision saw.
class TermsHistory {
public:
    virtual ~TermsHistory() = default;
    [[nodiscard]] virtual std::shared_ptr<const Terms> terms_at(HouseSequence sequence) const = 0;
    /// The money that an entry of the house's own record moves, as a balanced set of lines of the
    /// chart of accounts; empty: it moves none.
    [[nodiscard]] virtual std::vector<AccountLine> money_of(HouseSequence sequence) const;
};

} // namespace pointhouse::ledger
