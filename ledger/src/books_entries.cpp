#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "books_rows.hpp"
#include "ledger/books.hpp"

namespace pointhouse::ledger {
namespace {

std::int64_t number_in(const Value& cell)
{
    return std::get<std::int64_t>(cell);
}

PricedEntry priced_entry_from(const Row& row)
{
    constexpr std::ptrdiff_t own = 6; // columns of the posting and the entry, before a position's
    return {
        .sequence = Sequence{static_cast<std::uint64_t>(number_in(row[0]))},
        .number = number_in(row[1]),
        .sender = PartnerId{static_cast<std::uint32_t>(number_in(row[2]))},
        .message_id = std::get<std::string>(row[3]),
        .occurred_at = time_of_micros(number_in(row[4])),
        .posted_at = time_of_micros(number_in(row[5])),
        .position = books::position_from({row.begin() + own, row.end()})};
}

} // namespace

void Books::for_each_priced_entry(
    Month window, PartnerId partner, const std::function<void(const PricedEntry&)>& entry)
{
    // A recovery pays who bore the debt, too: a redeemer that no column of the entry names.
    const std::array<Month, 1> windows{window};
    const std::array<Parameter, 1> cells{std::int64_t{partner.value()}};
    const auto which = fmt::format(
        "(issuer = $1 OR entries.counterparty = $1 OR kind = {})",
        std::to_underlying(EntryKind::recovered));
    read_priced_entries(windows, which, cells, entry);
}

void Books::for_each_priced_entry(
    Sequence record, const std::function<void(const PricedEntry&)>& entry)
{
    const std::array<Parameter, 1> cells{static_cast<std::int64_t>(record.value())};
    read_priced_entries({}, "postings.sequence = $1", cells, entry);
}

/// Of no window: of all.
void Books::read_priced_entries(
    std::span<const Month> windows,
    std::string_view which,
    std::span<const Parameter> cells,
    const std::function<void(const PricedEntry&)>& entry)
{
    store_.read([&](Transaction& transaction) {
        for (const auto& window : books::read_windows(transaction)) {
            if (!windows.empty() && std::ranges::find(windows, window.month) == windows.end())
                continue;
            transaction.for_each(
                fmt::format(
                    "SELECT postings.sequence, entries.number, postings.partner, message_id,"
                    " occurred_at, posted_at, {} FROM {} AS postings JOIN {} AS entries"
                    " ON entries.sequence = postings.sequence"
                    " WHERE (issuer_micro <> 0 OR counterparty_micro <> 0) AND {}"
                    " ORDER BY postings.sequence, entries.number",
                    books::position_cells(fmt::format("'{}'", format_month(window.month)), ""),
                    books::posting_table(window.month),
                    books::entry_table(window.month),
                    which),
                cells,
                [&](const Row& row) { entry(priced_entry_from(row)); });
        }
    });
}

} // namespace pointhouse::ledger
