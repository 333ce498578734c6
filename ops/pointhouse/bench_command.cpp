#include <memory>
#include <set>
#include <string>

#include "bench_gateway.hpp"
#include "bench_ledger.hpp"
#include "commands.hpp"
#include "ledger/journal.hpp"
#include "store/postgres_bound.hpp"
#include "store/postgres_schema.hpp"

namespace pointhouse::ops {

namespace {

void measure_database(BenchGatewayOptions& options)
{
    options.count_row_locks = [&options](int clients, std::chrono::milliseconds duration) {
        const auto [transfers, took] =
            ledger::count_postgres_row_locks(options.store, clients, duration);
        return static_cast<double>(transfers) / std::chrono::duration<double>(took).count();
    };
    options.discard_store = [&options] { ledger::drop_postgres_schemas(options.store); };
}

/// What is measured is at least one; what can be left out is 0.
void require_counts(CLI::App& command, const std::set<std::string>& can_be_none)
{
    for (CLI::Option* option : command.get_options()) {
        if (option->get_type_name() != "INT") continue;
        const int least = can_be_none.contains(option->get_name()) ? 0 : 1;
        option->check(CLI::Range(least, 1'000'000'000));
    }
}

void declare_gateway(CLI::App& bench, Invocation& invocation)
{
    const auto options = std::make_shared<BenchGatewayOptions>();
    auto& command = declare_alone(
        bench,
        "gateway",
        "Durable postings through mutual TLS, beside nginx where it is installed",
        invocation,
        [options](const Invocation& typed) {
            options->executable = std::filesystem::read_symlink("/proc/self/exe");
            options->json = typed.json;
            if (options->store != "sqlite") measure_database(*options);
            return run_bench_gateway(*options);
        });
    command.add_option("--store", options->store, "An empty database; it is emptied afterwards")
        ->capture_default_str()
        ->type_name("sqlite|postgres://…");
    command.add_option("--seconds", options->seconds, "Of one measurement")->capture_default_str();
    command.add_option("--rounds", options->rounds, "House and bounds take turns; medians count")
        ->capture_default_str();
    command.add_option("--connections", options->connections, "Of single messages, closed loop")
        ->capture_default_str()
        ->delimiter(',');
    command.add_option("--members", options->members, "Enrolled first")->capture_default_str();
    command.add_option("--lots", options->lots, "That each holds on average")
        ->capture_default_str();
    command.add_option("--partners", options->partners)->capture_default_str();
    command.add_option("--rate", options->open_loop_rate, "Open loop, requests a second; 0: none")
        ->capture_default_str();
    command.add_option("--idle", options->idle_connections, "Idle connections; 0: none")
        ->capture_default_str();
    command.add_option("--nginx", options->nginx, "The bound, where it is installed")
        ->capture_default_str();
    require_counts(command, {"--rate", "--idle"});
    add_json_option(command, invocation);
}

void declare_ledger(CLI::App& bench, Invocation& invocation)
{
    const auto options = std::make_shared<BenchLedgerOptions>();
    auto& command = declare_alone(
        bench,
        "ledger",
        "Durable postings without the gateway, beside what the disk or the database allows",
        invocation,
        [options](const Invocation& typed) {
            options->json = typed.json;
            return run_bench_ledger(*options);
        });
    command.add_option("--folder", options->folder, "Where the house of the bench is made")
        ->capture_default_str();
    command.add_option("--store", options->store, "An empty database; it is emptied afterwards")
        ->capture_default_str()
        ->type_name("sqlite|postgres://…");
    command.add_option("--members", options->members)->capture_default_str();
    command.add_option("--postings", options->postings, "In the journal before the large figure")
        ->capture_default_str();
    command.add_option("--small", options->small, "In the journal before the small figure")
        ->capture_default_str();
    command.add_option("--warm", options->warm, "Postings after reopening, of the cold figure")
        ->capture_default_str();
    command.add_option("--measured", options->measured, "Postings of each figure")
        ->capture_default_str();
    command
        .add_option("--replayed", options->replayed, "Postings that a start after a kill replays")
        ->capture_default_str();
    command.add_option("--batch", options->batch)->capture_default_str();
    command.add_option("--lots", options->lots, "That a member holds on average")
        ->capture_default_str();
    command.add_option("--partners", options->partners)->capture_default_str();
    command.add_option("--shards", options->shards, "Of the journal")
        ->check(CLI::Range(std::size_t{1}, ledger::shards_max));
    command.add_option("--cache", options->cached_members, "Members held in memory")
        ->capture_default_str();
    require_counts(command, {"--warm", "--replayed"});
    add_json_option(command, invocation);
}

} // namespace

void declare_bench(CLI::App& app, Invocation& invocation)
{
    auto& bench = declare_group(app, "bench", "Figures, measured beside their bounds");
    declare_gateway(bench, invocation);
    declare_ledger(bench, invocation);
}

} // namespace pointhouse::ops
