#include <fmt/format.h>
#include <memory>
#include <sstream>

#include "answers.hpp"
#include "chart_file.hpp"
#include "commands.hpp"
#include "house_movements.hpp"
#include "ledger/journal_export.hpp"
#include "whole_file.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using ledger::AccountLine;

struct Options {
    std::string format;
    std::string window;
    std::string chart;
    std::string by = "window";
    std::string file;
};

/// What an export needs of the house, taken on its thread.
struct Source {
    ledger::Movements movements;
    std::shared_ptr<const ledger::Terms> terms;
    settlement::Chart chart;
    ledger::Month window;
};

std::vector<AccountLine> in_money(std::span<const AccountLine> lines)
{
    std::vector<AccountLine> found;
    for (const auto& line : lines)
        if (ledger::is_in_money(line.account)) found.push_back(line);
    return found;
}

/// Calls `entry` for what the window, and if asked those before it, moved in money.
template <class Entry>
void for_each_money_movement(
    const Source& source, ledger::Taken taken, bool also_before, const Entry& entry)
{
    source.movements.for_each(
        [&](const ledger::Window& window) {
            const bool is_wanted =
                window.month == source.window || (also_before && window.month < source.window);
            return is_wanted ? taken : ledger::Taken::left_out;
        },
        [&](const ledger::Movement& movement) {
            const auto lines = in_money(movement.lines);
            if (!lines.empty()) entry(movement, lines);
        });
}

std::string written_by(const ledger::Record& record, const ledger::Terms& terms)
{
    const auto sender = record.partner.is_none() ? std::string{"house"}
                                                 : ledger::exported_partner(record.partner, terms);
    return fmt::format(
        "{}, {}{}{}",
        sender,
        ledger::name_of(record.type),
        record.message_id.empty() ? "" : " ",
        record.message_id);
}

std::string journal_text(const Source& source, settlement::GlFormat format, const std::string& by)
{
    std::string text;
    const std::function<void(std::string_view)> write = [&](std::string_view part) {
        text += part;
    };
    settlement::GlWriter writer{format, source.chart, *source.terms, write};
    const auto month = ledger::format_month(source.window);
    const auto last =
        source.terms->calendar->day_of(source.terms->calendar->start_of(source.window.next())) - 1;
    settlement::GlSummary summary;
    const bool is_of_window = by == "window";
    for_each_money_movement(
        source,
        is_of_window ? ledger::Taken::summed : ledger::Taken::one_by_one,
        false,
        [&](const ledger::Movement& movement, const auto& lines) {
            if (is_of_window) return summary.add(last, lines);
            const auto& record = *movement.record;
            const auto day = source.terms->calendar->day_of(record.posted_at);
            if (by == "day") return summary.add(day, lines);
            writer.entry(
                {.day = day,
                 .reference = fmt::format("{}", record.sequence.value()),
                 .text = written_by(record, movement.terms),
                 .lines = lines});
        });
    for (auto& entry : summary.entries()) {
        const auto period = by == "window" ? month : ledger::format_day(entry.day);
        entry.reference = period;
        entry.text = "Pointhouse " + period;
        writer.entry(entry);
    }
    return text;
}

std::string datev_text(const Source& source)
{
    settlement::GlBalances before;
    settlement::GlBalances after;
    for_each_money_movement(
        source,
        ledger::Taken::summed,
        true,
        [&](const ledger::Movement& movement, const auto& lines) {
            for (const AccountLine& line : lines) {
                const std::pair key{line.account, line.partner};
                const ledger::Micro amount{line.amount};
                after[key] += amount;
                if (movement.window < source.window) before[key] += amount;
            }
        });
    auto text = settlement::datev_file(before, after, source.window, source.chart, *source.terms);
    if (!text) throw CommandFailure{text.error()};
    return std::move(*text);
}

CommandStep export_gl(House& house, const Options& options, const Invocation& typed)
{
    const auto window = read_window(options.window);
    if (!house.registry().is_closed(window))
        return refused(fmt::format(
            "{} is not closed; the general ledger takes closed windows", options.window));
    const auto terms = house.registry().terms();
    const auto toml =
        options.chart.empty() ? std::string{usual_chart()} : read_text(typed.path(options.chart));
    const auto name = options.chart.empty() ? std::string_view{"the usual chart"}
                                            : std::string_view{options.chart};
    const Source source{
        .movements = movements_of(house),
        .terms = terms,
        .chart = read_chart(toml, name, *terms),
        .window = window};
    const auto file = options.file.empty() ? std::filesystem::path{} : typed.path(options.file);
    return [source, options, file](Console&) {
        const auto text = options.format == "datev"
                              ? datev_text(source)
                              : journal_text(
                                    source,
                                    options.format == "hledger" ? settlement::GlFormat::hledger
                                                                : settlement::GlFormat::beancount,
                                    options.by);
        if (file.empty()) return done(text);
        write_whole(file, text);
        return done(file.string() + "\n");
    };
}

} // namespace

void declare_export_gl(CLI::App& group, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_in_house(
        group,
        "gl",
        "The money of a closed window for the general ledger, by a chart of accounts",
        invocation,
        [options](House& house, const Invocation& typed) {
            return export_gl(house, *options, typed);
        });
    command.add_option("--format", options->format)
        ->required()
        ->check(CLI::IsMember({"hledger", "beancount", "datev"}));
    command.add_option("--window", options->window, "A month, 2026-06")->required();
    command.add_option("--chart", options->chart, "Accounts as TOML; default: `export chart`")
        ->type_name("FILE");
    command.add_option("--by", options->by, "One entry per window, day or posting; not for DATEV")
        ->check(CLI::IsMember({"window", "day", "posting"}));
    command.add_option("--out", options->file, "Default: standard output")->type_name("FILE");

    declare_in_house(
        group,
        "chart",
        "The usual chart of accounts, to change and give to `export gl --chart`",
        invocation,
        [](House&, const Invocation&) { return done(std::string{usual_chart()}); });
}

} // namespace pointhouse::ops
