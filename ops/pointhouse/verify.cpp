#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "close_source.hpp"
#include "commands.hpp"
#include "ledger/journal_export.hpp"
#include "settlement/close_proof.hpp"
#include "verification.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::Console;
using gateway::House;

struct Options {
    bool from_scratch = false;
};

std::string hexadecimal(const ledger::Digest& digest)
{
    std::string text;
    for (const auto byte : digest) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

// What a damaged store says about itself may be any bytes.
std::string in_plain_letters(std::string words)
{
    std::ranges::replace(words, '\n', ' ');
    std::ranges::replace_if(words, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
    return words;
}

CommandResult unsound(std::string words, const Invocation& typed)
{
    const auto fault = in_plain_letters(std::move(words));
    auto result =
        report(typed, {{"ok", false}, {"fault", fault}}, fmt::format("NOT SOUND: {}\n", fault));
    result.exit_code = 1;
    return result;
}

/// A store that cannot be read is found unsound, like one that can be read and is wrong; of one
/// that is out of reach nothing is known.
CommandResult failed(const std::exception& failure, const Invocation& typed)
{
    const auto* const of_store = dynamic_cast<const ledger::StoreFailure*>(&failure);
    if (of_store == nullptr || !of_store->out_of_reach) return unsound(failure.what(), typed);
    const auto reason = in_plain_letters(failure.what());
    auto result = report(
        typed, {{"ok", nullptr}, {"reason", reason}}, fmt::format("could not look: {}\n", reason));
    result.exit_code = 3;
    return result;
}

CommandResult sound(const ledger::Verification& found, const Invocation& typed)
{
    return report(
        typed,
        {{"ok", true},
         {"messages", found.messages},
         {"postings", found.postings},
         {"blocks", found.blocks},
         {"head", hexadecimal(found.head)}},
        fmt::format(
            "sound: {} messages, {} of them postings, in {} blocks; head {}\n",
            found.messages,
            found.postings,
            found.blocks,
            hexadecimal(found.head)));
}

/// What the check needs of the house, taken on its thread; the rest goes on beside it.
struct Check {
    ledger::Store& record_store;
    std::filesystem::path record_folder;
    ledger::Store& identities;
    const ledger::TermsHistory& terms;
    ledger::Books& books;
    std::shared_ptr<ledger::JournalReader> journal;
    ledger::VerifyOptions options;
    ledger::HouseSequence opening;
    settlement::BroughtAlong brought_along;
    ledger::Currency currency;
};

/// What is wrong with the windows that were closed for ever; none: nothing is.
std::optional<std::string> fault_of_closes(const Check& check)
{
    settlement::CloseProof proof{
        ledger::HouseRecord{check.record_store}.entries(),
        check.opening,
        check.brought_along,
        check.currency};
    if (!proof.has_closes()) return std::nullopt;
    ledger::for_each_posting(*check.journal, check.terms, [&](const ledger::PostingLines& posting) {
        proof.add(posting);
    });
    return proof.fault();
}

CommandResult run_check(Check check, const Invocation& typed, Console& console)
{
    console.progress("the house's own record");
    if (const std::string fault = check.record_store.integrity_fault(); !fault.empty())
        return unsound("the house's record: " + fault, typed);
    if (const auto fault =
            ledger::HouseRecord::first_fault(check.record_store, check.record_folder))
        return unsound(*fault, typed);

    check.options.progress = [&console](int thousandths) {
        console.progress(fmt::format("journal: {}.{} %", thousandths / 10, thousandths % 10));
    };
    const auto found =
        ledger::verify_journal(*check.journal, check.identities, check.terms, check.options);
    if (!found.fault.empty()) return unsound(found.fault, typed);

    console.progress("books");
    if (const auto fault = check.books.first_fault(*check.journal)) return unsound(*fault, typed);

    console.progress("closed windows");
    if (const auto fault = fault_of_closes(check)) return unsound(*fault, typed);
    return sound(found, typed);
}

CommandResult run_guarded(const Check& check, const Invocation& typed, Console& console)
{
    try {
        return run_check(check, typed, console);
    } catch (const ledger::StoreFailure& failure) {
        return failed(failure, typed);
    }
}

} // namespace

gateway::LongWork verification_of(House& house, bool from_scratch, const Invocation& typed)
{
    const auto& opening = house.registry().opening();
    const Check check{
        .record_store = house.record_store(),
        .record_folder = house.folder().record(),
        .identities = house.identity_store(),
        .terms = house.registry(),
        .books = house.books(),
        .journal = house.open_reader(),
        .options =
            {.folder = house.folder().ledger(),
             .keys = house.ledger_keys(),
             .from_scratch = from_scratch,
             .progress = {}},
        .opening = opening ? opening->entry : ledger::HouseSequence{},
        .brought_along = brought_along(house.registry()),
        .currency = house.registry().terms()->currency};
    return [check, typed](Console& console) { return run_guarded(check, typed, console); };
}

void declare_verify(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_in_house(
        app,
        "verify",
        "Recompute everything from the journal and compare; exit code 1 names the first bad entry, "
        "3 says why it could not look",
        invocation,
        [options](House& house, const Invocation& typed) {
            return verification_of(house, options->from_scratch, typed);
        });
    command.parse_complete_callback([&invocation] { invocation.without_house = failed; });
    command.add_flag("--from-scratch", options->from_scratch, "Decide every message again, too");
    add_json_option(command, invocation);
}

} // namespace pointhouse::ops
