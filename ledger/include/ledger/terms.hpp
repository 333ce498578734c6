#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/ids.hpp"
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

    /// issue_price × prefund_share: what stands in the points liability for one open point.
    [[nodiscard]] Micro prefunded_price() const;
};

/// Who bears member debt until it is recovered (DESIGN section 3).
enum class DebtBearer : std::uint8_t { issuer = 0, redeemer = 1, house = 2 };

struct Roles {
    bool issuer = false;
    bool redeemer = false;
    bool charity = false;
};

/// A partner as the ledger sees it.
struct PartnerTerms {
    PartnerId partner{};
    std::string name{}; // the id in the certificate's URI SAN, e.g. "GRO"
    Roles roles{};
    DebtBearer debt_bearer = DebtBearer::issuer;
    bool excess_clawbacks_allowed = true;
    std::vector<std::uint32_t> tariffs{}; // places in Terms::tariffs, in order of publication
};

/// All that a decision needs to know of the house, frozen at one sequence of the house's own
/// record. Immutable; shared between threads by shared_ptr<const Terms>, because decisions in
/// flight keep the terms they started with while newer ones are published.
struct Terms {
    HouseSequence as_of{};
    Currency currency{};
    Micro face_value{}; // of one point, for the member
    std::int32_t late_window_days = 60;
    std::shared_ptr<const Calendar> calendar{};
    std::vector<PartnerTerms> partners{}; // partners[id - 1]
    std::vector<Tariff> tariffs{};        // tariffs[version - 1]

    [[nodiscard]] const PartnerTerms& partner(PartnerId id) const;
    [[nodiscard]] const Tariff& tariff(TariffVersion version) const;
    [[nodiscard]] const PartnerTerms* find_partner(std::string_view name) const;
    /// The partner's version in force at `at`: the latest valid_from not after it; null when none
    /// is.
    [[nodiscard]] const Tariff* find_tariff(PartnerId id, Time at) const;
};

/// The terms at every sequence of the house's own record that a record of the journal may name: the
/// port through which a replay that decides again sees the terms the first decision saw.
class TermsHistory {
public:
    virtual ~TermsHistory() = default;
    [[nodiscard]] virtual std::shared_ptr<const Terms> terms_at(HouseSequence sequence) const = 0;
};

} // namespace pointhouse::ledger
