#pragma once

#include <string_view>

namespace pointhouse::gateway {

/// The text of gateway/openapi.json, embedded at build time.
[[nodiscard]] std::string_view openapi_document();

} // namespace pointhouse::gateway
