#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "books_rows.hpp"
#include "ledger/message.hpp"

namespace pointhouse::ledger::books {
namespace {

std::string suffix_of(Month month)
{
    return fmt::format("{:04}_{:02}", month.year, month.month);
}

/// "CASE kind WHEN 1 THEN 'issued' … END AS kind", for the values of an enumeration up to `last`.
template <class Enum, class Name>
std::string named(std::string_view column, Enum last, const Name& name_of_value)
{
    std::string sql = fmt::format("CASE {}", column);
    for (int number = 1; number <= static_cast<int>(last); ++number) {
        const std::string_view name = name_of_value(static_cast<Enum>(number));
        if (name != "unknown") sql += fmt::format(" WHEN {} THEN '{}'", number, name);
    }
    return sql + fmt::format(" END AS {}", column);
}

std::string partner_name(std::string_view column)
{
    return fmt::format(
        "(SELECT name FROM partner WHERE partner.partner = listed.{0}) AS {0}", column);
}

/// All window tables of one shape under one name; without windows, no rows of that shape.
std::string union_of(
    std::span<const WindowRow> windows,
    std::span<const std::string_view> columns,
    std::string (*table_of)(Month))
{
    if (windows.empty())
        return fmt::format(
            "SELECT '' AS month, 0 AS {} WHERE 1 = 0", fmt::join(columns, ", 0 AS "));
    std::string sql;
    for (const auto& window : windows)
        sql += fmt::format(
            "{}SELECT '{}' AS month, * FROM {}",
            sql.empty() ? "" : " UNION ALL ",
            format_month(window.month),
            table_of(window.month));
    return sql;
}

// Each position gives lines to accounts as `lines_of` (accounts.hpp) says; debits above zero.
constexpr std::string_view trial_balance_views = R"sql(
CREATE VIEW account_line AS
WITH named AS (
  SELECT position.*, own.name AS own, other.name AS other, bearing.name AS bearing,
    CASE WHEN charged.block_points > 0 THEN 'prepaid_block:' ELSE 'unbilled:' END AS price_account,
    CASE WHEN charged.block_points > 0 THEN 'prepaid_fee:' ELSE 'unbilled:' END AS fee_account,
    CASE WHEN credited.block_points > 0 THEN 'prepaid_block:' ELSE 'unbilled:' END
      AS credited_price_account,
    CASE WHEN credited.block_points > 0 THEN 'prepaid_fee:' ELSE 'unbilled:' END
      AS credited_fee_account,
    CASE kind WHEN 7 THEN 0 ELSE fee_micro END AS charged_fee_micro
  FROM position
  LEFT JOIN tariff AS charged ON charged.tariff = position.tariff
  LEFT JOIN tariff AS credited ON credited.tariff = position.counterpart
  LEFT JOIN partner AS own ON own.partner = position.partner
  LEFT JOIN partner AS other ON other.partner = position.counterparty
  LEFT JOIN tariff ON tariff.tariff = position.bearer
  LEFT JOIN partner AS bearing ON bearing.partner = tariff.partner)
SELECT month, 'issued:' || own AS account, 'P.' || own AS unit, points AS amount
  FROM named WHERE kind IN (1, 15)
UNION ALL SELECT month,
  CASE state WHEN 0 THEN 'members:active' WHEN 1 THEN 'members:pending' ELSE 'members:held' END,
  'P.' || own, CASE WHEN kind IN (1, 3, 10, 11, 14, 15, 19, 20) THEN -points ELSE points END
  FROM named WHERE kind NOT IN (6, 16, 17, 18, 21, 22)
UNION ALL SELECT month, 'members:active', 'P.' || own,
  CASE WHEN kind = 11 THEN points ELSE -points END FROM named WHERE kind IN (8, 11, 12)
UNION ALL SELECT month, 'expired', 'P.' || own,
  CASE kind WHEN 9 THEN -points ELSE points END FROM named WHERE kind IN (9, 10, 19, 20)
UNION ALL SELECT month, 'transit', 'P.' || own,
  CASE WHEN kind IN (13, 17) THEN -points ELSE points END FROM named
  WHERE kind IN (13, 14, 16, 17)
UNION ALL SELECT month, 'redeemed:' || other, 'P.' || own,
  CASE kind WHEN 3 THEN points ELSE -points END FROM named WHERE kind IN (2, 3, 4)
UNION ALL SELECT month, 'clawback:' || own, 'P.' || own, -points FROM named WHERE kind IN (5, 6)
UNION ALL SELECT month, 'members:debt', 'P.' || own,
  CASE kind WHEN 16 THEN -points ELSE points END FROM named WHERE kind IN (6, 16, 17)
UNION ALL SELECT month, 'recovery:' || own, 'P.' || own, -points FROM named WHERE kind = 7
UNION ALL SELECT month, 'recovery:' || other, 'P.' || other, points FROM named WHERE kind = 7
UNION ALL SELECT month, 'members:debt', 'P.' || other, -points FROM named WHERE kind = 7
UNION ALL SELECT month, price_account || own, 'money', issuer_micro - charged_fee_micro FROM named
UNION ALL SELECT month, fee_account || own, 'money', charged_fee_micro FROM named
UNION ALL SELECT month,
  CASE WHEN kind IN (9, 10, 19, 20) THEN 'accrued_breakage_share:' || other
       WHEN kind <> 7 THEN 'accrued_redemption:' || other
       ELSE 'accrued_redemption:' || bearing END, 'money', -counterparty_micro
  FROM named WHERE kind <> 7 OR debt_kind = 2
UNION ALL SELECT month, credited_price_account || other, 'money', -counterparty_micro - fee_micro
  FROM named WHERE kind = 7 AND debt_kind = 0
UNION ALL SELECT month, credited_fee_account || other, 'money', fee_micro
  FROM named WHERE kind = 7 AND debt_kind = 0
UNION ALL SELECT month, account, 'money', amount_micro FROM house_line
UNION ALL SELECT month, 'deferred_revenue', 'money', -liability_micro FROM named WHERE kind <> 15
UNION ALL SELECT month, 'revenue:service_fee', 'money', -fee_micro FROM named
UNION ALL SELECT month,
  CASE WHEN kind IN (9, 10, 19, 20) THEN 'revenue:breakage' ELSE 'revenue:redemption_margin' END,
  'money', -margin_micro FROM named WHERE kind <> 15;
CREATE VIEW trial_balance AS
SELECT month, account, unit,
  SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS debits,
  SUM(CASE WHEN amount < 0 THEN -amount ELSE 0 END) AS credits
FROM account_line WHERE amount <> 0 GROUP BY month, account, unit;
)sql";

constexpr std::string_view fixed_tables = R"sql(
CREATE TABLE partner (
  partner INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE);
CREATE TABLE tariff (
  tariff INTEGER PRIMARY KEY,
  partner BIGINT NOT NULL,
  valid_from BIGINT NOT NULL,
  issue_price_micro BIGINT NOT NULL,
  service_fee_micro BIGINT NOT NULL,
  reimbursement_micro BIGINT NOT NULL,
  prefund_numerator BIGINT NOT NULL,
  prefund_denominator BIGINT NOT NULL,
  block_points BIGINT NOT NULL);
CREATE TABLE house_line (
  sequence BIGINT NOT NULL,
  number BIGINT NOT NULL,
  month TEXT NOT NULL,
  entry BIGINT NOT NULL,
  account TEXT NOT NULL,
  amount_micro BIGINT NOT NULL,
  PRIMARY KEY (sequence, number));
CREATE TABLE settlement_window (
  month TEXT PRIMARY KEY,
  first BIGINT NOT NULL,
  cut BIGINT NOT NULL,
  drained BIGINT NOT NULL);
CREATE TABLE position (
  month TEXT NOT NULL,
  kind BIGINT NOT NULL,
  partner BIGINT NOT NULL,
  counterparty BIGINT NOT NULL,
  tariff BIGINT NOT NULL,
  counterpart BIGINT NOT NULL,
  bearer BIGINT NOT NULL,
  debt_kind BIGINT NOT NULL,
  state BIGINT NOT NULL,
  vat_rate BIGINT NOT NULL,
  points BIGINT NOT NULL CHECK (points > 0),
  issuer_micro BIGINT NOT NULL,
  counterparty_micro BIGINT NOT NULL,
  liability_micro BIGINT NOT NULL,
  fee_micro BIGINT NOT NULL,
  margin_micro BIGINT NOT NULL,
  CHECK (issuer_micro = counterparty_micro + liability_micro + fee_micro + margin_micro),
  PRIMARY KEY (month, kind, partner, counterparty, tariff, counterpart, bearer, debt_kind, state, vat_rate));
)sql";

// The keys grow with the journal, so a row is always appended at the end of its table: in SQLite
// `INTEGER PRIMARY KEY` is the table's own order.
constexpr std::string_view window_tables = R"sql(
DROP TABLE IF EXISTS posting_{0};
DROP TABLE IF EXISTS entry_{0};
CREATE TABLE posting_{0} (
  sequence INTEGER PRIMARY KEY,
  type BIGINT NOT NULL,
  refusal BIGINT NOT NULL,
  partner BIGINT NOT NULL,
  message_id TEXT NOT NULL,
  member BIGINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  posted_at BIGINT NOT NULL,
  points BIGINT NOT NULL,
  tariff BIGINT NOT NULL,
  counterparty BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL,
  original BIGINT NOT NULL,
  other_member BIGINT NOT NULL,
  reversed_so_far BIGINT NOT NULL,
  available BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  held BIGINT NOT NULL,
  debt BIGINT NOT NULL);
CREATE TABLE entry_{0} (
  sequence BIGINT NOT NULL,
  number BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  points BIGINT NOT NULL CHECK (points > 0),
  issuer BIGINT NOT NULL,
  counterparty BIGINT NOT NULL,
  lot_origin BIGINT NOT NULL,
  lot_position BIGINT NOT NULL,
  tariff BIGINT NOT NULL,
  counterpart BIGINT NOT NULL,
  debt_origin BIGINT NOT NULL,
  debt_tariff BIGINT NOT NULL,
  debt_kind BIGINT NOT NULL,
  state BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  hold BIGINT NOT NULL,
  vat_rate BIGINT NOT NULL,
  funding BIGINT NOT NULL,
  activity_at BIGINT NOT NULL,
  expires_on BIGINT NOT NULL,
  issuer_micro BIGINT NOT NULL,
  counterparty_micro BIGINT NOT NULL,
  liability_micro BIGINT NOT NULL,
  fee_micro BIGINT NOT NULL,
  margin_micro BIGINT NOT NULL,
  CHECK (issuer_micro = counterparty_micro + liability_micro + fee_micro + margin_micro),
  PRIMARY KEY (sequence, number)) WITHOUT ROWID;
)sql";

// First those of the few rows that belong to earlier months, made with the tables: they cost next
// to nothing while these grow. Of the others what is asked for most: the messages of one partner.
constexpr std::size_t indexes_from_the_start = 3;
constexpr std::array<std::string_view, indexes_of_window> window_indexes{
    "CREATE INDEX IF NOT EXISTS posting_{0}_late ON posting_{0} (occurred_at)"
    " WHERE occurred_at < {1};",
    "CREATE INDEX IF NOT EXISTS posting_{0}_reversal ON posting_{0} (original)"
    " WHERE type = 3 AND original < {2};",
    "CREATE INDEX IF NOT EXISTS entry_{0}_recovered ON entry_{0} (debt_origin) WHERE kind = 7;",
    "CREATE INDEX IF NOT EXISTS posting_{0}_partner ON posting_{0} (partner, sequence);",
    "CREATE INDEX IF NOT EXISTS posting_{0}_member ON posting_{0} (member, sequence);",
    "CREATE INDEX IF NOT EXISTS entry_{0}_lot ON entry_{0} (lot_origin, lot_position);"};

// From those that depend on others to those on which they depend.
constexpr std::string_view drop_views = R"sql(
DROP VIEW IF EXISTS trial_balance;
DROP VIEW IF EXISTS account_line;
DROP VIEW IF EXISTS allocation;
DROP VIEW IF EXISTS entry;
DROP VIEW IF EXISTS posting;
DROP VIEW IF EXISTS entry_row;
DROP VIEW IF EXISTS posting_row;
)sql";

} // namespace

std::string posting_table(Month month)
{
    return "posting_" + suffix_of(month);
}

std::string entry_table(Month month)
{
    return "entry_" + suffix_of(month);
}

std::int64_t late_before(Month month)
{
    constexpr std::chrono::hours furthest_west{12};
    const std::chrono::sys_days first{
        std::chrono::year{month.year} / static_cast<int>(month.month) / 1};
    return micros_of(Time{first} + furthest_west);
}

void create_projection(Transaction& transaction)
{
    transaction.script("CREATE TABLE IF NOT EXISTS projection ("
                       " format BIGINT NOT NULL, sequence BIGINT NOT NULL);");
}

void create_schema(Transaction& transaction)
{
    transaction.script(fixed_tables);
    create_views(transaction, {});
    write_projection(transaction, Sequence{});
}

void drop_schema(Transaction& transaction)
{
    transaction.script(drop_views);
    for (const auto& window : read_windows(transaction))
        transaction.script(fmt::format(
            "DROP TABLE IF EXISTS {}; DROP TABLE IF EXISTS {};",
            posting_table(window.month),
            entry_table(window.month)));
    transaction.script("DROP TABLE house_line; DROP TABLE position; DROP TABLE settlement_window; "
                       "DROP TABLE tariff; DROP TABLE partner;"
                       "DELETE FROM projection;");
}

void create_window_tables(Transaction& transaction, const WindowRow& window)
{
    transaction.script(fmt::format(fmt::runtime(window_tables), suffix_of(window.month)));
    for (std::size_t place = 0; place < indexes_from_the_start; ++place)
        create_window_index(transaction, window, place);
}

void create_window_index(Transaction& transaction, const WindowRow& window, std::size_t place)
{
    transaction.script(fmt::format(
        fmt::runtime(window_indexes.at(place)),
        suffix_of(window.month),
        late_before(window.month),
        window.first.value()));
}

void create_views(Transaction& transaction, std::span<const WindowRow> windows)
{
    const auto newest = windows.last(std::min(windows.size(), windows_in_views_max));
    std::string sql{drop_views};
    sql += trial_balance_views;
    sql += fmt::format(
        "CREATE VIEW posting_row AS {};", union_of(newest, posting_columns, posting_table));
    sql +=
        fmt::format("CREATE VIEW entry_row AS {};", union_of(newest, entry_columns, entry_table));
    sql += fmt::format(
        "CREATE VIEW posting AS SELECT month, sequence, {}, {}, {}, message_id, member,"
        " occurred_at, posted_at, points, tariff, {}, amount_minor, original, other_member, "
        "reversed_so_far,"
        " available, pending, held, debt FROM posting_row AS listed;",
        named("type", MessageType::unwritten, [](MessageType type) { return name_of(type); }),
        named("refusal", last_refusal, code_of),
        partner_name("partner"),
        partner_name("counterparty"));
    sql += fmt::format(
        "CREATE VIEW entry AS SELECT month, sequence, number, {}, points, {}, {}, lot_origin,"
        " lot_position, tariff, counterpart, debt_origin, debt_tariff, debt_kind, state,"
        " until_at, hold, vat_rate, funding,"
        " activity_at, expires_on, issuer_micro, counterparty_micro, liability_micro, fee_micro,"
        " margin_micro FROM entry_row AS listed;",
        named("kind", last_entry_kind, [](EntryKind kind) { return name_of(kind); }),
        partner_name("issuer"),
        partner_name("counterparty"));
    // `change` is what the entry did to the lot.
    sql += "CREATE VIEW allocation AS SELECT month, sequence, number, lot_origin, lot_position,"
           " CASE WHEN kind IN (3, 10, 14, 19, 20, 22) THEN points ELSE -points END AS change"
           " FROM entry_row WHERE kind IN (2, 3, 4, 5, 7, 9, 10, 13, 14, 19, 20, 21, 22);";
    transaction.script(sql);
}

} // namespace pointhouse::ledger::books
