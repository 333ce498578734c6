#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <vector>

#include "command_line.hpp"
#include "in_house.hpp"
#include "terminal.hpp"

namespace {

using namespace pointhouse;

int run(const gateway::CommandRequest& request)
{
    ops::Terminal terminal;
    const auto invocation = ops::parse_command_line(request);
    if (!invocation) return terminal.finish(invocation.error());
    if (invocation->alone) return invocation->alone(*invocation);
    return terminal.finish(ops::run_in_house(*invocation, request, terminal));
}

} // namespace

int main(int count, char** arguments)
{
    // A reader that goes away is an error of the write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return run(
            {.arguments = {arguments + 1, arguments + count},
             .folder = std::filesystem::current_path()});
    } catch (const std::exception& failure) {
        std::cerr << "pointhouse: " << failure.what() << '\n';
        return 1;
    }
}
