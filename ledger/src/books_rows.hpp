#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/position.hpp"
#include "ledger/posting.hpp"
#include "ledger/store.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

/// The books' tables as SQL and as cells: all that projector and verifier share. The schema is
/// documented in ledger/BOOKS.md; a change of it is a new `books_format`.
namespace pointhouse::ledger::books {

inline constexpr std::int64_t books_format = 4;

inline constexpr std::array<std::string_view, 19> posting_columns{
    "sequence",
    "type",
    "refusal",
    "partner",
    "message_id",
    "member",
    "occurred_at",
    "posted_at",
    "points",
    "tariff",
    "counterparty",
    "amount_minor",
    "original",
    "other_member",
    "reversed_so_far",
    "available",
    "pending",
    "held",
    "debt"};

inline constexpr std::array<std::string_view, 25> entry_columns{
    "sequence",
    "number",
    "kind",
    "points",
    "issuer",
    "counterparty",
    "lot_origin",
    "lot_position",
    "tariff",
    "counterpart",
    "debt_origin",
    "debt_tariff",
    "debt_kind",
    "state",
    "until_at",
    "hold",
    "vat_rate",
    "funding",
    "activity_at",
    "expires_on",
    "issuer_micro",
    "counterparty_micro",
    "liability_micro",
    "fee_micro",
    "margin_micro"};

inline constexpr std::array<std::string_view, 16> position_columns{
    "month",
    "kind",
    "partner",
    "counterparty",
    "tariff",
    "counterpart",
    "bearer",
    "debt_kind",
    "state",
    "vat_rate",
    "points",
    "issuer_micro",
    "counterparty_micro",
    "liability_micro",
    "fee_micro",
    "margin_micro"};

inline constexpr std::array<std::string_view, 2> partner_columns{"partner", "name"};

inline constexpr std::array<std::string_view, 6> house_line_columns{
    "sequence", "number", "month", "entry", "account", "amount_micro"};

inline constexpr std::array<std::string_view, 9> tariff_columns{
    "tariff",
    "partner",
    "valid_from",
    "issue_price_micro",
    "service_fee_micro",
    "reimbursement_micro",
    "prefund_numerator",
    "prefund_denominator",
    "block_points"};

/// Appends the row of a record, or of one of its entries. Text refers to the record's memory.
void append_posting(const Record& record, std::vector<Parameter>& cells);
void append_entry(
    const Record& record, std::size_t number, const Terms& terms, std::vector<Parameter>& cells);
/// `month` is the text of the position's window and outlives the cells.
void append_position(
    const PositionRow& position, std::string_view month, std::vector<Parameter>& cells);
void append_partner(const PartnerTerms& partner, std::vector<Parameter>& cells);
void append_tariff(const Tariff& tariff, std::vector<Parameter>& cells);

/// Money that an entry of the house's own record moved, in the window of the step that booked it.
struct HouseLine {
    Sequence sequence{}; // of the step
    std::int64_t number = 0;
    std::string month{};
    HouseSequence entry{};
    std::string account{};
    Micro amount{}; // debits above zero
};
/// Appends the lines of a `house_entry` step.
void take_house_lines(
    const Record& step,
    Month month,
    const TermsHistory& history,
    const Terms& terms,
    std::vector<HouseLine>& lines);
/// Text refers to the line.
void append_house_line(const HouseLine& line, std::vector<Parameter>& cells);

/// SQL of `position_columns` for rows of `entries`, a window's entries, each sum with `sum` around
/// it. As `position_of` does.
[[nodiscard]] std::string position_cells(std::string_view month, std::string_view sum);
/// SQL that makes positions of entries, summed by `origin` as well: rows of
/// `position_columns` with that in the place of the month. `from` names the tables and which rows,
/// with `entries` for a window's entries.
[[nodiscard]] std::string summed_positions(std::string_view origin, std::string_view from);
/// Reads a row of `position_columns`.
[[nodiscard]] PositionRow position_from(const Row& row);

/// A row of `settlement_window`.
struct WindowRow {
    Month month{};
    Sequence first{};
    Sequence cut{};     // none while it is open
    Sequence drained{}; // none before
    std::size_t indexes =
        0; // in memory only: after a start every drained window is looked at again
};

[[nodiscard]] std::vector<WindowRow> read_windows(Transaction& transaction);
void write_window(Transaction& transaction, const WindowRow& window);
/// Adds to the position's row, or makes it.
void add_to_position(Transaction& transaction, const PositionRow& position);

/// "posting_2026_06", "entry_2026_06".
[[nodiscard]] std::string posting_table(Month month);
[[nodiscard]] std::string entry_table(Month month);

/// The one table that is there before and after all others.
void create_projection(Transaction& transaction);
/// All other tables and views, empty.
void create_schema(Transaction& transaction);
void drop_schema(Transaction& transaction);
/// The tables of a new window; what an older attempt left under their names goes.
void create_window_tables(Transaction& transaction, const WindowRow& window);
/// One of the secondary indexes of a window, wanted only once nothing is written to it any more.
void create_window_index(Transaction& transaction, const WindowRow& window, std::size_t place);
inline constexpr std::size_t indexes_of_window = 6;
/// All that happened before a window began is of before this, whatever the house's time zone.
[[nodiscard]] std::int64_t late_before(Month month);
/// The views over all window tables, the newest `windows_in_views_max` of them.
void create_views(Transaction& transaction, std::span<const WindowRow> windows);

/// SQLite takes at most 500 terms in a compound SELECT.
inline constexpr std::size_t windows_in_views_max = 240;

/// What the books say they contain; format 0: there are no books.
struct Projection {
    std::int64_t format = 0;
    Sequence sequence{};
};
[[nodiscard]] Projection read_projection(Transaction& transaction);
void write_projection(Transaction& transaction, Sequence sequence);

} // namespace pointhouse::ledger::books
