#pragma once

#include <string>
#include <string_view>

#include "exchange.hpp"

namespace pointhouse::gateway {

/// What the header of an answer says. All text is the house's own: a response never repeats bytes
/// of a request, so that no CR or LF can get into it.
struct ResponseHead {
    int status = 200;
    MediaType type = MediaType::json;
    bool is_problem = false;
    bool replayed = false;
    bool closes = false;
    bool omits_body = false; // its length is said all the same
    int retry_after_seconds = 0;
    std::string_view request_id = {};
    std::string_view date = {};       // RFC 9110 form
    std::string_view allow = {};      // for 405
    std::string_view rate_limit = {}; // whole lines with their CR LF, for 429
};

/// Appends a whole response: header, empty line, body.
void append_response(std::string& out, const ResponseHead& head, std::string_view body);

} // namespace pointhouse::gateway
