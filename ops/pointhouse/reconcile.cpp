#include <fmt/format.h>
#include <memory>
#include <optional>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "commands.hpp"
#include "gateway/reconciliation_source.hpp"
#include "whole_file.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;

struct Options {
    std::string partner;
    std::string file;
    std::string window;
    std::string day;
    std::string out;
};

settlement::ReconciliationPeriod read_period(const Options& options)
{
    settlement::ReconciliationPeriod period{.window = read_window(options.window), .day = {}};
    if (options.day.empty()) return period;
    period.day = ledger::parse_day(options.day);
    const bool is_inside = period.day && options.day.starts_with(options.window);
    if (!is_inside) throw CommandFailure{"a day is written 2026-06-14, and is one of the window"};
    return period;
}

CommandStep write_file(
    std::shared_ptr<gateway::ReconciliationSource> source,
    const std::filesystem::path& file,
    const Invocation& typed)
{
    return [source = std::move(source), file, typed](Console& console) {
        write_whole(file, source->house_file(console));
        return report(typed, {{"file", file.string()}}, fmt::format("{}\n", file.string()));
    };
}

CommandStep compare(
    std::shared_ptr<gateway::ReconciliationSource> source,
    const Options& options,
    const Invocation& typed)
{
    const auto file = typed.path(options.file);
    const auto json = typed.json;
    return [source = std::move(source), file, json, partner = options.partner](Console& console) {
        const auto found = source->reconcile(read_text(file), console);
        if (!found) {
            const auto words = fmt::format(
                "{} is refused before anything is compared: {}\n",
                file.string(),
                settlement::in_words(found.error()));
            return CommandResult{
                .exit_code = 1,
                .output = json ? settlement::fault_json(found.error()) + "\n" : "",
                .complaint = json ? "" : "pointhouse: " + words};
        }
        auto result = done(
            json ? settlement::reconciliation_json(*found, partner) + "\n"
                 : settlement::reconciliation_in_words(*found, partner));
        result.exit_code = found->agrees() ? 0 : 1;
        return result;
    };
}

CommandStep reconcile(House& house, const Options& options, const Invocation& typed)
{
    if (options.file.empty() == options.out.empty())
        throw CommandFailure{"give the partner's FILE, or --out for the house's own"};
    const auto& partner = require_partner(house, options.partner);
    auto source = std::make_shared<gateway::ReconciliationSource>(
        house, partner.partner, read_period(options));
    if (!options.out.empty()) return write_file(source, typed.path(options.out), typed);
    return compare(source, options, typed);
}

} // namespace

void declare_reconcile(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_in_house(
        app,
        "reconcile",
        "Compare a partner's own record with the journal; exit code 1 when they differ",
        invocation,
        [options](House& house, const Invocation& typed) {
            return reconcile(house, *options, typed);
        });
    command.add_option("PARTNER", options->partner)->required();
    command.add_option("FILE", options->file, "The partner's file");
    command.add_option("--window", options->window, "A month, 2026-06")->required();
    command.add_option("--day", options->day, "One day of it, 2026-06-14");
    command.add_option("--out", options->out, "Write the house's own file instead")
        ->type_name("FILE");
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
