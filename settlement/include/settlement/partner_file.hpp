#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/message.hpp"
#include "ledger/time.hpp"

namespace pointhouse::settlement {

/// What a reconciliation covers: a window, or one day of it.
struct ReconciliationPeriod {
    ledger::Month window{};
    std::optional<ledger::Day> day{};

    /// Whether a message that was booked on this day belongs to the period.
    [[nodiscard]] bool contains(ledger::Day booked_on) const;
    friend bool operator==(const ReconciliationPeriod&, const ReconciliationPeriod&) = default;
};

/// "2026-06", or "2026-06-14" of one day.
[[nodiscard]] std::string format_period(const ReconciliationPeriod& period);

/// Who wrote a file. In the house's own the members are references, because the house keeps no
/// identifier that it could name them by.
enum class FileAuthor : std::uint8_t { house, partner };

/// One message that was booked, as one side has it.
struct ReconciliationRow {
    std::string message_id{};
    ledger::MessageType type = ledger::MessageType::accrual;
    /// As the side names it; empty where the message names none itself (a capture, a reversal).
    std::string member{};
    /// Who that is for the house; none: nobody that it knows, or not looked up yet.
    ledger::MemberNumber number{};
    ledger::Time occurred_at{};
    ledger::Day booked_on = 0;     // when it was answered, in days of the house's calendar
    std::int64_t points = 0;       // zero or more: the type says in which direction
    std::int64_t amount_minor = 0; // the purchase of an accrual; else 0
    std::size_t line = 0;          // in its file, from 1; 0: in none
    friend bool operator==(const ReconciliationRow&, const ReconciliationRow&) = default;
};

/// Whether messages of a type are in the files: those that move points for good.
[[nodiscard]] bool is_reconciled(ledger::MessageType type);

/// The trailer: how many details there are, what they sum to, and SHA-256 over them in hexadecimal.
struct FileTotals {
    std::int64_t count = 0;
    std::int64_t points = 0;
    std::int64_t amount_minor = 0;
    std::string hash{};
    friend bool operator==(const FileTotals&, const FileTotals&) = default;
};

struct FileHeader {
    FileAuthor author = FileAuthor::house;
    std::string partner{}; // whose messages these are
    ReconciliationPeriod period{};
    std::string currency{}; // of the amounts
    friend bool operator==(const FileHeader&, const FileHeader&) = default;
};

/// A file whose trailer agrees with its details.
struct PartnerFile {
    FileHeader header{};
    std::vector<ReconciliationRow> rows{}; // one or more
    FileTotals totals{};
};

/// Why a file is not one: where, and in words for the partner that wrote it.
struct FileFault {
    std::size_t line = 0; // from 1; 0: the file as a whole
    std::string field{};  // as the manual names it; empty: the line as a whole
    std::string reason{};
    friend bool operator==(const FileFault&, const FileFault&) = default;
};

/// More details than this are split by day. Bounds memory, and keeps the sums within 64 bits.
inline constexpr std::size_t file_rows_max = 5'000'000;

/// Writes a file (ops/manual/finance/reconciliation.md). The same rows in another order give the
/// same bytes: they are sorted by day, then message id. Pure; any thread.
/// Pre: at most `file_rows_max` rows, with ids and members of the wire's alphabet.
[[nodiscard]] std::string partner_file(
    const FileHeader& header, std::span<const ReconciliationRow> rows);

/// Reads a file as anybody may have sent it. Refuses it as a whole at its first fault: a field that
/// is not what it should be, a trailer that does not agree with the details, or no details at all,
/// which is an exception and never agreement. Pure; any thread.
[[nodiscard]] std::expected<PartnerFile, FileFault> parse_partner_file(std::string_view text);

} // namespace pointhouse::settlement
