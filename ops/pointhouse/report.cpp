#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <span>

#include "answers.hpp"
#include "commands.hpp"
#include "estimates_file.hpp"
#include "gateway/settlement_source.hpp"
#include "house_movements.hpp"
#include "named_net.hpp"
#include "report_programs.hpp"
#include "report_source.hpp"
#include "report_xlsx.hpp"
#include "settlement/expiry_vat.hpp"
#include "settlement/printed_report.hpp"
#include "settlement/receivables.hpp"
#include "settlement/reports.hpp"
#include "whole_file.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using ledger::Movement;
using settlement::Report;

struct Options {
    std::string window;
    std::string from;
    std::string at;
    std::optional<std::uint64_t> sequence;
    std::string partner;
    std::string program;
    std::string estimates;
    bool csv = false;
    std::string xlsx;
    std::string pdf;
};

/// A report, and how it is printed; most are not.
struct Made {
    // NOLINTNEXTLINE(google-explicit-constructor): a report is what most of them make
    Made(Report made) : report{std::move(made)} {}
    Made(Report made, settlement::PrintedReport page)
        : report{std::move(made)}, printed{std::move(page)}
    {}

    Report report;
    std::optional<settlement::PrintedReport> printed;
};

/// An instant, or a day: its first for the beginning of an interval, its last for the end.
ledger::Time read_instant(const std::string& typed, const ledger::Calendar& calendar, bool is_end)
{
    if (const auto time = ledger::parse_time(typed)) return *time;
    const auto day = ledger::parse_day(typed);
    if (!day)
        throw CommandFailure{"an instant is written 2026-06-14T10:00:00Z, or 2026-06-14 of a day"};
    return is_end ? calendar.start_of(*day + 1) - std::chrono::microseconds{1}
                  : calendar.start_of(*day);
}

Interval read_interval(
    const Options& options, const ledger::Calendar& calendar, std::span<const ledger::Window> known)
{
    Interval interval;
    if (!options.window.empty()) {
        interval.window = read_window(options.window);
        if (std::ranges::find(known, *interval.window, &ledger::Window::month) == known.end())
            throw CommandFailure{fmt::format("the house has no window {}", options.window)};
    }
    if (!options.from.empty()) interval.from = read_instant(options.from, calendar, false);
    if (!options.at.empty()) interval.to = read_instant(options.at, calendar, true);
    if (interval.from && interval.to && *interval.to < *interval.from)
        throw CommandFailure{fmt::format("{} is before {}", options.at, options.from)};
    interval.sequence = options.sequence;
    return interval;
}

void add_money(const Movement& movement, settlement::GlBalances& balances)
{
    for (const auto& line : movement.lines)
        if (ledger::is_in_money(line.account))
            balances[{line.account, line.partner}] += ledger::Micro{line.amount};
}

/// `programs[id - 1]`; `program`: of its issuers alone, where one is given.
Made roll_forward(
    const ReportSource& source,
    std::vector<std::string> programs,
    const std::optional<std::string>& program)
{
    settlement::RollForward fold;
    ledger::Micro liability;
    source.for_each([&](const Movement& movement, bool is_before) {
        for (const auto& row : movement.positions) fold.add(row, is_before);
        for (const auto& line : movement.lines)
            if (line.account == ledger::Account::deferred_revenue)
                liability -= ledger::Micro{line.amount};
    });
    auto rows = fold.rows();
    // Of issuers in the report alone: a partner that comes later changes nothing of it.
    const auto program_of = [&](const settlement::LiabilityRollForward& row) {
        return programs[row.issuer.value() - 1];
    };
    if (program && std::ranges::find(rows, *program, program_of) == rows.end())
        throw CommandFailure{fmt::format(
            "no issuer of the program {} had points", program_in_words({{}, *program}))};
    if (!program && std::ranges::all_of(rows, &std::string::empty, program_of)) programs.clear();
    settlement::ReportTable control{
        .name = "control", .columns = {"account", "ledger", "report", "difference"}, .rows = {}};
    ledger::Micro closing;
    for (const auto& row : rows) closing += row.closing.liability;
    control.rows.push_back(
        {std::string{"deferred_revenue"}, liability, closing, liability - closing});
    auto of = source.as_printed();
    if (program) {
        of.number += ", program " + program_in_words({{}, *program});
        std::erase_if(rows, [&](const auto& row) { return program_of(row) != *program; });
    }
    Report report{
        .name = "roll_forward",
        .facts = {},
        .tables = {
            settlement::roll_forward_table(rows, *source.terms, programs), std::move(control)}};
    if (!programs.empty()) {
        auto by_program = settlement::programs_table(settlement::rolled_by_program(rows, programs));
        report.tables.insert(report.tables.end() - 1, std::move(by_program));
    }
    return {std::move(report), settlement::printed_roll_forward(rows, *source.terms, of, programs)};
}

/// Takes the programs of contracts on the house's thread.
std::function<Made(const ReportSource&)> rolling_by_program(
    House& house, const ReportSource& source, const std::string& typed)
{
    auto programs = programs_at_end(house, source);
    std::optional<std::string> program;
    if (!typed.empty()) program = read_program(typed);
    return
        [programs, program](const ReportSource& of) { return roll_forward(of, programs, program); };
}

Report coverage(const ReportSource& source)
{
    settlement::GlBalances balances;
    settlement::Charges charges;
    source.for_each([&](const Movement& movement, bool) {
        add_money(movement, balances);
        for (const auto& row : movement.positions)
            settlement::add_charges(charges, row, movement.terms);
    });
    const auto found = settlement::coverage(balances, charges, *source.terms, source.end());
    return {
        .name = "coverage",
        .facts = {},
        .tables = settlement::coverage_tables(found, *source.terms)};
}

Report redemption_notice(const ReportSource& source)
{
    settlement::RedemptionNotice notice;
    source.for_each_spent([&](const ledger::SpentPoints& spent, const ledger::Terms& terms) {
        notice.add(spent, terms);
    });
    return {
        .name = "redemption_notice",
        .facts = {},
        .tables = {notice.table(*source.terms, source.partner)}};
}

/// What expired in the interval, by the contracts of now: rows of VAT of the past never change.
Report expiry_vat(const ReportSource& source, const settlement::Contracts& contracts)
{
    settlement::ExpiryVat expired;
    source.for_each([&](const Movement& movement, bool is_before) {
        if (is_before) return;
        for (const auto& row : movement.positions) expired.add(row);
    });
    return {
        .name = "expiry_vat",
        .facts = {},
        .tables = {expired.table(*source.terms, contracts, source.partner)}};
}

Report exit_report(const ReportSource& source)
{
    settlement::ExitFold fold;
    source.for_each(
        [&](const Movement& movement, bool) { fold.add(movement.lines, movement.positions); });
    const auto leaving = fold.of(source.partner.value(), *source.terms);
    return {
        .name = "exit",
        .facts = {{"partner", source.terms->partner(*source.partner).name}},
        .tables = {settlement::partner_exit_table(leaving)}};
}

/// Receivables that an opening brought along, of which the house has no documents.
ledger::Micro receivables_at_opening(const partners::Registry& registry)
{
    ledger::Micro sum;
    if (!registry.opening()) return sum;
    for (const auto& line : registry.money_of(registry.opening()->entry))
        if (line.account == ledger::Account::receivable) sum += ledger::Micro{line.amount};
    return sum;
}

/// What ageing needs of the house's record, taken on the house's thread.
struct Documents {
    std::vector<ledger::HouseEntry> entries;
    ledger::Micro at_opening;
};

Documents documents_of(House& house)
{
    const ledger::HouseRecord record{house.record_store()};
    return {.entries = record.entries(), .at_opening = receivables_at_opening(house.registry())};
}

/// The register as it was when `last` was the newest entry that had moved money.
settlement::Register register_at(const Documents& documents, ledger::HouseSequence last)
{
    settlement::Register found;
    for (const auto& entry : documents.entries)
        if (entry.sequence <= last) found.apply(entry);
    return found;
}

/// Who owes documents for how long, and the control account beside their sum.
Made ageing(const ReportSource& source, const Documents& documents)
{
    ledger::Micro booked;
    ledger::HouseSequence last;
    source.for_each([&](const Movement& movement, bool) {
        last = std::max(last, movement.house_entry);
        for (const auto& line : movement.lines)
            if (line.account == ledger::Account::receivable) booked += ledger::Micro{line.amount};
    });
    // Of now: with what was recorded since money was last moved, as a net or a document sent.
    const bool is_of_now = !source.interval.to && !source.interval.sequence;
    const auto desk = register_at(documents, is_of_now ? documents.entries.back().sequence : last);
    const auto today = source.terms->calendar->day_of(source.end());
    const auto items = settlement::receivables_of(desk);
    const ledger::Micro per_minor{ledger::micro_per_minor(source.terms->currency)};
    ledger::Micro open;
    for (const auto& item : items) open += per_minor * item.open.count;
    auto tables = settlement::ageing_tables(items, today, *source.terms);
    tables.push_back(settlement::ageing_by_currency(
        settlement::receivables_of(desk, settlement::Amounts::of_documents), today, *source.terms));
    tables.push_back(
        {.name = "control",
         .columns = {"account", "ledger", "brought_along", "report", "difference"},
         .rows = {
             {std::string{"ar"},
              booked,
              documents.at_opening,
              open,
              booked - documents.at_opening - open}}});
    tables.push_back(settlement::breach_table(desk, today, *source.terms));
    return {
        Report{.name = "ageing", .facts = {}, .tables = std::move(tables)},
        settlement::printed_ageing(
            settlement::aged_receivables(items, today), *source.terms, source.as_printed())};
}

/// Whose points an estimate is of, and when its figures end.
struct EstimateEnd {
    ledger::PartnerId issuer;
    ledger::Time end;
};

/// Adds what the ledger knows to the estimates that a person made.
void fill_estimates(
    const ReportSource& source,
    std::span<const EstimateEnd> ends,
    std::span<settlement::BreakageEstimate> estimates)
{
    std::vector<ledger::Time> instants;
    for (const auto& end : ends) instants.push_back(end.end);
    const auto add = [&](const Movement& movement, bool) {
        const auto time = source.time_of(movement);
        for (const auto& row : movement.positions) {
            const auto flow = settlement::moved_by(row);
            for (std::size_t place = 0; place < ends.size(); ++place) {
                const auto& end = ends[place];
                if (end.issuer != row.partner || time > end.end) continue;
                auto& estimate = estimates[place];
                estimate.points_sold +=
                    flow.opening.points + flow.issued.points - flow.clawed_back.points;
                estimate.consideration +=
                    flow.opening.liability + flow.issued.liability - flow.clawed_back.liability;
                // A debt is repaid with points that are spent by it.
                estimate.points_redeemed +=
                    flow.redeemed.points + flow.donated.points + flow.recovered.points;
            }
        }
    };
    source.for_each(add, instants);
}

settlement::ReportTable versions_table()
{
    return {
        .name = "versions",
        .columns =
            {"issuer",
             "version",
             "as_of",
             "ultimate_redemption_rate_millionths",
             "points_sold",
             "points_redeemed",
             "consideration",
             "transaction_price_minor",
             "revenue_to_date_minor",
             "revenue_minor",
             "contract_liability_minor",
             "refund_liability_minor",
             "currency"},
        .rows = {}};
}

void add_versions(
    const std::string& issuer,
    std::span<const std::int32_t> numbers,
    std::span<const settlement::BreakageVersion> versions,
    const std::string& currency,
    settlement::ReportTable& table)
{
    for (std::size_t place = 0; place < versions.size(); ++place) {
        const auto& version = versions[place];
        const auto& estimate = version.estimate;
        table.rows.push_back(
            {issuer,
             std::int64_t{numbers[place]},
             ledger::format_day(estimate.as_of),
             std::int64_t{estimate.ultimate_redemption_rate.numerator},
             estimate.points_sold,
             estimate.points_redeemed,
             estimate.consideration,
             version.transaction_price.count,
             version.revenue_to_date.count,
             version.revenue.count,
             version.contract_liability.count,
             version.refund_liability.count,
             currency});
    }
}

/// The breakage that a tariff gives back to its issuer.
ledger::Share shared_by(const ledger::Tariff* tariff)
{
    if (tariff == nullptr) return {.numerator = 0, .denominator = 1};
    return {
        .numerator = tariff->breakage_issuer,
        .denominator = tariff->breakage_operator + tariff->breakage_issuer};
}

Report breakage(const ReportSource& source, std::span<const NamedEstimate> named)
{
    std::vector<EstimateEnd> ends;
    std::vector<settlement::BreakageEstimate> estimates;
    for (const auto& each : named) {
        const auto end =
            source.terms->calendar->start_of(each.as_of + 1) - std::chrono::microseconds{1};
        const auto* const partner = source.terms->find_partner(each.issuer);
        if (partner == nullptr)
            throw CommandFailure{fmt::format("the house knows no partner {}", each.issuer)};
        ends.push_back({.issuer = partner->partner, .end = end});
        estimates.push_back(
            {.as_of = each.as_of,
             .ultimate_redemption_rate = each.ultimate_redemption_rate,
             .shared_breakage = shared_by(source.terms->find_tariff(partner->partner, end)),
             .consideration = {}});
    }
    fill_estimates(source, ends, estimates);

    auto table = versions_table();
    for (const auto& partner : source.terms->partners) {
        std::vector<settlement::BreakageEstimate> own;
        std::vector<std::int32_t> numbers;
        for (std::size_t place = 0; place < ends.size(); ++place) {
            if (ends[place].issuer != partner.partner) continue;
            own.push_back(estimates[place]);
            const auto next = static_cast<std::int32_t>(own.size());
            numbers.push_back(named[place].version == 0 ? next : named[place].version);
        }
        const auto versions = settlement::breakage_versions(own, source.terms->currency);
        if (!versions) throw CommandFailure{fmt::format("{}: {}", partner.name, versions.error())};
        add_versions(partner.name, numbers, *versions, source.terms->currency.code, table);
    }
    return {.name = "breakage", .facts = {}, .tables = {std::move(table)}};
}

/// The versions that were known at the end of what the report is of. One that corrects another of
/// the same day stands for it.
std::vector<NamedEstimate> known_estimates(
    const ReportSource& source, std::span<const settlement::RecordedEstimate> recorded)
{
    const auto end = source.interval.sequence ? source.last_posting() : source.end();
    std::map<std::pair<ledger::PartnerId, ledger::Day>, NamedEstimate> known;
    for (const auto& each : recorded) {
        if (each.known_at > end || (each.withdrawn_at && *each.withdrawn_at <= end)) continue;
        known.insert_or_assign(
            {each.issuer, each.as_of},
            NamedEstimate{
                .issuer = source.terms->partner(each.issuer).name,
                .as_of = each.as_of,
                .ultimate_redemption_rate =
                    {.numerator = each.redemption_rate_millionths, .denominator = 1'000'000},
                .version = each.version});
    }
    std::vector<NamedEstimate> estimates;
    estimates.reserve(known.size());
    for (auto& [key, estimate] : known) estimates.push_back(std::move(estimate));
    return estimates;
}

CommandResult rendered(
    Made made, const ReportSource& source, const Options& options, const Invocation& typed)
{
    auto& report = made.report;
    if (!options.pdf.empty()) {
        const auto file = typed.path(options.pdf);
        write_text(file, settlement::report_pdf(made.printed.value()));
        return done(file.string() + "\n");
    }
    report.facts.emplace_back("as_of", ledger::format_time(source.end()));
    report.facts.emplace_back("currency", source.terms->currency.code);
    if (source.interval.sequence)
        report.facts.emplace_back("sequence", fmt::format("{}", *source.interval.sequence));
    if (!options.xlsx.empty()) {
        const auto file = typed.path(options.xlsx);
        write_xlsx(file, report, source.end());
        return done(file.string() + "\n");
    }
    if (typed.json) return done(settlement::report_json(report) + "\n");
    return done(options.csv ? settlement::report_csv(report) : settlement::report_in_words(report));
}

ReportSource source_of(House& house, const Options& options)
{
    const auto terms = house.registry().terms();
    const auto& points = house.ledger();
    house.tend();
    std::optional<ledger::PartnerId> partner;
    if (!options.partner.empty()) partner = require_partner(house, options.partner).partner;
    return {
        .movements = movements_of(house),
        .terms = terms,
        .interval = read_interval(options, *terms->calendar, points.windows()),
        .now = points.house_time(),
        .partner = partner,
        .house = gateway::legal_parties_of(house.registry()).house.name};
}

/// Makes a report of a source, away from the house's thread.
using Make = std::function<Made(const ReportSource&)>;
/// Takes what else a report needs, on the house's thread.
using Prepare = std::function<Make(House&, const ReportSource&, const Invocation&)>;

/// A report that needs nothing else.
Prepare only(const Make& make)
{
    return [make](House&, const ReportSource&, const Invocation&) { return make; };
}

CLI::App& declare_report_of(
    CLI::App& group,
    Invocation& invocation,
    const std::pair<std::string, std::string>& name,
    const std::shared_ptr<Options>& options,
    Prepare prepare)
{
    auto& command = declare_in_house(
        group,
        name.first,
        name.second,
        invocation,
        [options,
         prepare = std::move(prepare)](House& house, const Invocation& typed) -> CommandStep {
            const auto source = source_of(house, *options);
            const auto make = prepare(house, source, typed);
            return [source, options, typed, make](Console&) {
                return rendered(make(source), source, *options, typed);
            };
        });
    auto* const at =
        command.add_option("--at", options->at, "Up to an instant or a day; default: now");
    auto* const sequence =
        command.add_option("--sequence", options->sequence, "Up to a record of the journal");
    at->excludes(sequence);
    command.add_flag("--csv", options->csv, "As CSV");
    command.add_option("--xlsx", options->xlsx, "As a spreadsheet")->type_name("FILE");
    add_json_option(command, invocation);
    return command;
}

/// For reports that are of an interval and not of an instant.
void add_interval(CLI::App& command, Options& options)
{
    auto* const window = command.add_option("--window", options.window, "A month, 2026-06");
    auto* const from = command.add_option("--from", options.from, "From an instant or a day on");
    window->excludes(from);
    window->excludes("--at");
    window->excludes("--sequence");
}

/// For reports in which a picture says more.
void add_pdf(CLI::App& command, Options& options)
{
    command.add_option("--pdf", options.pdf, "As a page with a chart")
        ->type_name("FILE")
        ->excludes("--xlsx")
        ->excludes("--csv")
        ->excludes("--json");
}

} // namespace

void declare_report(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "report", "What finance and auditors ask of the ledger");
    const auto options = std::make_shared<Options>();
    auto& rolling = declare_report_of(
        group,
        invocation,
        {"roll-forward", "Open points and their liability, from opening to closing, by issuer"},
        options,
        [options](House& house, const ReportSource& source, const Invocation&) -> Make {
            return rolling_by_program(house, source, options->program);
        });
    rolling.add_option(
        "--program", options->program, "Its issuers alone; \"none\": of partners without one");
    add_interval(rolling, *options);
    add_pdf(rolling, *options);
    declare_report_of(
        group,
        invocation,
        {"coverage", "Whether the trust account stands for the points, and who owes the rest"},
        options,
        only(coverage));
    auto& notice = declare_report_of(
        group,
        invocation,
        {"redemption-notice",
         "Points that were spent, by the month and VAT rate of their purchase"},
        options,
        only(redemption_notice));
    add_interval(notice, *options);
    notice.add_option("--partner", options->partner, "Of this issuer alone");
    auto& expired = declare_report_of(
        group,
        invocation,
        {"expiry-vat", "Points that expired, what was paid for them, and the VAT in it"},
        options,
        [](House& house, const ReportSource& of, const Invocation&) -> Make {
            const auto contracts = gateway::contracts_of(house.registry(), *of.terms);
            return
                [contracts](const ReportSource& source) { return expiry_vat(source, contracts); };
        });
    add_interval(expired, *options);
    expired.add_option("--partner", options->partner, "Of this issuer alone");
    auto& leaving = declare_report_of(
        group,
        invocation,
        {"exit", "What a partner would owe and be owed if it left: a dry run"},
        options,
        only(exit_report));
    leaving.add_option("PARTNER", options->partner)->required();
    auto& aged = declare_report_of(
        group,
        invocation,
        {"ageing", "Documents that partners owe, by how long they are due"},
        options,
        [](House& house, const ReportSource&, const Invocation&) -> Make {
            const auto documents = documents_of(house);
            return [documents](const ReportSource& source) { return ageing(source, documents); };
        });
    add_pdf(aged, *options);
    auto& expected = declare_report_of(
        group,
        invocation,
        {"breakage", "Revenue by estimates of how many points will be redeemed (IFRS 15)"},
        options,
        [options](House& house, const ReportSource&, const Invocation& typed) -> Make {
            if (options->estimates.empty()) {
                const auto recorded = house.documents().estimates();
                return [recorded](const ReportSource& source) {
                    return breakage(source, known_estimates(source, recorded));
                };
            }
            const auto estimates = read_estimates(typed.path(options->estimates));
            return [estimates](const ReportSource& source) { return breakage(source, estimates); };
        });
    expected
        .add_option(
            "--estimates", options->estimates, "Other versions than those in the house's record")
        ->type_name("FILE");
}

} // namespace pointhouse::ops
