#include "bench_gateway.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>

#include "bench_gateway_messages.hpp"
#include "bench_gateway_process.hpp"
#include "bench_gateway_report.hpp"
#include "load_generator.hpp"
#include "pointhouse/v1/answers.pb.h"

namespace pointhouse::ops {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view nginx_name = "nginx, return 200";
constexpr std::string_view echo_name = "GET /v1/echo";
constexpr std::size_t batch_connections = 4;
// More only wait for the same row, and a server has its connections counted.
constexpr int row_lock_clients_max = 64;

/// The measurements of one figure, round by round.
struct Series {
    std::vector<double> per_second;
    std::vector<double> cpu_micros; // of the server, per request
    LatencyHistogram latencies;
    std::uint64_t refused = 0;

    [[nodiscard]] double rate() const { return median(per_second); }
    [[nodiscard]] double micros(double share) const
    {
        return static_cast<double>(latencies.quantile(share).count()) / 1e3;
    }
};

void raise_file_limit()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string echo_request(const client::Endpoint& endpoint)
{
    return client::format_request(
        endpoint, {.method = "GET", .target = "/v1/echo", .media_type = {}, .body = {}});
}

/// One run of the bench: the house, the bound beside it, and what was measured.
class GatewayBench {
public:
    explicit GatewayBench(const BenchGatewayOptions& options)
        : options_{options},
          house_{start_house(options.executable, folder_.path(), options.store, options.partners)},
          callers_{bench_callers(folder_.path(), options.partners)}
    {
        if (std::filesystem::exists(options.nginx)) {
            nginx_ = start_nginx(options.nginx, folder_.path());
        }
    }

    ~GatewayBench()
    {
        house_.process.reset();
        try {
            if (options_.discard_store) options_.discard_store();
        } catch (const std::exception& failure) {
            fmt::print(stderr, "the bench's house stays: {}\n", failure.what());
        }
    }
    GatewayBench(const GatewayBench&) = delete;
    GatewayBench& operator=(const GatewayBench&) = delete;

    std::vector<BenchRow> run()
    {
        // First, while no memory that an earlier load has freed can be used again.
        if (options_.idle_connections > 0) measure_idle();
        give_first_lots();
        // House and bounds take turns, so that a slow spell of the machine meets all of them.
        for (int round = 1; round <= options_.rounds; ++round) {
            for (const int connections : options_.connections) measure_singles(round, connections);
            measure_batches(round);
        }
        for (const int connections : options_.connections) {
            report_singles(connections);
            report_tail(connections);
            if (options_.count_row_locks) report_row_locks(connections);
        }
        report_batches();
        if (options_.open_loop_rate > 0) measure_open_loop();
        return std::move(rows_);
    }

private:
    [[nodiscard]] BenchMessages messages_for(const BenchServer& server) const
    {
        return {
            .endpoint = server.endpoint, .occurred_at = occurred_at_, .members = options_.members};
    }

    [[nodiscard]] LoadOptions load_on(const BenchServer& server, std::size_t connections) const
    {
        return {
            .endpoint = server.endpoint,
            .callers = callers_,
            .connections = connections,
            .duration = std::chrono::seconds{options_.seconds}};
    }

    /// A house writes its books after it answered. Each figure pays for its own, not for those of
    /// the figure before: waits until the house rests.
    void wait_until_at_rest() const
    {
        constexpr auto look = 250ms;
        constexpr double at_rest_seconds = 0.02; // of processor time between two looks
        const auto patience = std::chrono::steady_clock::now() + 60s;
        double before = house_.process->cpu_seconds();
        while (std::chrono::steady_clock::now() < patience) {
            std::this_thread::sleep_for(look);
            const double used = house_.process->cpu_seconds();
            if (used - before <= at_rest_seconds) return;
            before = used;
        }
    }

    LoadResult measure(
        const BenchServer& server, const LoadOptions& load, RequestSource& source, Series& series)
    {
        wait_until_at_rest();
        const double cpu_before = server.process->cpu_seconds();
        auto result = run_load(load, source);
        const double cpu = server.process->cpu_seconds() - cpu_before;
        if (!result.failure.empty()) throw std::runtime_error{"the load ended: " + result.failure};
        if (result.answers == 0) throw std::runtime_error{"nothing was answered in time"};
        if (result.not_booked > 0) {
            throw std::runtime_error{fmt::format(
                "{} of {} requests were not booked; the first answer: {}",
                result.not_booked,
                result.answers,
                result.first_answer)};
        }
        series.per_second.push_back(result.per_second());
        series.cpu_micros.push_back(
            1e6 * cpu / static_cast<double>(std::max<std::uint64_t>(result.answers_in_all, 1)));
        series.latencies.add_all(result.latencies);
        series.refused += result.refused;
        return result;
    }

    void give_first_lots()
    {
        BatchMessages source{
            messages_for(house_), counter_, BatchMessages::Content::first_lots, options_.lots};
        auto load = load_on(house_, batch_connections);
        load.warm_up = 0ms;
        load.duration = 0ms;
        Series series;
        const auto result = measure(house_, load, source, series);
        expect_booked(result.first_answer);
        fmt::print(
            stderr,
            "{} members with {} lots each, {:.0f} postings/s\n",
            options_.members,
            options_.lots,
            result.per_second() * BatchMessages::batch_messages);
    }

    /// A batch is answered 200 whatever becomes of its messages.
    static void expect_booked(const std::string& answer)
    {
        v1::BatchResult results;
        if (!results.ParseFromString(answer) ||
            results.results_size() != static_cast<int>(BatchMessages::batch_messages)) {
            throw std::runtime_error{"a batch was answered in another form"};
        }
        for (const auto& result : results.results()) {
            if (result.status() != 201 && result.status() != 422) {
                throw std::runtime_error{
                    fmt::format("a message of a batch got status {}", result.status())};
            }
        }
    }

    void measure_singles(int round, int connections)
    {
        const auto count = static_cast<std::size_t>(connections);
        {
            SingleMessages source{messages_for(house_), counter_};
            measure(house_, load_on(house_, count), source, singles_[connections]);
        }
        SameRequest echo{echo_request(house_.endpoint)};
        measure(house_, load_on(house_, count), echo, echoes_[connections]);
        if (nginx_) {
            SingleMessages source{messages_for(*nginx_), counter_};
            measure(*nginx_, load_on(*nginx_, count), source, nginx_singles_[connections]);
        }
        if (options_.count_row_locks) {
            wait_until_at_rest();
            row_locks_[connections].push_back(options_.count_row_locks(
                std::min(connections, row_lock_clients_max),
                std::chrono::seconds{options_.seconds}));
        }
        fmt::print(
            stderr,
            "round {}: {} connections, {:.0f} postings/s\n",
            round,
            connections,
            singles_[connections].per_second.back());
    }

    void measure_batches(int round)
    {
        {
            BatchMessages source{
                messages_for(house_), counter_, BatchMessages::Content::in_turn, 0};
            const auto result =
                measure(house_, load_on(house_, batch_connections), source, batches_);
            expect_booked(result.first_answer);
        }
        if (nginx_) {
            BatchMessages source{
                messages_for(*nginx_), counter_, BatchMessages::Content::in_turn, 0};
            measure(*nginx_, load_on(*nginx_, batch_connections), source, nginx_batches_);
        }
        fmt::print(
            stderr,
            "round {}: batches of {}, {:.0f} postings/s\n",
            round,
            BatchMessages::batch_messages,
            batches_.per_second.back() * BatchMessages::batch_messages);
    }

    [[nodiscard]] boost::json::object parameters(
        const Series& series, std::size_t connections) const
    {
        return {
            {"connections", connections},
            {"members", options_.members},
            {"lots", options_.lots},
            {"partners", options_.partners},
            {"seconds", options_.seconds},
            {"rounds", options_.rounds},
            {"refused", series.refused},
            {"p50_us", series.micros(0.5)},
            {"p90_us", series.micros(0.9)},
            {"p99_us", series.micros(0.99)},
            {"p99_9_us", series.micros(0.999)},
            {"server_cpu_us", median(series.cpu_micros)},
        };
    }

    /// The bound is nginx where it is installed, else TLS with an empty ledger.
    void report_singles(int connections)
    {
        const auto count = static_cast<std::size_t>(connections);
        const auto& singles = singles_[connections];
        const auto& echo = echoes_[connections];
        const auto& nginx = nginx_singles_[connections];
        std::optional<double> bound = echo.rate();
        if (nginx_) bound = nginx.rate();
        const std::string bound_name{nginx_ ? nginx_name : echo_name};
        auto details = parameters(singles, count);
        details["echo_per_second"] = echo.rate();
        details["bound_cpu_us"] = median((nginx_ ? nginx : echo).cpu_micros);
        rows_.push_back(
            {.name = fmt::format("gateway.singles.{}", connections),
             .value = singles.rate(),
             .unit = "postings/s",
             .bound = bound,
             .bound_name = bound_name,
             .parameters = details});
        rows_.push_back(
            {.name = fmt::format("gateway.echo.{}", connections),
             .value = echo.rate(),
             .unit = "requests/s",
             .bound = nginx_ ? bound : std::nullopt,
             .bound_name = bound_name,
             .parameters = parameters(echo, count)});
    }

    /// How long the slowest hundredth waits, beside the bound's.
    void report_tail(int connections)
    {
        if (!nginx_) return;
        rows_.push_back(
            {.name = fmt::format("gateway.singles.{}.p99", connections),
             .value = singles_[connections].micros(0.99),
             .unit = "us",
             .bound = nginx_singles_[connections].micros(0.99),
             .bound_name = std::string{nginx_name} + ", p99",
             .parameters = {{"connections", connections}}});
    }

    void report_row_locks(int connections)
    {
        rows_.push_back(
            {.name = fmt::format("gateway.singles.{}.row_locks", connections),
             .value = singles_[connections].rate(),
             .unit = "postings/s",
             .bound = median(row_locks_[connections]),
             .bound_name = "row locks on the same server",
             .parameters = {{"connections", connections}}});
    }

    void report_batches()
    {
        constexpr double messages = BatchMessages::batch_messages;
        auto details = parameters(batches_, batch_connections);
        details["batch"] = BatchMessages::batch_messages;
        if (nginx_) details["nginx_same_bodies_per_second"] = nginx_batches_.rate();
        std::optional<double> bound;
        if (nginx_) bound = nginx_singles_[options_.connections.front()].rate();
        rows_.push_back(
            {.name = fmt::format("gateway.batch.{}", BatchMessages::batch_messages),
             .value = batches_.rate() * messages,
             .unit = "postings/s",
             .bound = bound,
             .bound_name = std::string{nginx_name} + ", requests/s",
             .parameters = details});
    }

    void measure_open_loop()
    {
        const auto connections = static_cast<std::size_t>(options_.connections.front());
        SingleMessages source{messages_for(house_), counter_};
        auto load = load_on(house_, connections);
        load.rate = options_.open_loop_rate;
        Series series;
        const auto result = measure(house_, load, source, series);
        auto details = parameters(series, connections);
        details["unanswered"] = result.unanswered;
        details["rate"] = options_.open_loop_rate;
        details["per_second"] = series.rate();
        rows_.push_back(
            {.name = fmt::format("gateway.open_loop.{}.p99", options_.open_loop_rate),
             .value = series.micros(0.99),
             .unit = "us",
             .bound = std::nullopt,
             .bound_name = {},
             .parameters = details});
    }

    /// Resident KiB that each idle connection costs a server.
    double idle_kib(const BenchServer& server)
    {
        const auto count = static_cast<std::size_t>(options_.idle_connections);
        const auto before = server.process->resident_kib();
        const IdleConnections idle{load_on(server, count), echo_request(server.endpoint)};
        std::this_thread::sleep_for(500ms); // what is freed late is freed
        const auto grown = server.process->resident_kib() - before;
        return static_cast<double>(grown) / static_cast<double>(count);
    }

    void measure_idle()
    {
        BenchRow row{
            .name = "gateway.idle",
            .value = idle_kib(house_),
            .unit = "KiB/connection",
            .bound = std::nullopt,
            .bound_name = std::string{nginx_name},
            .parameters = {{"connections", options_.idle_connections}}};
        if (nginx_) row.bound = idle_kib(*nginx_);
        rows_.push_back(std::move(row));
    }

    const BenchGatewayOptions& options_;
    TemporaryFolder folder_;
    BenchServer house_;
    std::optional<BenchServer> nginx_;
    std::vector<client::Credentials> callers_;
    ledger::Time occurred_at_ =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    MessageCounter counter_;
    std::map<int, Series> singles_; // by connections
    std::map<int, Series> echoes_;
    std::map<int, Series> nginx_singles_;
    std::map<int, std::vector<double>> row_locks_; // transfers a second, by connections
    Series batches_;
    Series nginx_batches_;
    std::vector<BenchRow> rows_;
};

} // namespace

int run_bench_gateway(const BenchGatewayOptions& options)
{
    raise_file_limit();
    try {
        const auto rows = GatewayBench{options}.run();
        fmt::print("{}", options.json ? bench_as_json(rows) : bench_as_table(rows));
        return 0;
    } catch (const std::exception& failure) {
        fmt::print(stderr, "the gateway could not be measured: {}\n", failure.what());
        return 1;
    }
}

} // namespace pointhouse::ops
