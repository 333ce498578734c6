#include <fmt/format.h>
#include <iostream>
#include <memory>

#include "commands.hpp"
#include "ledger/journal.hpp"

namespace pointhouse::ops {

namespace {

struct Options {
    std::string store = "sqlite";
    std::string currency = "EUR";
    std::string time_zone = "UTC";
    std::string face_value = "0.010000";
    std::size_t shards = 1;
    bool production = false;
};

int init(const Options& options, const Invocation& invocation)
{
    gateway::make_house(
        {.data = invocation.data,
         .store = options.store,
         .currency = options.currency,
         .time_zone = options.time_zone,
         .face_value = options.face_value,
         .shards = options.shards,
         .production = options.production});
    std::cout << fmt::format(
        "a new {} house in {}: {}, {}\nnext: pointhouse partner add ID --standard --data {}\n",
        options.production ? "production" : "sandbox",
        invocation.data.string(),
        options.currency,
        options.time_zone,
        invocation.data.string());
    return 0;
}

} // namespace

void declare_init(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_alone(
        app,
        "init",
        "Make a new house: its CA, keys, configuration and empty store",
        invocation,
        [options](const Invocation& typed) { return init(*options, typed); });
    add_data_option(command, invocation);
    command.add_option("--store", options->store, "Where it keeps its books")
        ->capture_default_str()
        ->type_name("sqlite|postgres://…");
    command.add_option("--currency", options->currency, "Its book currency, ISO 4217")
        ->capture_default_str();
    command.add_option("--time-zone", options->time_zone, "Its days and months, IANA name")
        ->capture_default_str();
    command.add_option("--face-value", options->face_value, "What a member gets for a point")
        ->capture_default_str();
    command
        .add_option(
            "--shards",
            options->shards,
            "Journals that members are spread over, each with a commit of its own")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{1}, ledger::shards_max));
    command.add_flag(
        "--production", options->production, "No test clock; changes of terms need two people");
}

} // namespace pointhouse::ops
