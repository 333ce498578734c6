#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "settle_documents.hpp"
#include "settlement/receivables.hpp"
#include "settlement/reminder_letter.hpp"
#include "whole_file.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;
using settlement::Reminder;

struct Options {
    std::string as_of;
    std::string folder;
    bool is_dry_run = false;
};

/// The day of the reminders: today, or one that was named. Nothing is recorded of days to come.
ledger::Day day_of(House& house, const Options& options)
{
    const auto today = issue_terms(house).today;
    if (options.as_of.empty()) return today;
    const auto day = ledger::parse_day(options.as_of);
    if (!day) throw CommandFailure{"--as-of takes a day, written 2026-07-21"};
    if (*day > today && !options.is_dry_run)
        throw CommandFailure{
            fmt::format("{} is still to come: only --dry-run looks ahead", options.as_of)};
    return *day;
}

std::vector<Reminder> reminders_due(House& house, ledger::Day day)
{
    const auto& documents = house.documents();
    std::vector<settlement::Dunned> dunned;
    for (auto& claim : settlement::claims_of(documents, settlement::Amounts::of_documents)) {
        const auto before = documents.reminded().find(claim.document);
        const auto reminded =
            before == documents.reminded().end() ? settlement::Reminded{} : before->second;
        dunned.push_back(
            {.receivable = std::move(claim), .level = reminded.level, .reminded_on = reminded.on});
    }
    return settlement::reminders(dunned, {}, day);
}

/// A letter for each partner and currency, under the name of its files.
std::map<std::string, settlement::ReminderLetter> letters_of(
    House& house, std::span<const Reminder> reminders, ledger::Day day)
{
    const auto parties = gateway::legal_parties_of(house.registry());
    const auto terms = house.registry().terms();
    std::map<std::string, settlement::ReminderLetter> letters;
    for (const auto& reminder : reminders) {
        const auto name = fmt::format(
            "reminder-{}-{}{}",
            ledger::format_day(day),
            terms->partner(reminder.partner).name,
            reminder.currency ? "-" + reminder.currency->code : "");
        auto& letter = letters[name];
        letter.logo = house.registry().logo().png();
        letter.house = parties.house;
        letter.partner = parties.partners.at(reminder.partner.value() - 1);
        letter.currency = reminder.currency.value_or(terms->currency);
        letter.day = day;
        letter.reminders.push_back(reminder);
    }
    return letters;
}

json::array write_letters(
    const std::map<std::string, settlement::ReminderLetter>& letters,
    const std::filesystem::path& folder)
{
    json::array files;
    if (!letters.empty()) std::filesystem::create_directories(folder);
    for (const auto& [name, letter] : letters) {
        write_text(folder / (name + ".txt"), settlement::reminder_text(letter));
        write_text(folder / (name + ".pdf"), settlement::reminder_pdf(letter));
        files.emplace_back((folder / (name + ".txt")).string());
        files.emplace_back((folder / (name + ".pdf")).string());
    }
    return files;
}

json::object row_of(const Reminder& reminder, const ledger::Terms& terms)
{
    return {
        {"number", reminder.document},
        {"partner", terms.partner(reminder.partner).name},
        {"level", reminder.level},
        {"days_late", reminder.days_late},
        {"amount_minor", reminder.amount.count},
        {"fee_minor", reminder.fee.count},
        {"interest_minor", reminder.interest.count},
        {"pay_by", ledger::format_day(reminder.pay_by)},
        {"currency", reminder.currency.value_or(terms.currency).code}};
}

CommandResult remind(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "reminds partners");
    const auto terms = house.registry().terms();
    const auto day = day_of(house, options);
    const auto due = reminders_due(house, day);
    if (!options.is_dry_run && options.folder.empty())
        throw CommandFailure{"letters are written to a folder: --out DIR, or look with --dry-run"};
    json::array files;
    if (!options.is_dry_run) {
        // Letters first: what is recorded was written.
        files = write_letters(letters_of(house, due, day), typed.path(options.folder));
        for (const auto& reminder : due)
            house.record(require(house.documents().remind(reminder, day)));
    }
    json::array rows;
    std::string text;
    for (const auto& reminder : due) {
        const auto currency = reminder.currency.value_or(terms->currency);
        rows.push_back(row_of(reminder, *terms));
        text += fmt::format(
            "{:<10}{:<22} level {}, {} days late, {:>12} {}\n",
            terms->partner(reminder.partner).name,
            reminder.document,
            reminder.level,
            reminder.days_late,
            ledger::format_minor(reminder.amount + reminder.fee + reminder.interest, currency),
            currency.code);
    }
    if (due.empty()) text = "nobody is to be reminded\n";
    return report(
        typed,
        {{"day", ledger::format_day(day)},
         {"recorded", !options.is_dry_run},
         {"reminders", std::move(rows)},
         {"files", std::move(files)}},
        text);
}

} // namespace

void declare_settle_reminders(CLI::App& settle, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_in_house(
        settle,
        "remind",
        "Write to partners that are late; each level of a document once",
        invocation,
        [options](House& house, const Invocation& typed) {
            return remind(house, *options, typed);
        });
    command.add_option("--as-of", options->as_of, "Default: today")->type_name("DAY");
    command.add_flag("--dry-run", options->is_dry_run, "Only show who would be reminded");
    command.add_option("--out", options->folder, "Where the letters go")->type_name("DIR");
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
