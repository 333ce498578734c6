#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settlement/bank_statement.hpp"

namespace pointhouse::settlement {

/// The house's own number of a bank row, from 1, in the order in which rows became known. Matches
/// name it; it never changes.
using BankRowNumber = std::uint32_t;

/// What remains of a statement once its rows are in the book.
struct ImportedStatement {
    BankStatement statement{};         // without its rows
    std::vector<BankRowNumber> rows{}; // what it shows, new or known before, in its order
    ledger::Day first_day = 0;         // that it says anything about
    ledger::Day last_day = 0;
};

/// All that banks have told about all accounts. A fold: `take` after each `import_statement`.
struct BankBook {
    struct Row {
        std::string account{};
        ledger::Currency currency{};
        BankRow row{};
    };
    std::vector<ImportedStatement> statements{}; // in order of import
    std::vector<Row> rows{};                     // rows[number - 1]
};

/// What is missing between statements of an account.
struct StatementGap {
    std::string account{};
    /// Numbers that no statement has had; none where banks do not number.
    std::optional<std::int64_t> first_missing{};
    std::optional<std::int64_t> last_missing{};
    /// Where the numbers are whole, or there are none, and yet a statement does not open with what
    /// the one before closed with: by how much it opens higher.
    ledger::Minor balance_difference{};
    ledger::Day after = 0;  // the day on which the statement before it closed
    ledger::Day before = 0; // on which the one after it opened
    friend bool operator==(const StatementGap&, const StatementGap&) = default;
};

/// What an import changes. What is missing beside it: `find_gaps`, once it is taken.
struct BankImport {
    bool is_repeated = false;           // known already, to the last row: nothing changes
    ImportedStatement statement{};      // to be kept
    std::vector<BankBook::Row> added{}; // rows that become known; the next numbers are theirs
};

/// Another content under the identity of a statement that is known. In words, for a person.
struct ImportFault {
    std::string words{};
};

/// Decides what a statement adds to what is known. Pure; any thread.
///
/// A statement is the one that is known when account, id, numbers, page and period are the same:
/// then it changes nothing, or is refused when its balances or rows differ.
///
/// Rows have no id that every bank gives and keeps, so a row is known by all that the bank says of
/// it but its place and number in the statement (which change when a bank cuts statements anew),
/// and by how often the statement shows it: two equal payments on one day are two rows. Where
/// statements overlap, the larger number of equal rows counts, not the sum.
///
/// Statements do not overlap when one begins after the other's period, or goes on where the other
/// ended: it opens with the balance that the other closed with and, of the same period or where
/// there are none, has a higher number. Equal rows of such statements are different rows. One case
/// is left: rows that cancel out leave the balance where it was, so that a repeated statement looks
/// like the next one. Then the bank's references, or the same period, tell: such rows are known
/// when they sum to zero. `unexplained_balance` shows what no rule can know.
[[nodiscard]] std::expected<BankImport, ImportFault> import_statement(
    const BankBook& book, const BankStatement& statement);

/// Brings an import into the book. Pre: it was decided on this book.
void take(BankBook& book, BankImport imported);

/// What is missing between the statements of an account, in the order of days. Numbers may begin
/// anew with a year.
[[nodiscard]] std::vector<StatementGap> find_gaps(const BankBook& book, std::string_view account);

/// What the rows of an account do not explain of the way from its first opening balance to its last
/// closing balance. Zero: no row is missing and none is there twice.
[[nodiscard]] ledger::Minor unexplained_balance(const BankBook& book, std::string_view account);

} // namespace pointhouse::settlement
