#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "settlement/partner_file.hpp"

namespace pointhouse::settlement {

/// How the two sides differ about one message.
enum class BreakClass : std::uint8_t {
    missing,        // the house has it, the partner does not
    extra,          // the partner has it, the house does not
    changed_amount, // both have it, with another type, points or amount
    wrong_member,   // both have it, for another member
    duplicate,      // the partner has it once more
    late,           // both have it, in another window or on another day
};

[[nodiscard]] std::string_view name_of(BreakClass kind) noexcept;

/// One difference. A message that differs in two ways is two breaks.
struct Break {
    BreakClass kind = BreakClass::missing;
    std::string message_id{};
    std::optional<ReconciliationRow> house{};   // none: extra, or a duplicate of one
    std::optional<ReconciliationRow> partner{}; // none: missing
    std::vector<std::string_view> fields{};     // those that differ, as the file names them
};

/// What one side has, without the hash.
struct SideTotals {
    std::int64_t count = 0;
    std::int64_t points = 0;
    std::int64_t amount_minor = 0;
    friend bool operator==(const SideTotals&, const SideTotals&) = default;
};

struct Reconciliation {
    ReconciliationPeriod period{};
    SideTotals house{};          // of the period
    SideTotals partner{};        // of the whole file
    std::vector<Break> breaks{}; // by class, then message id, then line

    [[nodiscard]] bool agrees() const { return breaks.empty(); }
};

/// Compares what the house booked with what the partner's file has, by message id. `house` holds
/// every message of the period; messages of other periods may be among them and only explain what
/// would else be `extra`. Every difference is reported once, and nothing else is:
///
/// - Of several details with one id the one that differs least is compared (of equals the first);
///   each other one is a duplicate, whatever it says.
/// - Times within one day are not compared: clocks differ.
/// - A member that the partner does not state is not compared.
///
/// Pure; any thread. Pre: ids of `house` are unique; members are numbers on both sides.
[[nodiscard]] Reconciliation reconcile(
    const ReconciliationPeriod& period,
    std::span<const ReconciliationRow> house,
    std::span<const ReconciliationRow> partner,
    const ledger::Calendar& calendar);

/// `pointhouse reconcile --json`, as one line without its end. `partner` is its id.
[[nodiscard]] std::string reconciliation_json(
    const Reconciliation& reconciliation, std::string_view partner);
/// The same for a person.
[[nodiscard]] std::string reconciliation_in_words(
    const Reconciliation& reconciliation, std::string_view partner);

/// "line 3, points: must be a whole number from 0 to 1000000000".
[[nodiscard]] std::string in_words(const FileFault& fault);
/// {"ok":false,"fault":{"line","field","reason"}}
[[nodiscard]] std::string fault_json(const FileFault& fault);

} // namespace pointhouse::settlement
