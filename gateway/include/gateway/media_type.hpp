#pragma once

#include <cstdint>

namespace pointhouse::gateway {

/// What a body is, as `Content-Type` and `Accept` name it.
enum class MediaType : std::uint8_t {
    none,
    json,
    json_lines,
    protobuf,
    xml,
    pdf,
    csv,
    xlsx,
    toml,
    text,
    pem,
    png,
    other,
};

} // namespace pointhouse::gateway
