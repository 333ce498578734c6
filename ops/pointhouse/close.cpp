#include <fmt/format.h>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "close_source.hpp"
#include "commands.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using gateway::NextStep;
using settlement::CloseChecklist;
using settlement::CloseState;

struct Options {
    std::string window;
    std::string reason;
};

/// Works the checklist out, then goes on with it on the house's thread.
CommandStep with_checklist(
    House& house,
    ledger::Month window,
    std::function<CommandStep(House&, const CloseChecklist&)> next)
{
    auto source = std::make_shared<const CloseSource>(house, window);
    return gateway::LongWork{
        [source = std::move(source), next = std::move(next)](Console&) -> gateway::WorkEnd {
            return NextStep{[next, checklist = source->checklist()](House& served) {
                return next(served, checklist);
            }};
        }};
}

CommandResult stands(House& house, const Options& options, const Invocation& typed)
{
    const auto state = house.documents().closings().state_of(read_window(options.window));
    return report(
        typed,
        {{"window", options.window}, {"close", settlement::name_of(state)}},
        fmt::format(
            "{} is {}\n",
            options.window,
            state == CloseState::open ? "open to entries of money again"
                                      : fmt::format("{}-closed", settlement::name_of(state))));
}

CommandStep show(House& house, const Options& options, const Invocation& typed)
{
    return with_checklist(
        house,
        read_window(options.window),
        [options, typed](House& served, const CloseChecklist& checklist) -> CommandStep {
            const auto* closing = served.documents().closings().find(checklist.window);
            const auto state = closing ? closing->state : CloseState::open;
            return report(
                typed,
                {{"window", options.window},
                 {"close", settlement::name_of(state)},
                 {"by", closing ? closing->by : ""},
                 {"reason", closing ? closing->reason : ""},
                 {"through", checklist.through.value()},
                 {"in_the_way", checklist.in_the_way()},
                 {"checks", settlement::checks_json(checklist)}},
                fmt::format(
                    "{}: {}\n{}",
                    options.window,
                    settlement::name_of(state),
                    settlement::in_words(checklist)));
        });
}

CommandResult close_soft(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "closes windows");
    house.record(require(house.documents().closings().close_soft(read_window(options.window))));
    return stands(house, options, typed);
}

CommandResult reopen(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "reopens windows");
    const auto entry =
        require(house.documents().closings().reopen(read_window(options.window), options.reason));
    const auto permitted =
        ask_permission(house, fmt::format("reopen {}: {}", options.window, options.reason), typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return stands(house, options, typed);
}

CommandStep close_hard(House& house, const Options& options, const Invocation& typed);

/// The second step: the checklist is of what the house's record had before it.
CommandStep lock(
    House& house, const CloseChecklist& checklist, const Options& options, const Invocation& typed)
{
    // What was recorded meanwhile may have changed a figure: it is worked out again.
    if (house.documents().through() != checklist.documents_through)
        return close_hard(house, options, typed);
    const auto entry = require(house.documents().closings().close_hard(checklist));
    const auto permitted = ask_permission(house, "close hard " + options.window, typed);
    if (permitted.waiting) return *permitted.waiting;
    record_permitted(house, entry, permitted);
    return stands(house, options, typed);
}

CommandStep close_hard(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "closes windows");
    return with_checklist(
        house,
        read_window(options.window),
        [options, typed](House& served, const CloseChecklist& checklist) {
            return lock(served, checklist, options, typed);
        });
}

} // namespace

void declare_close(CLI::App& app, Invocation& invocation)
{
    auto& group = declare_group(app, "close", "The close of a window's money, and its checklist");
    const auto options = std::make_shared<Options>();
    const auto declare = declarer_of(group, invocation, options);
    const auto with_window = [&](CLI::App& command) -> CLI::App& {
        command.add_option("WINDOW", options->window, "A month, 2026-06")->required();
        return command;
    };
    with_window(declare(
        "show", "The checklist of a window: each line done or open, with its figures", show));
    with_window(declare("soft", "From now on entries of money need a reason", close_soft));
    with_window(declare("reopen", "Take a soft close back; two people do", reopen))
        .add_option("--reason", options->reason)
        ->required();
    with_window(
        declare("hard", "Lock it for ever, once its checklist is done; two people do", close_hard));
}

} // namespace pointhouse::ops
