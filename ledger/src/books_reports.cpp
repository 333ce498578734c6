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

std::int64_t cell_of(Sequence sequence)
{
    return static_cast<std::int64_t>(sequence.value());
}

/// Calls `use` for those of the windows of which the books have tables.
template <class Use>
void for_each_window(Transaction& transaction, std::span<const Month> windows, const Use& use)
{
    for (const auto& window : books::read_windows(transaction))
        if (std::ranges::find(windows, window.month) != windows.end()) use(window.month);
}

} // namespace

Sequence Books::for_each_spent(
    std::span<const Month> windows,
    Sequence last,
    const std::function<void(const SpentPoints&)>& use)
{
    Sequence through;
    store_.read([&](Transaction& transaction) {
        through = std::min(last, books::read_projection(transaction).sequence);
        const std::array<Parameter, 1> cells{cell_of(through)};
        for_each_window(transaction, windows, [&](Month window) {
            const auto sql = fmt::format(
                "SELECT tariff, vat_rate, activity_at, counterparty,"
                " CASE kind WHEN {} THEN -points ELSE points END"
                " FROM {} WHERE kind IN ({}, {}, {}) AND sequence <= $1",
                std::to_underlying(EntryKind::refunded),
                books::entry_table(window),
                std::to_underlying(EntryKind::redeemed),
                std::to_underlying(EntryKind::refunded),
                std::to_underlying(EntryKind::donated));
            transaction.for_each(sql, cells, [&](const Row& row) {
                use(
                    {.tariff = TariffVersion{static_cast<std::uint32_t>(number_in(row[0]))},
                     .vat_rate = static_cast<std::int32_t>(number_in(row[1])),
                     .activity = time_of_micros(number_in(row[2])),
                     .redeemer = PartnerId{static_cast<std::uint32_t>(number_in(row[3]))},
                     .points = number_in(row[4])});
            });
        });
    });
    return through;
}

WindowSums Books::happened_in(const TimeSpan& span, std::span<const Month> windows, Sequence last)
{
    WindowSums sums;
    store_.read([&](Transaction& transaction) {
        sums = {.through = std::min(last, books::read_projection(transaction).sequence)};
        const std::array<Parameter, 3> cells{
            micros_of(span.from), micros_of(span.to), cell_of(sums.through)};
        for_each_window(transaction, windows, [&](Month window) {
            auto& sum = sums.windows.emplace_back(WindowSum{.month = window});
            // What the clock or the house brought about has no message id. Postings first: they are
            // few, and in SQLite a cross join keeps the order.
            const auto sql = books::summed_positions(
                "NULL",
                fmt::format(
                    "{} AS postings CROSS JOIN {} AS entries"
                    " WHERE entries.sequence = postings.sequence AND message_id <> ''"
                    " AND occurred_at >= $1 AND occurred_at < $2 AND postings.sequence <= $3",
                    books::posting_table(window),
                    books::entry_table(window)));
            transaction.for_each(sql, cells, [&](const Row& row) {
                sum.positions.push_back(books::position_from(row));
            });
        });
    });
    return sums;
}

} // namespace pointhouse::ledger
