#include "response.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace pointhouse::gateway {
namespace {

// The first lines of a response, ready to be copied: a header builder costs more than the decision.
std::string_view status_line(int status)
{
    switch (status) {
    case 200: return "HTTP/1.1 200 OK\r\n";
    case 201: return "HTTP/1.1 201 Created\r\n";
    case 202: return "HTTP/1.1 202 Accepted\r\n";
    case 400: return "HTTP/1.1 400 Bad Request\r\n";
    case 401: return "HTTP/1.1 401 Unauthorized\r\n";
    case 403: return "HTTP/1.1 403 Forbidden\r\n";
    case 404: return "HTTP/1.1 404 Not Found\r\n";
    case 405: return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 406: return "HTTP/1.1 406 Not Acceptable\r\n";
    case 409: return "HTTP/1.1 409 Conflict\r\n";
    case 411: return "HTTP/1.1 411 Length Required\r\n";
    case 413: return "HTTP/1.1 413 Content Too Large\r\n";
    case 415: return "HTTP/1.1 415 Unsupported Media Type\r\n";
    case 422: return "HTTP/1.1 422 Unprocessable Content\r\n";
    case 429: return "HTTP/1.1 429 Too Many Requests\r\n";
    case 503: return "HTTP/1.1 503 Service Unavailable\r\n";
    default: return "HTTP/1.1 500 Internal Server Error\r\n";
    }
}

std::string_view content_type_line(MediaType type, bool is_problem)
{
    if (type == MediaType::protobuf) return "Content-Type: application/x-protobuf\r\n";
    if (is_problem) return "Content-Type: application/problem+json\r\n";
    if (type == MediaType::json_lines) return "Content-Type: application/x-ndjson\r\n";
    if (type == MediaType::xml) return "Content-Type: application/xml\r\n";
    if (type == MediaType::pdf) return "Content-Type: application/pdf\r\n";
    if (type == MediaType::csv) return "Content-Type: text/csv\r\n";
    if (type == MediaType::toml) return "Content-Type: application/toml\r\n";
    if (type == MediaType::text) return "Content-Type: text/plain\r\n";
    if (type == MediaType::xlsx)
        return "Content-Type: "
               "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet\r\n";
    return "Content-Type: application/json\r\n";
}

void append_number(std::string& out, std::uint64_t number)
{
    std::array<char, 20> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), written.ptr);
}

} // namespace

void append_response(std::string& out, const ResponseHead& head, std::string_view body)
{
    out += status_line(head.status);
    out += content_type_line(head.type, head.is_problem);
    out += "Content-Length: ";
    append_number(out, body.size());
    out += "\r\nRequest-Id: ";
    out += head.request_id;
    out += "\r\nDate: ";
    out += head.date;
    if (head.replayed) out += "\r\nIdempotent-Replayed: true";
    if (head.retry_after_seconds > 0) {
        out += "\r\nRetry-After: ";
        append_number(out, static_cast<std::uint64_t>(head.retry_after_seconds));
    }
    if (!head.allow.empty()) {
        out += "\r\nAllow: ";
        out += head.allow;
    }
    if (head.closes) out += "\r\nConnection: close";
    out += "\r\n";
    out += head.rate_limit;
    out += "\r\n";
    if (!head.omits_body) out += body;
}

} // namespace pointhouse::gateway
