#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ledger/accounts.hpp"
#include "ledger/ids.hpp"
#include "ledger/journal.hpp"
#include "ledger/position.hpp"
#include "ledger/terms.hpp"

namespace pointhouse::ledger {

/// Whose file an export is: the plain-text journals of hledger and beancount, or one CSV row per
/// line.
enum class ExportFormat : std::uint8_t { hledger, beancount, csv };

[[nodiscard]] std::optional<ExportFormat> find_export_format(std::string_view name);

struct ExportOptions {
    ExportFormat format = ExportFormat::hledger;
    bool by_member = false; // an account per member number instead of one for all members
};

/// The partner's id; "#4" where it has characters that a journal could misread. No id that is
/// written as it stands has a '#'.
[[nodiscard]] std::string exported_partner(PartnerId id, const Terms& terms);
/// An account and a unit as the format writes them, e.g. "unbilled:GRO" and "EUR" for hledger,
/// "Assets:Unbilled:GRO" for beancount. Two partners never get the same name.
[[nodiscard]] std::string exported_account(
    ExportFormat format, Account account, PartnerId partner, const Terms& terms);
[[nodiscard]] std::string exported_unit(ExportFormat format, PartnerId issuer, const Terms& terms);

/// A posting of the journal with its lines: one per account, unit and side. Valid during the call.
struct PostingLines {
    Month window{};
    const Record& record;
    std::span<const AccountLine> lines;
    std::span<const PositionRow> positions; // one of each entry; none of a house entry
    const Terms& terms;                     // that its decision saw
};

/// A part of the journal: from the block that holds `from` to the one that holds `through`.
struct JournalPart {
    Sequence from{1};
    Sequence through{std::numeric_limits<std::uint64_t>::max()};
};

/// Calls `posting` for every posting of a part of the journal that moved points or money, in order.
/// Streams in one snapshot, which the reader must not hold yet; returns their number. Throws
/// StoreFailure; what `posting` throws passes through.
std::uint64_t for_each_posting(
    JournalReader& journal,
    const TermsHistory& terms,
    const std::function<void(const PostingLines&)>& posting,
    const JournalPart& part = {});

/// Writes every posting of the journal that moved points or money, dated by the house's calendar,
/// amounts exact, for an independent book-keeping program: one line per account and unit, what goes
/// in and out of it in one posting set off. The same journal gives the same bytes. As
/// `for_each_posting`; what `write` throws passes through, too.
std::uint64_t export_journal(
    JournalReader& journal,
    const TermsHistory& terms,
    const ExportOptions& options,
    const std::function<void(std::string_view)>& write);

} // namespace pointhouse::ledger
