#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/message.hpp"
#include "ledger/time.hpp"
#include "settlement/partner_file.hpp"

namespace pointhouse::settlement {

/// A lot in an answer: issued, drawn, restored or clawed back.
struct AnsweredLot {
    std::string lot{};    // empty: one of others
    std::string issuer{}; // a partner's id, or "others"
    std::int64_t points = 0;
};

/// A message that a partner sent, with the answer that it got.
struct LoggedMessage {
    std::size_t line = 0; // in the log, from 1
    ledger::MessageType type = ledger::MessageType::accrual;
    std::string message_id{};
    std::string member{};   // empty where the message names none
    std::string reverses{}; // reversal: the message that it names
    ledger::Time occurred_at{};
    ledger::Time answered_at{};
    std::int64_t points = 0;       // of the answer
    std::int64_t amount_minor = 0; // of an accrual's purchase
    bool is_refund = false;        // a reversal that gave points back to the member
    std::vector<AnsweredLot> lots{};
};

/// Reads a partner's own log: a JSON object a line with `type`, `answered_at`, `status`, `message`
/// as sent and `answer` as received (ops/manual/finance/reconciliation.md). What was not booked,
/// and what moves no points for good, is passed over; so is a message that was sent again. Pure;
/// any thread.
[[nodiscard]] std::expected<std::vector<LoggedMessage>, FileFault> parse_message_log(
    std::string_view text);

/// The log as rows to compare with the house's own file, booked on the days of their answers.
/// Members are left out: the house's file has references for them. Pure.
[[nodiscard]] std::vector<ReconciliationRow> rows_of(
    std::span<const LoggedMessage> log, const ledger::Calendar& calendar);

} // namespace pointhouse::settlement
