#include "in_house.hpp"

#include <chrono>
#include <exception>
#include <optional>
#include <thread>

#include "answers.hpp"
#include "approvals.hpp"
#include "gateway/control_client.hpp"

namespace pointhouse::ops {

namespace {

using gateway::CommandResult;
using gateway::CommandStep;

// A house that starts or stops has the lease but does not answer on its socket.
constexpr std::chrono::seconds patience{10};
constexpr std::chrono::milliseconds pause{100};

/// One step of a command, as the operator who gave it: between two steps others may act.
CommandStep run_step(gateway::House& house, const std::string& actor, const gateway::NextStep& next)
{
    house.act_as(actor);
    auto step = next(house);
    house.tend();
    auto* const work = std::get_if<gateway::LongWork>(&step);
    if (!work) return step;
    return gateway::LongWork{[actor, work = std::move(*work)](gateway::Console& console) {
        auto end = work(console);
        if (auto* const later = std::get_if<gateway::NextStep>(&end)) {
            end = gateway::NextStep{[actor, later = std::move(*later)](gateway::House& served) {
                return run_step(served, actor, later);
            }};
        }
        return end;
    }};
}

CommandResult run_here(
    gateway::House& house, const Invocation& invocation, gateway::Console& console)
{
    auto step = begin_in_house(house, invocation);
    while (true) {
        if (auto* const result = std::get_if<CommandResult>(&step)) return std::move(*result);
        auto end = std::get<gateway::LongWork>(step)(console);
        if (auto* const result = std::get_if<CommandResult>(&end)) return std::move(*result);
        step = std::get<gateway::NextStep>(end)(house);
    }
}

} // namespace

CommandStep begin_in_house(gateway::House& house, const Invocation& invocation)
{
    return run_step(house, operator_of(house, invocation), [&](gateway::House& own) {
        return invocation.in_house(own, invocation);
    });
}

CommandResult run_in_house(
    const Invocation& invocation, const gateway::CommandRequest& request, gateway::Console& console)
{
    const gateway::HouseFolder folder{invocation.data};
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
        std::optional<gateway::House> house;
        try {
            house.emplace(invocation.data);
        } catch (const gateway::LeaseHeld&) {
            if (auto result = gateway::ask_serving_house(folder.control_socket(), request, console))
                return std::move(*result);
            if (std::chrono::steady_clock::now() >= end) throw;
            console.progress("the house is busy; waiting");
            std::this_thread::sleep_for(pause);
            continue;
        } catch (const gateway::HouseFailure&) {
            throw;
        } catch (const std::exception& failure) {
            if (!invocation.without_house) throw;
            return invocation.without_house(failure, invocation);
        }
        try {
            return run_here(*house, invocation, console);
        } catch (const ledger::StoreFailure& failure) {
            // Not all stores are opened with the house.
            if (!invocation.without_house) throw;
            return invocation.without_house(failure, invocation);
        }
    }
}

CommandStep interpret(gateway::House& house, const gateway::CommandRequest& request)
{
    const auto invocation = parse_command_line(request);
    if (!invocation) return invocation.error();
    if (!invocation->in_house) return refused("this command is not for a serving house");
    try {
        return begin_in_house(house, *invocation);
    } catch (const ledger::StoreFailure& failure) { // its server is down, or has no connection left
        if (!invocation->without_house) throw;
        return invocation->without_house(failure, *invocation);
    }
}

} // namespace pointhouse::ops
