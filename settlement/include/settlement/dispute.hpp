#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/time.hpp"

namespace pointhouse::settlement {

/// What a partner contests of one line of a document: a net amount, for a reason. Three steps, each
/// with its last day; when nobody acts by then, the side that did not have to act wins:
///
///     opened     the house answers        else the partner wins: all of it is credited
///     answered   the partner escalates    else the house wins: nothing is
///     escalated  two people decide        else the partner wins
enum class DisputeStage : std::uint8_t { opened, answered, escalated, decided };

[[nodiscard]] std::string_view name_of(DisputeStage stage) noexcept;

/// What the partner says of the line: it bills too much, or, of a document that the house wrote in
/// the partner's name, too little.
enum class Billed : std::uint8_t { too_much, too_little };

[[nodiscard]] std::string_view name_of(Billed billed) noexcept;
[[nodiscard]] std::optional<Billed> find_billed(std::string_view name) noexcept;

struct Dispute {
    std::string id{};       // "D-000001"
    std::string document{}; // its number
    std::size_t line = 0;   // from 1
    Billed billed = Billed::too_much;
    ledger::Minor net{}; // contested, without VAT; above zero
    ledger::Minor
        held{}; // with VAT: what is not paid while it is open; nothing of a claim for more
    /// Clarification reason of the Peppol Invoice Response: "QUA", "PRI", "QTY", "OTH" …
    std::string reason{};
    std::string evidence{};
    DisputeStage stage = DisputeStage::opened;
    ledger::Day act_by = 0; // the last day to act in this stage
    std::string words{};    // of the last who acted
    ledger::Minor agreed{}; // of `net`, once it is decided
    std::string credit{};   // the number of the correcting document; empty: none
    /// Of the partner's message that opened it; empty: an operator did.
    std::string message_id{};

    [[nodiscard]] bool is_open() const { return stage != DisputeStage::decided; }
    /// Its last day is near; it has not passed.
    [[nodiscard]] bool is_due_soon(ledger::Day today) const;
    /// Its last day has passed and nobody acted: it ends by its default, and nothing else.
    [[nodiscard]] bool is_overdue(ledger::Day today) const { return is_open() && today > act_by; }
    /// What it comes to when nobody acts any more.
    [[nodiscard]] ledger::Minor default_agreement() const
    {
        return stage == DisputeStage::answered ? ledger::Minor{} : net;
    }
};

/// A partner's message about a dispute that was taken, so that the same once more gets the same
/// answer: what it did, and the dispute as it was then.
struct DisputeMessage {
    bool is_escalation = false; // else it opened the dispute
    Dispute dispute{};
};

/// Days that each stage leaves, counted from the day on which it begins.
inline constexpr std::int32_t days_to_answer = 14;
inline constexpr std::int32_t days_to_escalate = 14;
inline constexpr std::int32_t days_to_decide = 30;
/// So many days before the last day an open dispute is shown as urgent.
inline constexpr std::int32_t days_of_warning = 3;

inline bool Dispute::is_due_soon(ledger::Day today) const
{
    return is_open() && today <= act_by && act_by - today <= days_of_warning;
}

/// Whether it is a reason of the Peppol Invoice Response (OPStatusReason, 2023).
[[nodiscard]] bool is_dispute_reason(std::string_view code) noexcept;

} // namespace pointhouse::settlement
