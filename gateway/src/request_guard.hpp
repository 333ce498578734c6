#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange.hpp"
#include "router.hpp"

namespace pointhouse::gateway {

inline constexpr std::size_t header_bytes_max = 8192;
inline constexpr std::size_t target_bytes_max = 2048;
inline constexpr std::size_t fields_max = 64;
inline constexpr std::size_t field_bytes_max = 4096;

/// What a request is, once its header has passed. Views point into the header that was given.
struct RequestHead {
    const Route* route = nullptr;
    std::string_view argument; // percent-encoded, escapes well-formed
    std::string_view query;    // raw, without '?'
    MediaType body_type = MediaType::none;
    AcceptedTypes accepted;
    MediaType answer_type = MediaType::json; // of a fault: JSON or Protobuf
    std::uint64_t body_bytes = 0;
    bool expects_continue = false;
    bool is_head = false; // no route takes HEAD; its answer has no content (RFC 9110 section 9.3.2)
    bool closes = false;  // the client asked for, or HTTP/1.0 means, one answer and no more
};

/// Why a request is refused. All text is the house's own; nothing is echoed.
struct GuardFault {
    std::string_view code;
    std::string_view detail;
    std::string_view allow; // for method_not_allowed
    /// The bytes that follow cannot be trusted to be the next request: answer once and close.
    bool closes = true;
};

/// A fault after which the connection closes.
[[nodiscard]] constexpr GuardFault last_fault(std::string_view code, std::string_view detail)
{
    return {.code = code, .detail = detail, .allow = {}, .closes = true};
}

/// A fault of a request whose end is known: the connection goes on.
[[nodiscard]] constexpr GuardFault passing_fault(
    std::string_view code, std::string_view detail, std::string_view allow = {})
{
    return {.code = code, .detail = detail, .allow = allow, .closes = false};
}

/// A head that passed, or a fault. With a fault that does not close, `head` still says how long the
/// body is and whether the client closes, so that the next request can be found.
struct GuardVerdict {
    RequestHead head;
    std::optional<GuardFault> fault;
};

/// What differs from house to house.
struct GuardRules {
    /// The values of `Host` that it answers to, lower case, as sent: "name" and "name:port".
    std::vector<std::string> hosts;
    std::span<const Route> operator_routes{}; // beside those of every house
};

enum class HeaderState : std::uint8_t { incomplete, complete, malformed };

/// Looks for the end of a header. `scanned` is where an earlier look at the same bytes stopped; it
/// is moved on, or, when complete, to the first byte behind the header. Every line must end with CR
/// LF, which is refused as soon as it is seen, not at the deadline.
[[nodiscard]] HeaderState find_header_end(std::string_view bytes, std::size_t& scanned) noexcept;

/// Judges one whole header, from the request line to the empty line, before any body byte is looked
/// at (SECURITY sections 1 and 2). Pure.
[[nodiscard]] GuardVerdict judge_header(std::string_view header, const GuardRules& rules);

} // namespace pointhouse::gateway
