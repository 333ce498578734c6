#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "restatement_source.hpp"
#include "settle_documents.hpp"
#include "whole_file.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using gateway::NextStep;
using settlement::Restatement;

struct Options {
    std::string window;
    std::string folder;
    std::optional<std::int32_t> version;
};

/// Two versions that follow each other, with what their files name.
struct Versions {
    Restatement before;
    Restatement after;
    std::shared_ptr<const ledger::Terms> terms;
    settlement::Contracts contracts;
    partners::Logo logo;
};

Versions versions_of(House& house, Restatement before, Restatement after)
{
    const auto terms = house.registry().terms();
    const auto logo = house.registry().logo_at(after.documents_through);
    return {
        .before = std::move(before),
        .after = std::move(after),
        .terms = terms,
        .contracts = gateway::contracts_of(house.registry(), *terms),
        .logo = logo};
}

/// Both versions of the statements, and what they have differently.
json::array write_versions(const Versions& versions, const std::filesystem::path& folder)
{
    json::array files;
    std::filesystem::create_directories(folder);
    const auto write = [&](const std::string& name, std::string_view text) {
        write_text(folder / name, text);
        files.emplace_back((folder / name).string());
    };
    const auto window = ledger::format_month(versions.after.window);
    for (const auto* version : {&versions.before, &versions.after}) {
        const auto name = fmt::format("{}-version-{}", window, version->version);
        const auto statements = settlement::statements_report(*version, *versions.terms);
        write(name + ".json", settlement::report_json(statements) + "\n");
        write(name + ".csv", settlement::report_csv(statements));
    }
    const auto name = fmt::format("{}-version-{}-difference", window, versions.after.version);
    const auto report =
        settlement::difference_report(versions.before, versions.after, *versions.terms);
    write(name + ".json", settlement::report_json(report) + "\n");
    write(name + ".csv", settlement::report_csv(report));
    write(
        name + ".pdf",
        settlement::difference_pdf(
            versions.before,
            versions.after,
            *versions.terms,
            versions.contracts,
            versions.logo.png()));
    return files;
}

/// The difference of two versions, on the terminal or as files.
CommandResult shown(const Versions& versions, const Options& options, const Invocation& typed)
{
    const auto report =
        settlement::difference_report(versions.before, versions.after, *versions.terms);
    auto answer = json::parse(settlement::report_json(report)).as_object();
    answer.emplace("restated", versions.after.version);
    auto words = settlement::report_in_words(report);
    if (!options.folder.empty()) {
        const auto files = write_versions(versions, typed.path(options.folder));
        for (const auto& file : files)
            words += fmt::format("{}\n", std::string_view{file.as_string()});
        answer.emplace("files", files);
    }
    return ops::report(typed, answer, words);
}

CommandResult same(const Restatement& last, const Options& options, const Invocation& typed)
{
    return ops::report(
        typed,
        {{"report", "restatement"},
         {"window", options.window},
         {"old_version", fmt::format("{}", last.version)},
         {"restated", nullptr},
         {"differences", json::array{}},
         {"files", json::array{}}},
        fmt::format("{} is as version {} has it: no difference\n", options.window, last.version));
}

/// The second step: records what was worked out, unless it says nothing new.
CommandStep record(
    House& house, const Restatement& now, const Options& options, const Invocation& typed)
{
    auto before = house.documents().restatement_before(now);
    const auto entry = require(house.documents().restate(now));
    if (!entry) return same(before, options, typed);
    house.record(*entry);
    auto versions = std::make_shared<const Versions>(versions_of(
        house, std::move(before), house.documents().restatements_of(now.window).back()));
    return gateway::LongWork{[versions, options, typed](Console&) -> gateway::WorkEnd {
        return shown(*versions, options, typed);
    }};
}

CommandStep restate(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "restates windows");
    auto source = std::make_shared<const RestatementSource>(house, read_window(options.window));
    return gateway::LongWork{
        [source = std::move(source), options, typed](Console& console) -> gateway::WorkEnd {
            return NextStep{[now = source->restate(console), options, typed](House& served) {
                return record(served, now, options, typed);
            }};
        }};
}

CommandResult list(const std::vector<Restatement>& made, const Invocation& typed)
{
    json::array rows;
    std::string text;
    for (const auto& version : made) {
        rows.push_back(json::object{
            {"window", ledger::format_month(version.window)},
            {"version", version.version},
            {"made_at", ledger::format_time(version.made_at)},
            {"made_by", version.made_by},
            {"journal_through", version.through.value()},
            {"record_through", version.documents_through.value()}});
        text += fmt::format(
            "{} version {}, made {}{}{}\n",
            ledger::format_month(version.window),
            version.version,
            ledger::format_time(version.made_at),
            version.made_by.empty() ? "" : " by ",
            version.made_by);
    }
    if (text.empty()) text = "never restated: version 1 is the window as it was closed\n";
    return ops::report(typed, rows, text);
}

CommandStep restatements(House& house, const Options& options, const Invocation& typed)
{
    const auto window = read_window(options.window);
    const auto& made = house.documents().restatements_of(window);
    if (!options.version) {
        if (!options.folder.empty())
            throw CommandFailure{"which version is to be written? --version"};
        return list(made, typed);
    }
    const auto version = *options.version;
    if (version < 2 || version > static_cast<std::int32_t>(made.size()) + 1)
        throw CommandFailure{fmt::format(
            "{} has no version {} with a difference: pointhouse settle restatements {}",
            options.window,
            version,
            options.window)};
    const auto place = static_cast<std::size_t>(version - 2);
    const auto before = place == 0 ? settlement::as_closed(made.front()) : made[place - 1];
    auto versions = std::make_shared<const Versions>(versions_of(house, before, made[place]));
    return gateway::LongWork{[versions, options, typed](Console&) -> gateway::WorkEnd {
        return shown(*versions, options, typed);
    }};
}

} // namespace

void declare_settle_restatements(CLI::App& settle, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(settle, invocation, options);
    const auto with_window = [&](CLI::App& command) -> CLI::App& {
        command.add_option("WINDOW", options->window, "A month, 2026-06")->required();
        command
            .add_option("--out", options->folder, "Also write statements and difference as files")
            ->type_name("DIR");
        return command;
    };
    with_window(declare(
        "restate",
        "Make a further version of a closed window as it is known now; nothing is booked",
        restate));
    with_window(
        declare(
            "restatements", "The versions of a closed window, or one of them again", restatements))
        .add_option("--version", options->version, "Show how it differs from the one before");
}

} // namespace pointhouse::ops
