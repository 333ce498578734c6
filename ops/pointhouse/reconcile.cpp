#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "answers.hpp"
#include "commands.hpp"
#include "gateway/reconciliation_round.hpp"
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
    bool all = false;
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

/// A file of each partner in a folder: `<partner>.csv`.
std::filesystem::path file_in(const std::filesystem::path& folder, std::string_view partner)
{
    return folder / fmt::format("{}.csv", partner);
}

CommandStep write_files(
    std::shared_ptr<gateway::ReconciliationRound> round,
    const std::filesystem::path& folder,
    const Invocation& typed)
{
    return [round = std::move(round), folder, typed](Console& console) {
        std::filesystem::create_directories(folder);
        boost::json::array files;
        std::string words;
        round->write_files(
            [&](std::string_view partner, std::string_view text) {
                const auto file = file_in(folder, partner);
                write_whole(file, text);
                files.emplace_back(file.string());
                words += fmt::format("{}\n", file.string());
            },
            console);
        return report(typed, {{"files", std::move(files)}}, words);
    };
}

/// What the rounds's comparisons came to, one after the other.
class RoundReport {
public:
    void add(std::string_view partner, const gateway::ReconciliationRound::Outcome& outcome)
    {
        if (!outcome) {
            is_agreed_ = false;
            auto fault = boost::json::parse(settlement::fault_json(outcome.error())).as_object();
            fault["partner"] = partner;
            partners_.push_back(std::move(fault));
            words_ += fmt::format("{:<24}refused: {}\n", partner, in_words(outcome.error()));
            return;
        }
        partners_.push_back(boost::json::parse(settlement::reconciliation_json(*outcome, partner)));
        const bool agrees = outcome->agrees();
        words_ += fmt::format(
            "{:<24}{:>12}{:>12}  {}\n",
            partner,
            outcome->house.count,
            outcome->partner.count,
            agrees ? "agrees" : fmt::format("{} breaks", outcome->breaks.size()));
        if (agrees) return;
        is_agreed_ = false;
        differences_ += "\n" + settlement::reconciliation_in_words(*outcome, partner);
    }

    [[nodiscard]] CommandResult result(bool json) const
    {
        const boost::json::object shown{{"ok", is_agreed_}, {"partners", partners_}};
        auto result = done(
            json ? boost::json::serialize(shown) + "\n"
                 : fmt::format(
                       "{:<24}{:>12}{:>12}\n{}{}",
                       "partner",
                       "house",
                       "file",
                       words_,
                       differences_));
        result.exit_code = is_agreed_ ? 0 : 1;
        return result;
    }

private:
    bool is_agreed_ = true;
    boost::json::array partners_;
    std::string words_;
    std::string differences_;
};

using FileTexts = std::map<std::string, std::string, std::less<>>;

/// Files that stand one after the other in one text, by the partner that each header names. Throws
/// CommandFailure.
FileTexts files_in(std::string_view text)
{
    constexpr std::string_view header = "H,";
    constexpr std::size_t place_of_partner = 4;
    FileTexts files;
    std::string* current = nullptr;
    while (!text.empty()) {
        const auto line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
        text.remove_prefix(line.size());
        if (line.starts_with(header)) {
            auto rest = line;
            for (std::size_t field = 0; field < place_of_partner; ++field)
                rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
            const std::string partner{rest.substr(0, rest.find_first_of(",\r\n"))};
            const auto [place, is_new] = files.try_emplace(partner);
            if (!is_new)
                throw CommandFailure{fmt::format("there are two files of \"{}\"", partner)};
            current = &place->second;
        }
        if (!current) throw CommandFailure{"the first line is no header of a file: H,..."};
        current->append(line);
    }
    if (files.empty()) throw CommandFailure{"there is no file in it"};
    return files;
}

/// What lies in a folder, or in one file with all of them.
gateway::ReconciliationRound::PartnerFileText text_of(
    const std::filesystem::path& place, FileTexts& texts, std::string_view partner)
{
    if (const auto found = texts.find(partner); found != texts.end()) {
        auto text = std::move(found->second);
        texts.erase(found);
        return text;
    }
    if (!std::filesystem::is_directory(place)) return std::nullopt;
    const auto file = file_in(place, partner);
    return std::filesystem::exists(file) ? std::optional{read_text(file)} : std::nullopt;
}

CommandStep compare_all(
    std::shared_ptr<gateway::ReconciliationRound> round,
    const std::filesystem::path& place,
    bool json)
{
    return [round = std::move(round), place, json](Console& console) {
        if (!std::filesystem::exists(place))
            throw CommandFailure{place.string() + " is no folder, and no file"};
        FileTexts texts;
        if (!std::filesystem::is_directory(place)) texts = files_in(read_text(place));
        RoundReport report;
        round->reconcile(
            [&](std::string_view partner) { return text_of(place, texts, partner); },
            [&](std::string_view partner, const auto& outcome) { report.add(partner, outcome); },
            console);
        if (!texts.empty())
            throw CommandFailure{
                fmt::format("the house knows no partner \"{}\"", texts.begin()->first)};
        return report.result(json);
    };
}

CommandStep reconcile_all(House& house, const Options& options, const Invocation& typed)
{
    // The one name that is typed is the folder's.
    const bool has_folder = !options.partner.empty();
    if (!options.file.empty() || has_folder != options.out.empty())
        throw CommandFailure{
            "with --all give the FOLDER of the partners' files, or one FILE with all of them, or "
            "--out FOLDER"};
    auto round = std::make_shared<gateway::ReconciliationRound>(house, read_period(options));
    if (has_folder) return compare_all(std::move(round), typed.path(options.partner), typed.json);
    return write_files(std::move(round), typed.path(options.out), typed);
}

CommandStep reconcile(House& house, const Options& options, const Invocation& typed)
{
    if (options.all) return reconcile_all(house, options, typed);
    if (options.partner.empty()) throw CommandFailure{"give a PARTNER, or --all"};
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
    command.add_option(
        "PARTNER", options->partner, "Whose record, or with --all the folder, or file, of all");
    command.add_option("FILE", options->file, "The partner's file");
    command.add_option("--window", options->window, "A month, 2026-06")->required();
    command.add_option("--day", options->day, "One day of it, 2026-06-14");
    command.add_flag(
        "--all", options->all, "All partners: the files are <partner>.csv in a folder");
    command.add_option("--out", options->out, "Write the house's own file, or files, instead")
        ->type_name("PATH");
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
