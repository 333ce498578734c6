#include "address.hpp"

#include <charconv>
#include <fmt/format.h>

#include "gateway/house.hpp"

namespace pointhouse::gateway {

Address parse_address(const std::string& text)
{
    const auto colon = text.rfind(':');
    Address address;
    if (colon != std::string::npos) {
        address.host = text.substr(0, colon);
        if (address.host.starts_with('[') && address.host.ends_with(']'))
            address.host = address.host.substr(1, address.host.size() - 2);
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data() + colon + 1, end, address.port);
        if (read.ec == std::errc{} && read.ptr == end && !address.host.empty()) return address;
    }
    throw HouseFailure{fmt::format("\"{}\" is not an address; write HOST:PORT", text)};
}

} // namespace pointhouse::gateway
