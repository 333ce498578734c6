#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "exchange.hpp"

namespace pointhouse::gateway {

enum class Method : std::uint8_t { get, post };

/// What a route takes as body: nothing, one message (JSON or Protobuf), a batch of them (JSON lines
/// or Protobuf), what is no message (JSON), or a file of one type.
enum class BodyForm : std::uint8_t { none, message, batch, json, file };

inline constexpr std::size_t message_body_bytes_max = std::size_t{1} << 20U;
inline constexpr std::size_t batch_body_bytes_max = std::size_t{8} << 20U;
inline constexpr std::size_t file_body_bytes_max = std::size_t{8} << 20U;

inline constexpr std::array json_alone{MediaType::json};

/// One request of CONTRACT.md. The path has at most one parameter, a whole segment in braces.
struct Route {
    RouteId id;
    Method method;
    BodyForm form;
    std::string_view path;
    MediaType file = MediaType::none;                // of a body that is a file
    std::span<const MediaType> answers = json_alone; // what there is of `Accept`, the usual first

    [[nodiscard]] std::size_t body_bytes_max() const noexcept;
    [[nodiscard]] bool takes(MediaType type) const noexcept;
};

/// A route and its path parameter as it was sent, percent-encoded.
struct RouteMatch {
    const Route* route = nullptr; // null: no route has this path and method
    std::string_view argument;
};

/// The routes of every house, for documentation and tests.
[[nodiscard]] std::span<const Route> routes() noexcept;

/// `others`: the routes of this house's operators.
[[nodiscard]] RouteMatch match_route(
    std::string_view method, std::string_view path, std::span<const Route> others = {}) noexcept;

/// The value of `Allow` for a path, "GET, POST"; empty when no route has the path.
[[nodiscard]] std::string_view allowed_methods(
    std::string_view path, std::span<const Route> others = {}) noexcept;

} // namespace pointhouse::gateway
