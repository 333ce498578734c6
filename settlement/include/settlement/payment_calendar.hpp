#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "ledger/time.hpp"
#include "settlement/new_entry.hpp"

namespace pointhouse::settlement {

/// Easter Sunday of a year from 1583 on (Meeus, Astronomical Algorithms, chapter 8). Pure.
[[nodiscard]] ledger::Day easter_sunday(std::int32_t year);

/// The days beside Saturdays and Sundays on which T2 settles no euro payments, in their order: New
/// Year's Day, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB, "T2 operating days").
/// Pure.
[[nodiscard]] std::array<ledger::Day, 6> closing_days(std::int32_t year);

/// Whether T2 settles euro payments on that day. Pure.
[[nodiscard]] bool is_business_day(ledger::Day day);

/// Where a day goes that is no business day. `modified_following`: to the next one, but not into
/// the next month: then to the one before.
enum class Roll : std::uint8_t { following, modified_following, preceding };

[[nodiscard]] std::string_view name_of(Roll roll) noexcept;
[[nodiscard]] std::optional<Roll> find_roll(std::string_view name) noexcept;
/// A business day that is none of the holidays beside, which are sorted: `day` itself, if it is
/// one. Pure.
[[nodiscard]] ledger::Day rolled(
    ledger::Day day, Roll roll, std::span<const ledger::Day> holidays = {});

/// When a window is billed and paid, from one window on. Days count from the window's last day.
struct CalendarTerms {
    ledger::Month from{.year = 1970, .month = 1}; // the first window they are for
    std::int32_t billing_days = 1;                // until documents are to be issued
    std::int32_t payment_days = 14;               // until they are due
    std::int32_t pay_days = 0;                    // from the due day until the house pays
    std::int32_t objection_days = 14; // in which a seller may object to its self-billed documents
    Roll roll = Roll::following;
    std::vector<ledger::Day> holidays{}; // beside those of T2, in their order
    std::string program{};               // of the house, that they are for; empty: the house's own
    friend bool operator==(const CalendarTerms&, const CalendarTerms&) = default;
};

/// "from 2026-09: billed after 1, due after 14, paid 0 later, following": all that the terms say;
/// those of a program begin "of travel from".
[[nodiscard]] std::string in_words(const CalendarTerms& terms);

/// The dates of one window, all of them but the first business days.
struct WindowDates {
    ledger::Day last = 0; // of the window: its cut-off is the end of that day in the house's zone
    ledger::Day billing_on = 0;
    ledger::Day due_on = 0;
    ledger::Day pay_on = 0;
    friend bool operator==(const WindowDates&, const WindowDates&) = default;
};

/// Pure.
[[nodiscard]] WindowDates dates_of(const CalendarTerms& terms, ledger::Month window);

/// The house's calendar terms, and those of its programs: a fold over its own record. Those of a
/// window never change once it is closed. Windows that a program has no terms for have the house's.
/// An empty program is the house. One thread.
class PaymentCalendar {
public:
    /// What `calendar_set` appends. Refused: days out of their bounds, a first window that is not
    /// after `last_closed` and after those of all terms before.
    [[nodiscard]] Registered<NewEntry> set(
        const CalendarTerms& terms, std::optional<ledger::Month> last_closed) const;
    void apply(const boost::json::object& content);
    /// What `calendar_withdrawn` appends: terms that no closed window has are taken back.
    [[nodiscard]] Registered<NewEntry> withdraw(
        ledger::Month from,
        std::string_view reason,
        std::optional<ledger::Month> last_closed,
        std::string_view program = {}) const;
    void apply_withdrawal(const boost::json::object& content);

    /// The terms of a window; the usual ones before anybody set any.
    [[nodiscard]] const CalendarTerms& terms_of(
        ledger::Month window, std::string_view program = {}) const;
    [[nodiscard]] WindowDates dates_of(ledger::Month window, std::string_view program = {}) const;
    /// The day on which a document falls due that is issued on `issued_on` out of turn, as a credit
    /// note is.
    [[nodiscard]] ledger::Day due_on(ledger::Day issued_on, std::string_view program = {}) const;
    using Versions = std::map<ledger::Month, CalendarTerms>; // by their first window
    /// By program, the house's own first; of a program that has any.
    [[nodiscard]] const std::map<std::string, Versions, std::less<>>& versions() const
    {
        return versions_;
    }
    /// A program's own alone.
    [[nodiscard]] const Versions& versions_of(std::string_view program) const;
    /// Taken back, each with the reason.
    [[nodiscard]] const std::vector<std::pair<CalendarTerms, std::string>>& withdrawn() const
    {
        return withdrawn_;
    }

private:
    std::map<std::string, Versions, std::less<>> versions_;
    std::vector<std::pair<CalendarTerms, std::string>> withdrawn_;
};

} // namespace pointhouse::settlement
