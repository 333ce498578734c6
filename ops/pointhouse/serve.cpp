#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include "commands.hpp"
#include "gateway/server.hpp"
#include "gateway/standby.hpp"
#include "in_house.hpp"
#include "operator_routes.hpp"

namespace pointhouse::ops {

namespace {

struct Options {
    std::string listen;
    std::string admin;
    std::string clock;
};

/// None: the clock that the house last ran with.
std::optional<gateway::ClockKind> wished_clock(const Options& options, const Invocation& typed)
{
    const bool has_run = std::filesystem::exists(gateway::HouseFolder{typed.data}.clock());
    if (options.clock.empty() && has_run) return std::nullopt;
    return options.clock != "messages" ? gateway::ClockKind::system : gateway::ClockKind::messages;
}

int serve(const Options& options, const Invocation& typed)
{
    const gateway::ServeOptions where{.listen = options.listen, .admin = options.admin};
    bool is_overtaken = true; // then it stands by, until it is its turn again
    while (is_overtaken) {
        const auto house =
            gateway::open_or_stand_by(typed.data, wished_clock(options, typed), where);
        if (!house) break;
        gateway::Server server{*house, where, interpret, operator_routes()};
        std::cout << "listening on " << server.url() << "\nadmin on " << server.admin_url() << '\n'
                  << std::flush;
        server.run();
        is_overtaken = house->is_overtaken();
    }
    std::cout << "stopped\n" << std::flush;
    return 0;
}

} // namespace

void declare_serve(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_alone(
        app,
        "serve",
        "Serve the house to its partners until SIGTERM or Ctrl-C",
        invocation,
        [options](const Invocation& typed) { return serve(*options, typed); });
    add_data_option(command, invocation);
    command
        .add_option("--listen", options->listen, "For partners, mutual TLS; port 0: any free one")
        ->type_name("HOST:PORT");
    command.add_option("--admin", options->admin, "Health, readiness and metrics, plain HTTP")
        ->type_name("HOST:PORT");
    command.add_option("--clock", options->clock, "The house's time; default: as it last ran")
        ->check(CLI::IsMember({"system", "messages"}));
}

} // namespace pointhouse::ops
