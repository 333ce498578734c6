#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "exchange.hpp"
#include "transport_options.hpp"

namespace pointhouse::gateway {

/// What one caller uses of the transport, over all of its connections.
struct CallerUse {
    std::size_t connections = 0;
    std::size_t in_flight = 0;
    /// The token bucket, as the time at which it will be full again.
    std::chrono::steady_clock::time_point bucket_full_at;
};

/// The limits of callers (SECURITY section 4) and who has used how much of them. One thread.
class PartnerLimits {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit PartnerLimits(const TransportLimits& limits);

    /// Stays valid as long as the limits do.
    [[nodiscard]] CallerUse& use_of(const Caller& caller);

    /// Takes a token; false when the bucket is empty.
    [[nodiscard]] bool take_token(CallerUse& use, TimePoint now) const noexcept;

    /// `RateLimit-Policy` and `RateLimit`, each with CR LF, for an answer to a caller without
    /// tokens.
    [[nodiscard]] std::string_view rate_limit_lines() const noexcept { return rate_limit_lines_; }

private:
    std::chrono::nanoseconds token_time_; // in which one token comes back
    std::chrono::nanoseconds burst_time_; // in which an empty bucket fills
    std::string rate_limit_lines_;
    std::map<std::string, CallerUse, std::less<>> uses_;
};

} // namespace pointhouse::gateway
