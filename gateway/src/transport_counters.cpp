#include "transport_counters.hpp"

#include <array>
#include <fmt/format.h>
#include <iterator>
#include <string_view>

namespace pointhouse::gateway {
namespace {

struct Metric {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    std::uint64_t value;
};

void append(std::string& out, const Metric& metric)
{
    fmt::format_to(
        std::back_inserter(out),
        "# HELP pointhouse_gateway_{0} {1}\n# TYPE pointhouse_gateway_{0} {2}\n"
        "pointhouse_gateway_{0} {3}\n",
        metric.name,
        metric.help,
        metric.type,
        metric.value);
}

void append_answers(std::string& out, const TransportCounters& counters)
{
    out += "# HELP pointhouse_gateway_answers_total Answers sent, by class of status.\n"
           "# TYPE pointhouse_gateway_answers_total counter\n";
    for (std::size_t status_class = 2; status_class < counters.answers_by_class.size();
         ++status_class) {
        fmt::format_to(
            std::back_inserter(out),
            "pointhouse_gateway_answers_total{{class=\"{}xx\"}} {}\n",
            status_class,
            counters.answers_by_class[status_class]);
    }
}

void append_latency(std::string& out, const TransportCounters& counters)
{
    out += "# HELP pointhouse_gateway_latency_seconds From a request's last byte to its answer.\n"
           "# TYPE pointhouse_gateway_latency_seconds histogram\n";
    std::uint64_t total = 0;
    for (std::size_t bucket = 0; bucket < TransportCounters::latency_buckets; ++bucket) {
        total += counters.latency[bucket];
        const auto bound = static_cast<double>(std::uint64_t{1} << bucket) / 1e6;
        const bool is_last = bucket + 1 == TransportCounters::latency_buckets;
        fmt::format_to(
            std::back_inserter(out),
            "pointhouse_gateway_latency_seconds_bucket{{le=\"{}\"}} {}\n",
            is_last ? std::string{"+Inf"} : fmt::format("{:.6f}", bound),
            total);
    }
    fmt::format_to(
        std::back_inserter(out),
        "pointhouse_gateway_latency_seconds_sum {:.6f}\npointhouse_gateway_latency_seconds_count "
        "{}\n",
        static_cast<double>(counters.latency_us_total) / 1e6,
        total);
}

} // namespace

void append_metrics(std::string& out, const TransportCounters& counters)
{
    const auto metrics = std::to_array<Metric>({
        {"connections_accepted_total",
         "counter",
         "Connections accepted.",
         counters.connections_accepted},
        {"connections_refused_total",
         "counter",
         "Connections closed because of a cap.",
         counters.connections_refused},
        {"connections_open", "gauge", "Connections open now.", counters.connections_open},
        {"handshakes_completed_total",
         "counter",
         "TLS handshakes completed.",
         counters.handshakes_completed},
        {"handshakes_failed_total",
         "counter",
         "TLS handshakes that failed or timed out.",
         counters.handshakes_failed},
        {"certificates_refused_total",
         "counter",
         "Handshakes with a certificate that is refused.",
         counters.certificates_refused},
        {"deadlines_passed_total",
         "counter",
         "Connections closed because a deadline passed.",
         counters.deadlines_passed},
        {"accept_pauses_total",
         "counter",
         "Times that accepting paused for want of descriptors.",
         counters.accept_pauses},
        {"requests_in_flight",
         "gauge",
         "Requests that wait for their answer.",
         counters.requests_in_flight},
        {"bytes_received_total",
         "counter",
         "Bytes of requests, inside TLS.",
         counters.bytes_received},
        {"bytes_sent_total", "counter", "Bytes of answers, inside TLS.", counters.bytes_sent},
    });
    for (const Metric& metric : metrics) append(out, metric);
    append_answers(out, counters);
    append_latency(out, counters);
}

} // namespace pointhouse::gateway
