#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "message_form.hpp"

namespace pointhouse::gateway {

/// The query parameters that reads take; empty: not sent. Values are of the characters that ids
/// have, so that nothing in them is percent-encoded.
struct ReadQuery {
    std::string_view limit;
    std::string_view cursor;
    std::string_view partner; // operators: whose

    /// Refuses unknown and repeated parameters by name.
    static std::optional<Fault> parse(std::string_view text, ReadQuery& out);
};

} // namespace pointhouse::gateway
