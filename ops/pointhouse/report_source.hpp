#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ledger/movements.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"
#include "settlement/printed_report.hpp"

namespace pointhouse::ops {

/// Which postings a report is of: a window, or all up to an instant or a record of the journal.
struct Interval {
    std::optional<ledger::Month> window;
    std::optional<ledger::Time> from;
    std::optional<ledger::Time> to;
    std::optional<std::uint64_t> sequence;

    /// How its movements are asked for. Whatever is posted in a window has a time of its month.
    [[nodiscard]] ledger::Taken take(
        const ledger::Window& of, const ledger::Calendar& calendar) const;
    [[nodiscard]] bool is_after(const ledger::Movement& movement) const;
    /// Whether it is before the beginning. Pre: it is not after; `time` is its.
    [[nodiscard]] bool is_before(const ledger::Movement& movement, ledger::Time time) const;
    /// The same of a window that is taken as a whole.
    [[nodiscard]] bool is_before(ledger::Month month, const ledger::Calendar& calendar) const;
};

/// What a report needs of the house, taken on its thread.
struct ReportSource {
    ledger::Movements movements;
    std::shared_ptr<const ledger::Terms> terms;
    Interval interval;
    ledger::Time now;
    std::optional<ledger::PartnerId> partner;
    std::string house; // its name

    /// Of what a printed report is.
    [[nodiscard]] settlement::ReportOf as_printed() const;
    /// The end of what the report is of, also where a record of the journal ends it. Throws
    /// ledger::StoreFailure.
    [[nodiscard]] ledger::Time sequence_end() const;
    /// When the last posting of the report was made, where a record of the journal ends it. Throws
    /// ledger::StoreFailure.
    [[nodiscard]] ledger::Time last_posting() const;
    /// The end of what the report is of.
    [[nodiscard]] ledger::Time end() const;
    /// When it was posted, or the first instant of the window that it is of.
    [[nodiscard]] ledger::Time time_of(const ledger::Movement& movement) const;

    /// Calls `use` for every movement up to the end, and says whether it is before the beginning.
    /// `instants` are others that no sum of a window may straddle. Throws ledger::StoreFailure.
    void for_each(
        const std::function<void(const ledger::Movement&, bool is_before)>& use,
        std::span<const ledger::Time> instants = {}) const;
    /// What was spent and given back from the beginning to the end, with terms that know its
    /// tariffs. Throws ledger::StoreFailure.
    void for_each_spent(
        const std::function<void(const ledger::SpentPoints&, const ledger::Terms&)>& use) const;
};

} // namespace pointhouse::ops
