#include <memory>
#include <optional>

#include "commands.hpp"
#include "replay.hpp"
#include "sandbox_setup.hpp"

namespace pointhouse::ops {

namespace {

struct Options {
    std::string file;
    std::string url;
    std::string certificates;
    bool setup = false;
    std::optional<std::int64_t> redeem_at;
};

int replay(const Options& options, const Invocation& typed)
{
    SandboxSetup setup{typed.data};
    return run_replay(
        {.file = typed.path(options.file),
         .url = options.url,
         .certificates = options.certificates.empty() ? std::filesystem::path{}
                                                      : typed.path(options.certificates),
         .setup = options.setup ? &setup : nullptr,
         .redeem_at = options.redeem_at,
         .json = typed.json});
}

} // namespace

void declare_replay(CLI::App& app, Invocation& invocation)
{
    const auto options = std::make_shared<Options>();
    auto& command = declare_alone(
        app,
        "replay",
        "Send the purchases of a file as real messages of many partners",
        invocation,
        [options](const Invocation& typed) { return replay(*options, typed); });
    command.add_option("FILE", options->file, "Purchases as CSV, may be gzipped")->required();
    auto* const url = command.add_option("--url", options->url, "Of a house that serves");
    auto* const certificates = command.add_option(
        "--certs", options->certificates, "The folder with ca.pem and a folder per partner");
    auto* const data = command.add_option(
        "--data", invocation.data, "A sandbox house that nobody serves; with --setup");
    auto* const setup = command.add_flag(
        "--setup", options->setup, "Register the file's partners there, and serve it meanwhile");
    url->needs(certificates);
    certificates->needs(url)->type_name("DIR");
    data->needs(setup)->type_name("DIR");
    setup->needs(data)->excludes(url);
    command
        .add_option(
            "--redeem-at", options->redeem_at, "Redeem this many points when a member has them")
        ->check(CLI::Range(1, 1'000'000'000));
    add_json_option(command, invocation);
    command.parse_complete_callback([url, setup] {
        if (url->empty() && setup->empty())
            throw CLI::RequiredError{"--url with --certs, or --data with --setup,"};
    });
}

} // namespace pointhouse::ops
