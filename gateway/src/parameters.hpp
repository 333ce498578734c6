#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "gateway/operator_route.hpp"
#include "message_form.hpp"

namespace google::protobuf {
class Message;
}

namespace pointhouse::gateway {

inline constexpr std::size_t parameter_bytes_max = 1000;

/// Reads one JSON object of single values, strictly: no unknown or repeated key, nothing nested, no
/// null, no number that is not a 64-bit integer, nothing behind it. A fault names the field. Any
/// thread.
[[nodiscard]] std::expected<ParameterValues, Fault> read_json_parameters(
    std::string_view body, std::span<const Parameter> parameters);

/// The same of a Protobuf message, which is parsed into `form`: a parameter is its field of that
/// name. An empty text was not sent.
[[nodiscard]] std::expected<ParameterValues, Fault> read_protobuf_parameters(
    std::string_view body, std::span<const Parameter> parameters, google::protobuf::Message& form);

/// The same of a query, `window=2026-06&open=true`; values may be percent-encoded.
[[nodiscard]] std::expected<ParameterValues, Fault> read_query_parameters(
    std::string_view query, std::span<const Parameter> parameters);

} // namespace pointhouse::gateway
