#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "calendar_file.hpp"
#include "commands.hpp"
#include "named_net.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;
using ledger::format_day;
using settlement::CalendarTerms;

// What days can be written in (ledger::parse_day).
constexpr std::int32_t year_min = 1970;
constexpr std::int32_t year_max = 2198;

struct Options {
    std::int32_t year = 0;
    std::string file;
    std::string from; // of what is taken back
    std::string program;
    std::string reason;
};

json::object terms_json(const CalendarTerms& terms)
{
    json::object shown{
        {"from", ledger::format_month(terms.from)},
        {"billing_days", terms.billing_days},
        {"payment_days", terms.payment_days},
        {"pay_days", terms.pay_days},
        {"objection_days", terms.objection_days},
        {"roll", settlement::name_of(terms.roll)}};
    if (!terms.holidays.empty()) {
        json::array holidays;
        for (const auto day : terms.holidays) holidays.emplace_back(format_day(day));
        shown.emplace("holidays", std::move(holidays));
    }
    if (!terms.program.empty()) shown.emplace("program", terms.program);
    return shown;
}

json::array versions_of(const settlement::PaymentCalendar& calendar)
{
    json::array versions;
    if (calendar.versions_of("").empty()) versions.push_back(terms_json(CalendarTerms{}));
    for (const auto& [program, own] : calendar.versions())
        for (const auto& [from, terms] : own) versions.push_back(terms_json(terms));
    return versions;
}

json::array withdrawn_of(const settlement::PaymentCalendar& calendar)
{
    json::array withdrawn;
    for (const auto& [terms, reason] : calendar.withdrawn()) {
        auto row = terms_json(terms);
        row.emplace("reason", reason);
        withdrawn.push_back(std::move(row));
    }
    return withdrawn;
}

/// One of the house's; empty: the house's own calendar, as that of partners without one.
std::string known_program(House& house, const std::string& typed)
{
    auto program = read_program(typed);
    const auto& programs = house.registry().programs();
    if (program.empty() || std::ranges::find(programs, program) != programs.end()) return program;
    std::string names;
    for (const auto& name : programs) names += (names.empty() ? "" : ", ") + name;
    throw CommandFailure{fmt::format(
        "{} is none of the house's programs: {}",
        program,
        names.empty() ? "it has none" : "they are " + names)};
}

CommandResult show(House& house, const Options& options, const Invocation& typed)
{
    const auto& calendar = house.documents().calendar();
    const auto& zone = *house.registry().terms()->calendar;
    const auto program = known_program(house, options.program);
    json::array windows;
    std::string text =
        fmt::format("{:<8}{:<22}{:<12}{:<12}{}\n", "window", "cut-off", "billed", "due", "paid");
    for (std::int32_t month = 1; month <= 12; ++month) {
        const ledger::Month window{.year = options.year, .month = month};
        const auto dates = calendar.dates_of(window, program);
        const auto cut_off = ledger::format_time(zone.start_of(window.next()));
        windows.push_back(json::object{
            {"window", ledger::format_month(window)},
            {"cut_off", cut_off},
            {"billing_on", format_day(dates.billing_on)},
            {"due_on", format_day(dates.due_on)},
            {"pay_on", format_day(dates.pay_on)}});
        text += fmt::format(
            "{:<8}{:<22}{:<12}{:<12}{}\n",
            ledger::format_month(window),
            cut_off,
            format_day(dates.billing_on),
            format_day(dates.due_on),
            format_day(dates.pay_on));
    }
    json::array closed;
    for (const auto day : settlement::closing_days(options.year))
        closed.emplace_back(format_day(day));
    for (const auto& [of, own] : calendar.versions())
        for (const auto& [from, terms] : own) text += settlement::in_words(terms) + "\n";
    for (const auto& [terms, reason] : calendar.withdrawn())
        text += fmt::format("{}; taken back: {}\n", settlement::in_words(terms), reason);
    json::object shown{
        {"year", options.year},
        {"time_zone", zone.time_zone()},
        {"windows", std::move(windows)},
        {"closing_days", std::move(closed)},
        {"terms", versions_of(calendar)},
        {"withdrawn", withdrawn_of(calendar)}};
    if (!program.empty()) shown.emplace("program", program);
    return report(typed, shown, text);
}

CommandResult set(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "sets its calendar");
    const auto terms = read_calendar(typed.path(options.file));
    static_cast<void>(known_program(house, terms.program));
    const auto entry = require(
        house.documents().calendar().set(terms, house.documents().closings().last_closed()));
    const auto permitted =
        ask_permission(house, "set the calendar " + settlement::in_words(terms), typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return report(
        typed, terms_json(terms), fmt::format("calendar {}\n", settlement::in_words(terms)));
}

CommandResult withdraw(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "takes its calendar back");
    const auto program = known_program(house, options.program);
    const auto entry = require(
        house.documents().withdraw_calendar(read_window(options.from), options.reason, program));
    const auto of = program.empty() ? "" : fmt::format(" of {}", program);
    const auto permitted = ask_permission(
        house,
        fmt::format("take the calendar{} from {} back: {}", of, options.from, options.reason),
        typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return report(
        typed,
        {{"from", options.from}, {"withdrawn", options.reason}},
        fmt::format("the calendar{} from {} is taken back\n", of, options.from));
}

} // namespace

void declare_calendar(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "calendar", "When windows end, are billed, due and paid");
    const auto options = std::make_shared<Options>();
    auto& showing = declare_in_house(
        group,
        "show",
        "The dates of a year's windows, on business days of T2",
        invocation,
        [options](House& house, const Invocation& typed) { return show(house, *options, typed); });
    showing.add_option("--year", options->year, "2026")
        ->required()
        ->check(CLI::Range(year_min, year_max));
    showing.add_option("--program", options->program, "The dates of this one of the house's");
    add_json_option(showing, invocation);

    auto& setting = declare_in_house(
        group,
        "set",
        "Set billing, due and pay days from a window on that is not closed yet",
        invocation,
        [options](House& house, const Invocation& typed) { return set(house, *options, typed); });
    setting.add_option("FILE", options->file, "With one [calendar] table")
        ->required()
        ->type_name("FILE.toml");
    add_json_option(setting, invocation);

    auto& withdrawing = declare_in_house(
        group,
        "withdraw",
        "Take terms back by which nothing was issued",
        invocation,
        [options](House& house, const Invocation& typed) {
            return withdraw(house, *options, typed);
        });
    withdrawing.add_option("WINDOW", options->from, "The first one they are for")->required();
    withdrawing.add_option("--program", options->program, "Of this one of the house's");
    withdrawing.add_option("--reason", options->reason, "Why")->required()->check(has_words());
    add_json_option(withdrawing, invocation);
}

} // namespace pointhouse::ops
