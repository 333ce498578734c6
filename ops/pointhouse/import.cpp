#include <fmt/format.h>
#include <fstream>
#include <memory>

#include "answers.hpp"
#include "approvals.hpp"
#include "commands.hpp"
#include "partners/opening.hpp"

namespace pointhouse::ops {

namespace {

namespace fs = std::filesystem;

using gateway::CommandResult;
using gateway::House;

struct Options {
    std::string file;
    bool as_both = false;
};

// The record keeps the file's digest; its members are named nowhere but in this copy, which goes
// once they are booked.
void keep_file(const House& house, ledger::HouseSequence id, const std::string& text)
{
    const auto& folder = house.folder();
    fs::create_directories(folder.proposals());
    fs::permissions(folder.proposals(), fs::perms::owner_all);
    const auto file = folder.proposal(id);
    std::ofstream stream{file, std::ios::binary};
    stream << text << std::flush;
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    if (!stream) throw CommandFailure{fmt::format("cannot write {}", file.string())};
}

CommandResult import_opening(House& house, const Options& options, const Invocation& typed)
{
    require_sandbox(house, "moves in");
    auto& registry = house.registry();
    const auto terms = registry.terms();
    const auto text = read_text(typed.path(options.file));
    const auto opening = partners::parse_opening(text, *terms);
    if (!opening) return refused(fmt::format("{}: {}", options.file, opening.error().reason));
    if (house.clock_kind() == gateway::ClockKind::system &&
        terms->calendar->start_of(opening->as_of) > house.ledger().house_time())
        return refused("as_of lies ahead of the house's time");
    const auto proposed =
        registry.propose_opening(*opening, partners::digest_of(text), house.act());
    if (!proposed) return refused(proposed.error().reason);
    keep_file(house, *proposed, text);
    return await_approval(house, *proposed, options.as_both, typed);
}

} // namespace

void declare_import(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& group = declare_group(app, "import", "Opening balances");
    auto& opening = declare_in_house(
        group,
        "opening",
        "Take over lots, blocks and balances as one balanced record",
        invocation,
        [options](House& house, const Invocation& typed) {
            return import_opening(house, *options, typed);
        });
    opening.add_option("FILE", options->file)->required()->type_name("FILE.json");
    add_as_both_option(opening, options->as_both);
    add_json_option(opening, invocation);
}

} // namespace pointhouse::ops
