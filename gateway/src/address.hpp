#pragma once

#include <cstdint>
#include <string>

namespace pointhouse::gateway {

/// Where to listen. Port 0: any free one.
struct Address {
    std::string host;
    std::uint16_t port = 0;
};

/// Reads HOST:PORT, an IPv6 host in brackets. Throws HouseFailure.
[[nodiscard]] Address parse_address(const std::string& text);

} // namespace pointhouse::gateway
