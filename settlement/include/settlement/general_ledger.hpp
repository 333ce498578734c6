#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/accounts.hpp"
#include "ledger/ids.hpp"
#include "ledger/money.hpp"
#include "ledger/terms.hpp"
#include "ledger/time.hpp"

namespace pointhouse::settlement {

/// Where an account stands in a balance sheet or an income statement.
enum class GlRoot : std::uint8_t { assets, liabilities, equity, income, expenses };

[[nodiscard]] std::optional<GlRoot> find_root(std::string_view name) noexcept;

/// An account of the general ledger, for one or more of the house's accounts in money.
struct GlAccount {
    std::string number{}; // digits
    std::string name{};   // letters, digits, blanks and '-'; begins with a capital or a digit
    GlRoot root = GlRoot::assets;
    bool by_partner = false; // an account below it for each partner
    friend bool operator==(const GlAccount&, const GlAccount&) = default;
};

/// What DATEV needs to know of who keeps the books.
struct DatevClient {
    std::int64_t consultant = 0; // Beraternummer
    std::int64_t client = 0;     // Mandantennummer
    std::int32_t fiscal_year_month = 1;
    std::int32_t account_digits = 4; // Sachkontenlänge
    std::string clearing{};          // the account against which every sum is booked
};

/// Which account of the general ledger each of the house's accounts is: data that a person writes.
struct Chart {
    /// By the house's name of it: "unbilled", or of one partner alone, "unbilled:GRO".
    std::map<std::string, GlAccount, std::less<>> accounts{};
    std::optional<DatevClient> datev{};

    /// Pre: the chart is whole.
    [[nodiscard]] const GlAccount& of(
        ledger::Account account, ledger::PartnerId partner, const ledger::Terms& terms) const;
    /// What is wrong with it first, in words: an account in money without a place, two accounts of
    /// one number that differ, a name that a journal could misread; none when it is whole.
    [[nodiscard]] std::optional<std::string> fault(const ledger::Terms& terms) const;
};

/// One entry of the general ledger, in money: its lines sum to zero.
struct GlEntry {
    ledger::Day day = 0;
    std::string reference{}; // "17", a posting; or "2026-06"
    std::string text{};
    std::vector<ledger::AccountLine> lines{};
};

/// Sums lines by day, account and side. The order in which they come does not matter.
class GlSummary {
public:
    void add(ledger::Day day, std::span<const ledger::AccountLine> lines);
    /// One entry a day, lines by account, then partner, debits first.
    [[nodiscard]] std::vector<GlEntry> entries() const;

private:
    struct Key {
        ledger::Day day = 0;
        ledger::Account account{};
        ledger::PartnerId partner{};
        bool is_credit = false;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    std::map<Key, ledger::Micro> sums_;
};

enum class GlFormat : std::uint8_t { hledger, beancount };

/// Writes entries for an independent book-keeping program, amounts exact. The same entries give the
/// same bytes. Pure but for `write`; one thread.
class GlWriter {
public:
    /// Pre: the chart is whole. All of it outlives the writer.
    GlWriter(
        GlFormat format,
        const Chart& chart,
        const ledger::Terms& terms,
        const std::function<void(std::string_view)>& write);
    void entry(const GlEntry& entry);

private:
    [[nodiscard]] std::string account_name(const ledger::AccountLine& line) const;
    void declare(const GlEntry& entry, std::string& text);

    GlFormat format_;
    const Chart& chart_;
    const ledger::Terms& terms_;
    const std::function<void(std::string_view)>& write_;
    std::set<std::string> declared_;
    bool has_header_ = false;
};

/// What each of the house's accounts in money came to.
using GlBalances = std::map<std::pair<ledger::Account, ledger::PartnerId>, ledger::Micro>;

/// A window as DATEV reads it: EXTF 700, Buchungsstapel version 13
/// (https://developer.datev.de, DATEV-Format), Windows-1252, a row per account against the clearing
/// account. DATEV counts in cents: an account's balance there is that of the house, rounded half
/// away from zero, after every window; what rounding leaves over is on the account of `rounding`.
/// So debits equal credits in each file. None, in words: what DATEV cannot take. Pure.
/// Pre: the chart is whole; both balances sum to zero; `after` has every account of `before`.
[[nodiscard]] std::expected<std::string, std::string> datev_file(
    const GlBalances& before,
    const GlBalances& after,
    ledger::Month window,
    const Chart& chart,
    const ledger::Terms& terms);

} // namespace pointhouse::settlement
