#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>

#include "answers.hpp"
#include "commands.hpp"
#include "demo.hpp"
#include "sandbox_setup.hpp"

namespace pointhouse::ops {

namespace {

struct Options {
    std::string url;
    std::string certificates;
    std::string month;
    std::uint64_t seed = 2026;
    int seconds = 25;
};

gateway::CommandResult prepare(gateway::House& house)
{
    require_sandbox(house, "takes a new partner");
    std::string text;
    for (const auto& brand : demo_brands()) {
        ensure_standard_partner(house, std::string{brand.id}, std::string{brand.name});
        text += fmt::format("{:<12} {}\n", brand.id, brand.name);
    }
    return done(text);
}

int play(const Options& options, const Invocation& typed)
{
    const auto month = ledger::parse_month(options.month);
    if (!month) throw CommandFailure{"--month takes a month, written 2026-06"};
    return run_demo(
        {.house = {.url = options.url, .certificates = typed.path(options.certificates)},
         .month = *month,
         .seed = options.seed,
         .lasts = std::chrono::seconds{options.seconds}});
}

} // namespace

void declare_demo(CLI::App& app, Invocation& invocation)
{
    auto& demo = declare_group(app, "demo", "A coalition of invented brands");
    declare_in_house(
        demo,
        "prepare",
        "Register the demo's brands, with certificates",
        invocation,
        [](gateway::House& house, const Invocation&) { return prepare(house); });

    const auto options = std::make_shared<Options>();
    auto& playing = declare_alone(
        demo,
        "play",
        "Play a month of it through the gateway, at a pace that one can watch",
        invocation,
        [options](const Invocation& typed) { return play(*options, typed); });
    playing.add_option("--url", options->url, "Of the house that serves")->required();
    playing.add_option("--certs", options->certificates, "Its folder of certificates")
        ->required()
        ->type_name("DIR");
    playing.add_option("--month", options->month, "Written 2026-06")->required();
    playing.add_option("--seed", options->seed, "Another seed is another month")
        ->capture_default_str();
    playing.add_option("--seconds", options->seconds, "How long it takes")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
}

} // namespace pointhouse::ops
