#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/time.hpp"
#include "settlement/bank_import.hpp"
#include "settlement/bank_statement.hpp"

namespace pointhouse::settlement {

/// What is to be paid: a document, or a partner's net position of a window. In the sign of the
/// house's account: above zero the house is to receive, below it is to pay. Never zero.
struct OpenItem {
    std::string id{};
    ledger::PartnerId partner{};
    std::string program{}; // whose money it is; empty: of none
    ledger::Minor open{};
    std::string currency{}; // ISO 4217; empty: the house's own
    ledger::Day due_on = 0;
    std::vector<std::string> references{}; // numbers of documents, end-to-end ids, the window
};

/// Whose IBANs are known: of a company with a contract in several programs, of each of them.
using PartnerAccounts = std::multimap<std::string, ledger::PartnerId>;

/// What of a bank row has found no item yet. Never zero.
struct OpenRow {
    BankRowNumber number = 0;
    ledger::Minor open{};
    BankRow row{};
};

/// What an earlier match paid, or a return undid: these cancel each other, so that a payment comes
/// back once.
struct PaidPart {
    std::string item{};
    ledger::Minor amount{};
    std::string end_to_end_id{}; // of the row; a return may also name the item by its id
};

struct MatchingRules {
    ledger::Minor tolerance{};       // the largest residual that is written off; zero: none is
    std::string write_off_account{}; // where to
};

/// Currencies are not mixed: all amounts are in one. Ids and numbers are unique. The spans live
/// through the call.
struct MatchingInput {
    std::span<const OpenItem> items{};
    std::span<const OpenRow> rows{};
    std::span<const PaidPart> paid{};
    const PartnerAccounts& accounts;
    MatchingRules rules{};
};

enum class MatchKind : std::uint8_t {
    by_reference, // the row names what it pays
    exact,        // the only item of the amount, and the only row
    one_to_many,  // the only items that sum to the row
    many_to_one,  // the only rows that sum to the item
    tolerated,    // the only item within the tolerance, and the only row
    only_item,    // the partner has one open item: part of it, or more than it
    returned,     // the bank sends a payment back: its item is open again
    by_hand,      // a person said so
};

[[nodiscard]] std::string_view name_of(MatchKind kind) noexcept;

/// So much of a row pays so much of an item; in the sign of the account.
struct MatchPart {
    BankRowNumber row = 0;
    std::string item{};
    ledger::Minor amount{};
    friend bool operator==(const MatchPart&, const MatchPart&) = default;
};

/// A residual that is not worth a letter: of an item, that stays unpaid, or of a row, that pays
/// nothing; the other is none.
struct WriteOff {
    std::string item{};
    BankRowNumber row = 0;
    ledger::Minor amount{};
    std::string account{};
    friend bool operator==(const WriteOff&, const WriteOff&) = default;
};

/// What is settled by what, as a value: the record of it is for ever, and another record reverses
/// it
/// (`reopen`).
struct Match {
    MatchKind kind = MatchKind::by_reference;
    std::vector<MatchPart> parts{}; // by row, then item
    std::optional<WriteOff> write_off{};
    friend bool operator==(const Match&, const Match&) = default;
};

enum class Doubt : std::uint8_t {
    several_items,    // more than one choice of items fits the row
    several_rows,     // more than one row fits the item, or they want the same items
    several_partners, // the row names items of more than one partner or program
    too_many,         // the search was given up: see `search_steps_max`
    other_amount,     // the partner has several items, and none fits
    unknown_return,   // no payment is known that this row sends back
};

[[nodiscard]] std::string_view name_of(Doubt doubt) noexcept;

/// What a person has to decide. At most three choices are named, each a set of items.
struct Suggestion {
    BankRowNumber row = 0;
    Doubt doubt = Doubt::several_items;
    std::vector<std::vector<std::string>> choices{};
    friend bool operator==(const Suggestion&, const Suggestion&) = default;
};

struct Matching {
    std::vector<Match> matches{};
    std::vector<Suggestion> suggestions{}; // by row; a row that fits nothing at all has none
};

/// A search for sums looks at so many combinations of items (or rows) for one row (or item).
inline constexpr std::int32_t search_steps_max = 100'000;
/// A reference shorter than this is not looked for in free text.
inline constexpr std::size_t text_reference_min = 4;

/// Matches rows of the bank with what is open, in stages; each looks at what the ones before left,
/// and at all rows at once, so that the order of the input does not matter:
/// 1. references: the end-to-end id, the creditor reference, or whole words of the remittance text.
///    All items that the row names, oldest due first; a residual within the tolerance is written
///    off, else an item stays open in part, or the row does.
/// 2. one row, one item of exactly its amount. 3. one row, several items of one partner. 4. several
///    rows of one payer, one item. 5. one row, one item within the tolerance. 6. the only open item
///    of the partner that the account belongs to, in part or with an over-payment.
/// 7. returns undo what was paid, also by the matches just made.
/// An account that belongs to a partner pays that partner's items alone. A row that names items of
/// several programs pays them together to the cent, or not at all; what a program owes is never
/// taken off what another is owed. What has more than one
/// solution is not matched but suggested. Pure; any thread. Pre: amounts are below 10¹⁸.
/// Post: parts and write-offs never take more than is open of a row or an item (but of an item that
/// a return opens again).
[[nodiscard]] Matching match(const MatchingInput& input);

/// What is open, by item and by row. Nothing is kept of what is zero.
struct OpenAmounts {
    std::map<std::string, ledger::Minor> items{};
    std::map<BankRowNumber, ledger::Minor> rows{};
    friend bool operator==(const OpenAmounts&, const OpenAmounts&) = default;
};

/// Takes what a match settles from both sides.
void settle(OpenAmounts& open, const Match& match);
/// Reverses it. Post: `open` is what it was before `settle`.
void reopen(OpenAmounts& open, const Match& match);

} // namespace pointhouse::settlement
