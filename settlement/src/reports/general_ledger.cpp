#include "settlement/general_ledger.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

#include "ledger/invariant.hpp"
#include "ledger/journal_export.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Account;
using ledger::AccountLine;
using ledger::PartnerId;

constexpr std::array<std::pair<std::string_view, GlRoot>, 5> roots{
    {{"assets", GlRoot::assets},
     {"liabilities", GlRoot::liabilities},
     {"equity", GlRoot::equity},
     {"income", GlRoot::income},
     {"expenses", GlRoot::expenses}}};

constexpr std::size_t number_digits_max = 9;
constexpr std::size_t name_max = 60;

std::string_view beancount_root(GlRoot root)
{
    switch (root) {
    case GlRoot::assets: return "Assets";
    case GlRoot::liabilities: return "Liabilities";
    case GlRoot::equity: return "Equity";
    case GlRoot::income: return "Income";
    case GlRoot::expenses: return "Expenses";
    }
    return "";
}

bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

bool is_letter(char letter)
{
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
}

// Two blanks end an account's name in hledger; beancount has none in it at all.
bool is_readable(const GlAccount& account)
{
    const bool has_number = !account.number.empty() && account.number.size() <= number_digits_max &&
                            std::ranges::all_of(account.number, is_digit);
    const bool has_name = !account.name.empty() && account.name.size() <= name_max &&
                          account.name.front() != ' ' && account.name.back() != ' ' &&
                          account.name.find("  ") == std::string::npos;
    return has_number && has_name && std::ranges::all_of(account.name, [](char letter) {
               return is_digit(letter) || is_letter(letter) || letter == ' ' || letter == '-';
           });
}

std::vector<Account> accounts_in_money()
{
    std::vector<Account> found;
    for (auto number = 0; number <= static_cast<int>(ledger::last_account); ++number)
        if (ledger::is_in_money(static_cast<Account>(number)))
            found.push_back(static_cast<Account>(number));
    return found;
}

/// The partner's part of an account's name, in a form that the format takes.
std::string partner_part(
    GlFormat format, Account account, PartnerId partner, const ledger::Terms& terms)
{
    const auto form = format == GlFormat::hledger ? ledger::ExportFormat::hledger
                                                  : ledger::ExportFormat::beancount;
    const std::string name = ledger::exported_account(form, account, partner, terms);
    return name.substr(name.rfind(':') + 1);
}

} // namespace

std::optional<GlRoot> find_root(std::string_view name) noexcept
{
    for (const auto& [each, root] : roots)
        if (each == name) return root;
    return std::nullopt;
}

const GlAccount& Chart::of(Account account, PartnerId partner, const ledger::Terms& terms) const
{
    if (!partner.is_none()) {
        const auto own = accounts.find(ledger::account_name(account, partner, terms));
        if (own != accounts.end()) return own->second;
    }
    const auto found = accounts.find(ledger::account_name(account, {}, terms));
    ledger::invariant(found != accounts.end(), "a whole chart has every account in money");
    return found->second;
}

std::optional<std::string> Chart::fault(const ledger::Terms& terms) const
{
    std::set<std::string, std::less<>> known;
    for (const auto account : accounts_in_money()) {
        const auto name = ledger::account_name(account, {}, terms);
        if (!accounts.contains(name)) return fmt::format("the chart has no account {}", name);
        known.insert(name);
    }
    std::map<std::string, const GlAccount*> by_number;
    for (const auto& [house, account] : accounts) {
        const auto named = ledger::find_account(house, terms);
        const bool is_known =
            known.contains(house) || (named && ledger::is_in_money(named->account));
        if (!is_known) return fmt::format("the house has no account {} in money", house);
        if (!is_readable(account)) {
            return fmt::format(
                "{}: a number is of 1 to {} digits; a name of up to {} letters, digits, '-' and "
                "single blanks",
                house,
                number_digits_max,
                name_max);
        }
        const auto* const other = by_number.emplace(account.number, &account).first->second;
        if (*other != account)
            return fmt::format("{}: {} is another account already", house, account.number);
    }
    return std::nullopt;
}

void GlSummary::add(ledger::Day day, std::span<const AccountLine> lines)
{
    for (const auto& line : lines)
        sums_[{
            .day = day,
            .account = line.account,
            .partner = line.partner,
            .is_credit = line.amount < 0}] += ledger::Micro{line.amount};
}

std::vector<GlEntry> GlSummary::entries() const
{
    std::vector<GlEntry> entries;
    for (const auto& [key, amount] : sums_) {
        if (entries.empty() || entries.back().day != key.day)
            entries.push_back({.day = key.day, .reference = {}, .text = {}, .lines = {}});
        entries.back().lines.push_back(
            {.account = key.account,
             .partner = key.partner,
             .issuer = {},
             .amount = amount.count()});
    }
    return entries;
}

GlWriter::GlWriter(
    GlFormat format,
    const Chart& chart,
    const ledger::Terms& terms,
    const std::function<void(std::string_view)>& write)
    : format_{format}, chart_{chart}, terms_{terms}, write_{write}
{}

std::string GlWriter::account_name(const AccountLine& line) const
{
    const auto& account = chart_.of(line.account, line.partner, terms_);
    std::string name = account.number + (format_ == GlFormat::hledger ? " " : "-") + account.name;
    if (format_ == GlFormat::beancount) {
        std::ranges::replace(name, ' ', '-');
        name = fmt::format("{}:{}", beancount_root(account.root), name);
    }
    if (account.by_partner && !line.partner.is_none())
        name += ":" + partner_part(format_, line.account, line.partner, terms_);
    return name;
}

void GlWriter::declare(const GlEntry& entry, std::string& text)
{
    const auto& currency = terms_.currency.code;
    if (!has_header_) {
        text += format_ == GlFormat::hledger ? fmt::format(
                                                   "; Pointhouse, general ledger.\ndecimal-mark .\n"
                                                   "commodity 1000.000000 {}\n\n",
                                                   currency)
                                             : fmt::format(
                                                   "; Pointhouse, general ledger.\n"
                                                   "option \"title\" \"Pointhouse\"\n"
                                                   "option \"operating_currency\" \"{}\"\n\n",
                                                   currency);
        has_header_ = true;
    }
    for (const auto& line : entry.lines) {
        const std::string name = account_name(line);
        if (!declared_.insert(name).second) continue;
        // Beancount wants accounts opened before their first use; no entry is older.
        text += format_ == GlFormat::hledger ? fmt::format("account {}\n", name)
                                             : fmt::format("1970-01-01 open {}\n", name);
    }
}

void GlWriter::entry(const GlEntry& entry)
{
    std::string text;
    declare(entry, text);
    const auto day = ledger::format_day(entry.day);
    text +=
        format_ == GlFormat::hledger
            ? fmt::format("{} * ({}) {}\n", day, entry.reference, entry.text)
            : fmt::format("{} * \"{}\"\n  reference: \"{}\"\n", day, entry.text, entry.reference);
    for (const auto& line : entry.lines)
        text += fmt::format(
            "  {}  {} {}\n",
            account_name(line),
            ledger::format_micro(ledger::Micro{line.amount}),
            terms_.currency.code);
    text += "\n";
    write_(text);
}

} // namespace pointhouse::settlement
