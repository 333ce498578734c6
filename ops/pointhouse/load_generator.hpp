#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/connection.hpp"
#include "load_generator_latency.hpp"

namespace pointhouse::ops {

/// Where a load generator takes its requests from: whole, ready to send.
class RequestSource {
public:
    virtual ~RequestSource() = default;
    /// The view is valid until the next call. Empty: there are no more.
    virtual std::string_view next() = 0;
};

/// The same request, over and over.
class SameRequest final : public RequestSource {
public:
    explicit SameRequest(std::string request) : request_{std::move(request)} {}
    std::string_view next() override { return request_; }

private:
    std::string request_;
};

struct LoadOptions {
    client::Endpoint endpoint;
    std::vector<client::Credentials> callers; // connections take them in turn
    std::size_t connections = 64;
    std::chrono::milliseconds warm_up{500};
    std::chrono::milliseconds duration{5'000}; // zero: until the source has no more
    /// Requests a second, evenly spaced, whether or not the house keeps up: an open loop, in which
    /// a latency begins when its request should have left, and what should have left in the
    /// measured time counts. Zero: a closed loop, in which each connection sends its next request
    /// when the last one is answered.
    double rate = 0;
};

struct LoadResult {
    std::uint64_t answers_in_all = 0; // with the warm-up
    std::uint64_t answers = 0;        // in the measured time
    std::uint64_t not_booked = 0;     // of them, neither 2xx nor 422
    std::uint64_t refused = 0;        // of them, 422
    std::uint64_t unanswered = 0;     // of an open loop: not even a while after its end
    double seconds = 0;               // measured
    LatencyHistogram latencies;       // of the answers; unanswered, what they have waited
    std::string first_answer;         // its body, to look at
    std::string failure;              // why it was cut short; empty when it was not

    [[nodiscard]] double per_second() const
    {
        return seconds > 0 ? static_cast<double>(answers) / seconds : 0;
    }
};

/// Runs one load from this thread. Costs about as much CPU as TLS and the kernel take.
/// Throws client::SetupFault. A lost connection ends the load with a failure.
[[nodiscard]] LoadResult run_load(const LoadOptions& options, RequestSource& source);

/// Connections that do nothing, once each has had an answer to `first_request`.
class IdleConnections {
public:
    /// Throws client::SetupFault, or std::runtime_error when the house does not take them all.
    IdleConnections(const LoadOptions& options, std::string_view first_request);
    ~IdleConnections();
    IdleConnections(const IdleConnections&) = delete;
    IdleConnections& operator=(const IdleConnections&) = delete;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace pointhouse::ops
