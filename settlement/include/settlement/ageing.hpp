#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/time.hpp"

namespace pointhouse::settlement {

/// What a partner owes on one document. Below zero: a credit that is not set off yet.
struct Receivable {
    std::string document{};
    ledger::PartnerId partner{};
    ledger::Minor open{};     // disputes included
    ledger::Minor disputed{}; // the part of it that is held back; same sign, never more
    ledger::Day due_on = 0;
    std::optional<ledger::Currency> currency{}; // none: the house's
};

/// By days after the due day, which itself is not late.
enum class Age : std::uint8_t { not_due, days_1_to_30, days_31_to_60, days_61_to_90, over_90_days };
inline constexpr std::size_t age_count = 5;

[[nodiscard]] std::string_view name_of(Age age) noexcept;
[[nodiscard]] Age age_of(ledger::Day due_on, ledger::Day today);

struct AgedAmounts {
    std::array<ledger::Minor, age_count> by_age{}; // undisputed
    ledger::Minor disputed{};
    ledger::Minor total{};
    friend bool operator==(const AgedAmounts&, const AgedAmounts&) = default;
};

struct AgedPartner {
    ledger::PartnerId partner{};
    AgedAmounts amounts{};
    friend bool operator==(const AgedPartner&, const AgedPartner&) = default;
};

struct AgedReceivables {
    ledger::Day day = 0;
    std::vector<AgedPartner> partners{}; // by id; one that owes nothing at all is left out
    AgedAmounts total{};

    /// Zero: the documents tie to the control account of receivables.
    [[nodiscard]] ledger::Minor difference_to(ledger::Minor control_account) const
    {
        return total.total - control_account;
    }
};

/// What is owed by age, disputed amounts apart. Pure; any thread.
/// Post: in each row, ages and disputes add up to the total, and rows to the last line.
[[nodiscard]] AgedReceivables aged_receivables(
    std::span<const Receivable> receivables, ledger::Day today);

} // namespace pointhouse::settlement
