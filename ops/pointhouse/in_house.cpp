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

CommandResult run_here(
    gateway::House& house, const Invocation& invocation, gateway::Console& console)
{
    house.act_as(operator_of(house, invocation));
    auto step = invocation.in_house(house, invocation);
    house.tend();
    if (auto* const result = std::get_if<CommandResult>(&step)) return std::move(*result);
    return std::get<gateway::LongWork>(step)(console);
}

} // namespace

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
            return invocation.without_house(failure.what(), invocation);
        }
        return run_here(*house, invocation, console);
    }
}

CommandStep interpret(gateway::House& house, const gateway::CommandRequest& request)
{
    const auto invocation = parse_command_line(request);
    if (!invocation) return invocation.error();
    if (!invocation->in_house) return refused("this command is not for a serving house");
    house.act_as(operator_of(house, *invocation));
    auto step = invocation->in_house(house, *invocation);
    house.tend();
    return step;
}

} // namespace pointhouse::ops
