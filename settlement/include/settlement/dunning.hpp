#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "settlement/ageing.hpp"

namespace pointhouse::settlement {

/// One reminder after another. Fees and interest are off unless the contract agrees on them.
struct DunningLevel {
    std::int32_t days_late = 0; // from the due day
    ledger::Minor fee{};        // in the house's currency; none on a document in another one
    std::int32_t interest_basis_points = 0; // a year, simple, on the days late
};

struct DunningRules {
    std::vector<DunningLevel> levels{{.days_late = 7}, {.days_late = 21}, {.days_late = 35}};
    std::int32_t days_between = 7; // at least, from one reminder to the next
    std::int32_t days_to_pay = 7;  // from the reminder's day
};

/// A receivable and what its debtor has been reminded of.
struct Dunned {
    Receivable receivable{};
    std::int32_t level = 0; // of the last reminder; zero: none was sent
    ledger::Day reminded_on = 0;
};

/// A reminder that is due today or was before.
struct Reminder {
    std::string document{};
    ledger::PartnerId partner{};
    std::int32_t level = 0; // from 1
    std::int32_t days_late = 0;
    ledger::Minor amount{}; // open and not disputed
    ledger::Minor fee{};
    ledger::Minor interest{}; // rounded once, half away from zero; a year has 365 days
    ledger::Day pay_by = 0;
    std::optional<ledger::Currency> currency{}; // of its document; none: the house's
    friend bool operator==(const Reminder&, const Reminder&) = default;
};

/// The next reminder of each receivable that is due for one, in the order given. Levels are never
/// skipped, and what is disputed is not asked for. Pure; any thread.
[[nodiscard]] std::vector<Reminder> reminders(
    std::span<const Dunned> receivables, const DunningRules& rules, ledger::Day today);

} // namespace pointhouse::settlement
