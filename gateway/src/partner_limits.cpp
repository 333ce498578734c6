#include "partner_limits.hpp"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>

namespace pointhouse::gateway {

PartnerLimits::PartnerLimits(const TransportLimits& limits)
    : token_time_{std::max<std::int64_t>(
          1, 1'000'000'000 / static_cast<std::int64_t>(limits.requests_per_second))},
      burst_time_{token_time_ * static_cast<std::int64_t>(limits.requests_burst)}
{
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(burst_time_).count();
    rate_limit_lines_ = fmt::format(
        "RateLimit-Policy: \"partner\";q={};w={}\r\nRateLimit: \"partner\";r=0;t=1\r\n",
        limits.requests_burst,
        seconds);
}

CallerUse& PartnerLimits::use_of(const Caller& caller)
{
    const char kind = caller.kind == Caller::Kind::partner ? 'p' : 'o';
    return uses_[fmt::format("{}:{}", kind, caller.name)];
}

bool PartnerLimits::take_token(CallerUse& use, TimePoint now) const noexcept
{
    const TimePoint full_at = std::max(use.bucket_full_at, now) + token_time_;
    if (full_at - now > burst_time_) return false;
    use.bucket_full_at = full_at;
    return true;
}

} // namespace pointhouse::gateway
