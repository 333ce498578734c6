#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ledger/invariant.hpp"
#include "settlement/general_ledger.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::Minor;

// Umsatz has ten digits before the comma.
constexpr std::int64_t turnover_max = 999'999'999'999;
constexpr int columns = 125;
constexpr int finality_column = 114; // Festschreibung
constexpr std::int64_t consultant_min = 1001;
constexpr std::int64_t consultant_max = 9'999'999;
constexpr std::int64_t client_max = 99'999;

// The names of the columns, as published, in Windows-1252.
// NOLINTNEXTLINE(readability-function-size): a table
std::vector<std::string> column_names()
{
    std::vector<std::string> names{
        "Umsatz (ohne Soll/Haben-Kz)",
        "Soll/Haben-Kennzeichen",
        "WKZ Umsatz",
        "Kurs",
        "Basis-Umsatz",
        "WKZ Basis-Umsatz",
        "Konto",
        "Gegenkonto (ohne BU-Schl\xFCssel)",
        "BU-Schl\xFCssel",
        "Belegdatum",
        "Belegfeld 1",
        "Belegfeld 2",
        "Skonto",
        "Buchungstext",
        "Postensperre",
        "Diverse Adressnummer",
        "Gesch\344ftspartnerbank",
        "Sachverhalt",
        "Zinssperre",
        "Beleglink"};
    const auto add = [&](std::initializer_list<const char*> more) {
        names.insert(names.end(), more.begin(), more.end());
    };
    for (int number = 1; number <= 8; ++number) {
        names.push_back(fmt::format("Beleginfo - Art {}", number));
        names.push_back(fmt::format("Beleginfo - Inhalt {}", number));
    }
    add(
        {"KOST1 - Kostenstelle",
         "KOST2 - Kostenstelle",
         "Kost-Menge",
         "EU-Land u. UStID (Bestimmung)",
         "EU-Steuersatz (Bestimmung)",
         "Abw. Versteuerungsart",
         "Sachverhalt L+L",
         "Funktionserg\xE4nzung L+L",
         "BU 49 Hauptfunktionstyp",
         "BU 49 Hauptfunktionsnummer",
         "BU 49 Funktionserg\xE4nzung"});
    for (int number = 1; number <= 20; ++number) {
        names.push_back(fmt::format("Zusatzinformation - Art {}", number));
        names.push_back(fmt::format("Zusatzinformation- Inhalt {}", number));
    }
    add(
        {"St\374ck",
         "Gewicht",
         "Zahlweise",
         "Forderungsart",
         "Veranlagungsjahr",
         "Zugeordnete F\xE4lligkeit",
         "Skontotyp",
         "Auftragsnummer",
         "Buchungstyp",
         "USt-Schl\xFCssel (Anzahlungen)",
         "EU-Land (Anzahlungen)",
         "Sachverhalt L+L (Anzahlungen)",
         "EU-Steuersatz (Anzahlungen)",
         "Erl\xF6skonto (Anzahlungen)",
         "Herkunft-Kz",
         "Buchungs GUID",
         "KOST-Datum",
         "SEPA-Mandatsreferenz",
         "Skontosperre",
         "Gesellschaftername",
         "Beteiligtennummer",
         "Identifikationsnummer",
         "Zeichnernummer",
         "Postensperre bis",
         "Bezeichnung SoBil-Sachverhalt",
         "Kennzeichen SoBil-Buchung",
         "Festschreibung",
         "Leistungsdatum",
         "Datum Zuord. Steuerperiode",
         "F\xE4lligkeit",
         "Generalumkehr (GU)",
         "Steuersatz",
         "Land",
         "Abrechnungsreferenz",
         "BVV-Position",
         "EU-Land u. UStID (Ursprung)",
         "EU-Steuersatz (Ursprung)",
         "Abw. Skontokonto"});
    ledger::invariant(std::ssize(names) == columns, "a Buchungsstapel has its columns");
    return names;
}

/// What each account of the general ledger comes to, in cents.
std::map<std::string, Minor> rounded(
    const GlBalances& balances, const Chart& chart, const ledger::Terms& terms)
{
    std::map<std::string, ledger::Micro> exact;
    for (const auto& [key, amount] : balances)
        exact[chart.of(key.first, key.second, terms).number] += amount;
    std::map<std::string, Minor> minor;
    std::int64_t sum = 0;
    for (const auto& [number, amount] : exact) {
        minor[number] = ledger::minor_units_of(amount, terms.currency);
        sum += minor[number].count;
    }
    minor[chart.of(ledger::Account::rounding, {}, terms).number].count -= sum;
    return minor;
}

std::string digits_of(ledger::Day day)
{
    std::string text = ledger::format_day(day);
    std::erase(text, '-');
    return text;
}

struct Frame {
    ledger::Month window{};
    ledger::Day from = 0;
    ledger::Day to = 0;
    std::string currency{};
};

std::string header(const Frame& frame, const DatevClient& client)
{
    const auto year =
        frame.window.month < client.fiscal_year_month ? frame.window.year - 1 : frame.window.year;
    // The file has no date but the window's end, so that it can be written again.
    return fmt::format(
        "\"EXTF\";700;21;\"Buchungsstapel\";13;{}235959000;;\"RE\";\"\";\"\";{};{};{:04}{:02}01;{};"
        "{};{};\"Pointhouse {}\";\"\";1;0;0;\"{}\";;\"\";;;\"\";;;\"\";\"\"\r\n",
        digits_of(frame.to),
        client.consultant,
        client.client,
        year,
        client.fiscal_year_month,
        client.account_digits,
        digits_of(frame.from),
        digits_of(frame.to),
        ledger::format_month(frame.window),
        frame.currency);
}

std::string row(
    const Frame& frame, const std::string& number, Minor amount, const DatevClient& client)
{
    const auto count = std::abs(amount.count);
    const auto month_and_day = digits_of(frame.to).substr(4);
    std::vector<std::string> cells(columns);
    cells[0] = fmt::format("{},{:02}", count / 100, count % 100);
    cells[1] = amount.count > 0 ? "\"S\"" : "\"H\"";
    cells[2] = fmt::format("\"{}\"", frame.currency);
    cells[6] = number;
    cells[7] = client.clearing;
    cells[9] = month_and_day.substr(2) + month_and_day.substr(0, 2);
    cells[10] = fmt::format("\"{}\"", ledger::format_month(frame.window));
    cells[13] = fmt::format("\"Pointhouse {}\"", ledger::format_month(frame.window));
    cells[finality_column - 1] = "0";
    return fmt::format("{}\r\n", fmt::join(cells, ";"));
}

std::optional<std::string> fault_of(
    const DatevClient& client, const Chart& chart, const ledger::Currency& currency)
{
    if (currency.minor_digits != 2) return "DATEV counts in hundredths of a currency";
    if (client.consultant < consultant_min || client.consultant > consultant_max)
        return fmt::format("consultant is from {} to {}", consultant_min, consultant_max);
    if (client.client < 1 || client.client > client_max)
        return fmt::format("client is from 1 to {}", client_max);
    if (client.account_digits < 4 || client.account_digits > 8)
        return "account_digits is from 4 to 8";
    if (client.fiscal_year_month < 1 || client.fiscal_year_month > 12)
        return "fiscal_year_month is from 1 to 12";
    const auto is_account = [&](const std::string& number) {
        return std::ssize(number) == client.account_digits &&
               std::ranges::all_of(number, [](char each) { return each >= '0' && each <= '9'; });
    };
    if (!is_account(client.clearing))
        return fmt::format("clearing must have {} digits", client.account_digits);
    for (const auto& [house, account] : chart.accounts) {
        if (!is_account(account.number))
            return fmt::format("{}: must have {} digits", house, client.account_digits);
        if (account.number == client.clearing)
            return fmt::format("{}: is the clearing account", house);
    }
    return std::nullopt;
}

} // namespace

std::expected<std::string, std::string> datev_file(
    const GlBalances& before,
    const GlBalances& after,
    ledger::Month window,
    const Chart& chart,
    const ledger::Terms& terms)
{
    if (!chart.datev) return std::unexpected("the chart has no table [datev]");
    const auto& client = *chart.datev;
    if (const auto fault = fault_of(client, chart, terms.currency)) return std::unexpected(*fault);

    const auto first = ledger::parse_day(ledger::format_month(window) + "-01");
    ledger::invariant(first.has_value(), "a month has a first day");
    const Frame frame{
        .window = window,
        .from = *first,
        .to = ledger::last_of_month(*first),
        .currency = terms.currency.code};
    const auto was = rounded(before, chart, terms);
    auto moved = rounded(after, chart, terms);
    for (const auto& [number, amount] : was) moved[number].count -= amount.count;

    std::string text = header(frame, client);
    text += fmt::format("{}\r\n", fmt::join(column_names(), ";"));
    std::int64_t sum = 0;
    for (const auto& [number, amount] : moved) {
        if (amount.count == 0) continue;
        if (std::abs(amount.count) > turnover_max)
            return std::unexpected(fmt::format("{}: more than DATEV has digits for", number));
        text += row(frame, number, amount, client);
        sum += amount.count;
    }
    ledger::invariant(sum == 0, "debits equal credits in a file");
    return text;
}

} // namespace pointhouse::settlement
