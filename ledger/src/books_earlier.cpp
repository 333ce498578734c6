#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <set>
#include <utility>

#include "books_rows.hpp"
#include "ledger/books.hpp"

namespace pointhouse::ledger {
namespace {

using books::WindowRow;

std::int64_t cell_of(Sequence sequence)
{
    return static_cast<std::int64_t>(sequence.value());
}

/// "CASE WHEN original >= 91 THEN '2026-06' … END": the window that booked a record, of those
/// before `window`.
std::string month_of_record(
    std::string_view column, std::span<const WindowRow> windows, const WindowRow& window)
{
    std::string sql = "CASE";
    for (auto earlier = windows.rbegin(); earlier != windows.rend(); ++earlier)
        if (earlier->month < window.month)
            sql += fmt::format(
                " WHEN {} >= {} THEN '{}'",
                column,
                cell_of(earlier->first),
                format_month(earlier->month));
    return sql + " END";
}

/// Entries that take back what the original of a reversal did.
std::string undoing_kinds()
{
    return fmt::format(
        "kind IN ({}, {}, {})",
        std::to_underlying(EntryKind::refunded),
        std::to_underlying(EntryKind::clawed_back),
        std::to_underlying(EntryKind::debt_incurred));
}

std::string is_reversal(std::string_view posting)
{
    return fmt::format("{}.type = {}", posting, std::to_underlying(MessageType::reversal));
}

/// Reads what belongs to earlier months out of one window's tables. In SQLite a cross join keeps
/// the order: first the few postings that an index names.
class EarlierPositions {
public:
    EarlierPositions(
        Transaction& transaction, std::span<const WindowRow> windows, const WindowRow& window)
        : transaction_{transaction}, windows_{windows}, window_{window},
          first_{cell_of(window.first)}, postings_{books::posting_table(window.month)},
          entries_{books::entry_table(window.month)}
    {}

    std::vector<EarlierPosition> read(const Calendar& calendar)
    {
        read_late(calendar);
        if (windows_.front().month == window_.month) return std::move(found_);
        read_reversals();
        for (const auto& month : months_of_debts()) read_recoveries(books::posting_table(month));
        return std::move(found_);
    }

private:
    // What the clock or the house brought about has no message id: it is of the window it is in.
    void read_late(const Calendar& calendar)
    {
        const std::array<Parameter, 2> cells{micros_of(calendar.start_of(window_.month)), first_};
        const auto sql = books::summed_positions(
            "occurred_at",
            fmt::format(
                "{} AS postings CROSS JOIN {} AS entries"
                " WHERE entries.sequence = postings.sequence AND message_id <> ''"
                " AND occurred_at < {} AND occurred_at < $1"
                " AND NOT ({} AND original < $2 AND {})",
                postings_,
                entries_,
                books::late_before(window_.month),
                is_reversal("postings"),
                undoing_kinds()));
        transaction_.for_each(sql, cells, [&](const Row& row) {
            add(calendar.month_of(time_of_micros(std::get<std::int64_t>(row[0]))), false, row);
        });
    }

    void read_reversals()
    {
        const auto sql = books::summed_positions(
            month_of_record("original", windows_, window_),
            fmt::format(
                "{} AS postings CROSS JOIN {} AS entries"
                " WHERE entries.sequence = postings.sequence AND {} AND original < {} AND {}",
                postings_,
                entries_,
                is_reversal("postings"),
                first_, // as the index has it
                undoing_kinds()));
        transaction_.for_each(sql, {}, [&](const Row& row) { add_undone(row); });
    }

    /// The windows that booked the debts which this one repaid: mostly none, and never all of many
    /// years.
    std::set<Month> months_of_debts()
    {
        std::set<Month> months;
        const auto sql = fmt::format(
            "SELECT DISTINCT debt_origin FROM {} WHERE kind = {}",
            entries_,
            std::to_underlying(EntryKind::recovered));
        transaction_.for_each(sql, {}, [&](const Row& row) {
            const Sequence origin{static_cast<std::uint64_t>(std::get<std::int64_t>(row[0]))};
            const auto later =
                std::ranges::upper_bound(windows_, origin, std::ranges::less{}, &WindowRow::first);
            if (later != windows_.begin()) months.insert(std::prev(later)->month);
        });
        return months;
    }

    /// What repays debts that the reversals of one window left.
    void read_recoveries(const std::string& reversals)
    {
        const std::array<Parameter, 1> cells{first_};
        const auto sql = books::summed_positions(
            month_of_record("reversals.original", windows_, window_),
            fmt::format(
                "{} AS entries CROSS JOIN {} AS reversals"
                " WHERE kind = {} AND reversals.sequence = debt_origin AND {}"
                " AND reversals.original < $1",
                entries_,
                reversals,
                std::to_underlying(EntryKind::recovered),
                is_reversal("reversals")));
        transaction_.for_each(sql, cells, [&](const Row& row) { add_undone(row); });
    }

    void add_undone(const Row& row)
    {
        const auto* month = std::get_if<std::string>(&row[0]);
        const auto origin = month == nullptr ? std::nullopt : parse_month(*month);
        if (!origin) throw StoreFailure{"the books undo what no window of theirs booked"};
        add(*origin, true, row);
    }

    void add(Month origin, bool undoes, Row row)
    {
        row[0] = format_month(window_.month);
        found_.push_back(
            {.origin = origin, .undoes = undoes, .position = books::position_from(row)});
    }

    Transaction& transaction_;
    std::span<const WindowRow> windows_;
    const WindowRow& window_;
    std::int64_t first_;
    std::string postings_;
    std::string entries_;
    std::vector<EarlierPosition> found_;
};

} // namespace

std::vector<EarlierPosition> Books::earlier_positions(Month window, const Calendar& calendar)
{
    std::vector<EarlierPosition> found;
    store_.read([&](Transaction& transaction) {
        const auto windows = books::read_windows(transaction);
        const auto asked = std::ranges::find(windows, window, &WindowRow::month);
        if (asked == windows.end()) return;
        found = EarlierPositions{transaction, windows, *asked}.read(calendar);
    });
    return found;
}

} // namespace pointhouse::ledger
