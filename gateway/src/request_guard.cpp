#include "request_guard.hpp"

#include <algorithm>
#include <charconv>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "problems.hpp"

namespace pointhouse::gateway {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::iequals;

constexpr GuardFault malformed(std::string_view detail)
{
    return last_fault("malformed", detail);
}

/// Splits the header with Beast and keeps what the guard must see. Beast alone is too lenient
/// (SECURITY section 1), so each field that frames or routes a request is checked here and below.
class HeadParser final : public http::basic_parser<true> {
public:
    HeadParser() { body_limit(boost::none); }

    std::string_view method;
    std::string_view target;
    int version = 0; // 11 is HTTP/1.1
    std::size_t fields = 0;
    std::optional<std::string_view> host;
    std::optional<std::string_view> content_length;
    std::optional<std::string_view> content_type;
    std::optional<std::string_view> expect;
    AcceptedTypes accepted;
    bool has_transfer_encoding = false;
    bool has_content_encoding = false;
    bool has_upgrade = false;
    std::string_view objection; // ours, when not empty

private:
    using BeastView = boost::beast::string_view;

    void on_request_impl(
        http::verb,
        BeastView method_text,
        BeastView target_text,
        int number,
        error_code& error) override
    {
        method = method_text;
        target = target_text;
        version = number;
        error = {};
    }

    void on_field_impl(
        http::field field, BeastView name, BeastView text, error_code& error) override
    {
        error = {};
        const std::string_view value = text;
        if (++fields > fields_max) return object(error, "more than 64 header fields");
        if (name.size() + value.size() > field_bytes_max) {
            return object(error, "a header field is longer than 4 KiB");
        }
        if (field == http::field::host) return keep_once(host, value, error);
        if (field == http::field::content_length) return keep_once(content_length, value, error);
        if (field == http::field::content_type) return keep_once(content_type, value, error);
        if (field == http::field::expect) return keep_once(expect, value, error);
        if (field == http::field::accept) accepted.read(value);
        if (field == http::field::transfer_encoding) has_transfer_encoding = true;
        if (field == http::field::content_encoding) has_content_encoding = true;
        if (field == http::field::upgrade) has_upgrade = true;
    }

    void keep_once(std::optional<std::string_view>& kept, std::string_view value, error_code& error)
    {
        if (kept) return object(error, "a header field that may appear once appears twice");
        kept = value;
    }

    void object(error_code& error, std::string_view detail)
    {
        objection = detail;
        error = http::error::bad_field;
    }

    // Only the header is ever given to this parser.
    void on_response_impl(int, BeastView, int, error_code&) override {}
    void on_header_impl(error_code& error) override { error = {}; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) override
    {
        error = {};
    }
    std::size_t on_body_impl(BeastView, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, BeastView, error_code&) override { return 0; }
    void on_finish_impl(error_code& error) override { error = {}; }
};

/// Bare CR or LF, folded lines and control characters: what parsers disagree about.
std::optional<GuardFault> object_to_bytes(std::string_view header)
{
    if (header.size() > header_bytes_max) return malformed("the header is longer than 8 KiB");
    for (std::size_t i = 0; i < header.size(); ++i) {
        const auto byte = static_cast<unsigned char>(header[i]);
        if (byte >= 0x20 && byte != 0x7f) [[likely]]
            continue;
        if (byte == '\t') continue;
        if (byte != '\r' || i + 1 == header.size() || header[i + 1] != '\n') {
            return malformed("control character or bare line ending in the header");
        }
        ++i;
        if (i + 1 < header.size() && (header[i + 1] == ' ' || header[i + 1] == '\t')) {
            return malformed("a folded header line");
        }
    }
    return std::nullopt;
}

int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool is_dot_segment(std::string_view segment)
{
    std::size_t dots = 0;
    while (!segment.empty()) {
        if (segment.front() == '.') {
            segment.remove_prefix(1);
        } else if (segment.size() >= 3 && iequals(segment.substr(0, 3), "%2e")) {
            segment.remove_prefix(3);
        } else {
            return false;
        }
        ++dots;
    }
    return dots == 1 || dots == 2;
}

std::optional<GuardFault> object_to_target(std::string_view target, std::string_view path)
{
    if (target.size() > target_bytes_max) return malformed("the target is longer than 2 KiB");
    if (!target.starts_with('/')) return malformed("the target is not a path");
    for (std::size_t i = 0; i < target.size(); ++i) {
        const char byte = target[i];
        if (byte < '!' || byte > '~' || byte == '#' || byte == '\\') {
            return malformed("a character that a target may not have");
        }
        if (byte != '%') continue;
        const int high = i + 2 < target.size() ? hex_digit(target[i + 1]) : -1;
        const int low = i + 2 < target.size() ? hex_digit(target[i + 2]) : -1;
        if (high < 0 || low < 0) return malformed("a broken percent escape in the target");
        if (high == 0 && low == 0) return malformed("%00 in the target");
    }
    for (std::string_view rest = path; !rest.empty();) {
        rest.remove_prefix(1); // the slash
        const auto segment = rest.substr(0, rest.find('/'));
        if (is_dot_segment(segment)) return malformed("a dot segment in the target");
        rest.remove_prefix(segment.size());
    }
    return std::nullopt;
}

std::optional<GuardFault> object_to_fields(const HeadParser& parser, const GuardRules& rules)
{
    if (parser.version != 11 && parser.version != 10) return malformed("not HTTP/1.1");
    if (!parser.host) return malformed("no Host");
    const auto is_host = [&](const std::string& host) { return iequals(host, *parser.host); };
    if (std::ranges::none_of(rules.hosts, is_host)) {
        return malformed("Host is not a name of this house");
    }
    if (parser.has_upgrade || parser.upgrade()) return malformed("Upgrade is not offered");
    if (parser.expect && !iequals(*parser.expect, "100-continue")) {
        return malformed("an expectation other than 100-continue");
    }
    return std::nullopt;
}

/// Says how long the body is, or why that cannot be known or is too long.
std::optional<GuardFault> frame_body(const HeadParser& parser, RequestHead& head)
{
    if (!parser.content_length) {
        if (parser.method != "POST") return std::nullopt;
        return last_fault("length_required", "a POST without Content-Length");
    }
    const std::string_view text = *parser.content_length;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.empty() || !std::ranges::all_of(text, is_digit)) {
        return malformed("Content-Length is not a number");
    }
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), head.body_bytes);
    if (parsed.ec != std::errc{} || head.body_bytes > batch_body_bytes_max) {
        return last_fault("too_large", "the body is longer than this route allows");
    }
    return std::nullopt;
}

/// What the answer is in where `Accept` does not say. Files are not answered in their own kind.
MediaType usual_answer(MediaType body_type, std::span<const MediaType> answers)
{
    const bool is_encoding = body_type == MediaType::protobuf || body_type == MediaType::json_lines;
    const bool has_it = std::ranges::find(answers, body_type) != answers.end();
    return is_encoding && has_it ? body_type : answers.front();
}

std::string_view types_taken_by(const Route& route)
{
    switch (route.form) {
    case BodyForm::none:
    case BodyForm::message: return "send application/json or application/x-protobuf";
    case BodyForm::batch: return "send application/x-ndjson or application/x-protobuf";
    case BodyForm::json: return "send application/json";
    case BodyForm::file: break;
    }
    if (route.file == MediaType::csv) return "send text/csv";
    if (route.file == MediaType::json) return "send application/json";
    if (route.file == MediaType::pem) return "send application/x-pem-file";
    if (route.file == MediaType::png) return "send image/png";
    return route.file == MediaType::xml ? "send application/xml" : "send application/toml";
}

/// Which route, and whether it takes this body. The framing is sound by now, so that all but an
/// oversize body leave the connection usable.
std::optional<GuardFault> route_request(
    const HeadParser& parser,
    std::string_view path,
    std::span<const Route> operator_routes,
    RequestHead& head)
{
    const auto match = match_route(parser.method, path, operator_routes);
    if (match.route == nullptr) {
        if (head.body_bytes > message_body_bytes_max) {
            return last_fault("too_large", "the body is longer than any that this path takes");
        }
        const auto allow = allowed_methods(path, operator_routes);
        if (allow.empty()) return passing_fault("route_unknown", "no such path");
        return passing_fault("method_not_allowed", "see Allow", allow);
    }
    head.route = match.route;
    head.argument = match.argument;
    if (head.body_bytes > match.route->body_bytes_max()) {
        return last_fault("too_large", "the body is longer than this route allows");
    }
    if (parser.has_content_encoding) {
        return passing_fault("media_type_unsupported", "Content-Encoding is not read");
    }
    if (!match.route->takes(head.body_type)) {
        return passing_fault("media_type_unsupported", types_taken_by(*match.route));
    }
    const auto answers = match.route->answers;
    head.answer_type = head.accepted.choose(answers, usual_answer(head.body_type, answers));
    if (head.answer_type == MediaType::none) {
        return passing_fault("not_acceptable", "the path has no type that Accept asks for");
    }
    return std::nullopt;
}

} // namespace

HeaderState find_header_end(std::string_view bytes, std::size_t& scanned) noexcept
{
    for (;;) {
        const auto newline = bytes.find('\n', scanned);
        if (newline == std::string_view::npos) {
            scanned = bytes.size();
            return HeaderState::incomplete;
        }
        if (newline == 0 || bytes[newline - 1] != '\r') return HeaderState::malformed;
        scanned = newline + 1;
        // An empty first line is no header at all; Beast says so.
        if (newline == 1 || bytes[newline - 2] == '\n') return HeaderState::complete;
    }
}

GuardVerdict judge_header(std::string_view header, const GuardRules& rules)
{
    GuardVerdict verdict;
    verdict.fault = object_to_bytes(header);
    if (verdict.fault) return verdict;

    HeadParser parser;
    error_code error;
    const auto used = parser.put(boost::asio::buffer(header.data(), header.size()), error);
    if (error == http::error::bad_transfer_encoding) parser.has_transfer_encoding = true;
    if (parser.has_transfer_encoding) {
        verdict.fault = last_fault("length_required", "send Content-Length, not Transfer-Encoding");
        return verdict;
    }
    if (error || used != header.size() || !parser.is_header_done()) {
        const bool is_ours = !parser.objection.empty();
        verdict.fault = malformed(is_ours ? parser.objection : "not a well-formed HTTP/1.1 header");
        return verdict;
    }

    RequestHead& head = verdict.head;
    const auto path = parser.target.substr(0, parser.target.find('?'));
    head.query = parser.target.substr(std::min(path.size() + 1, parser.target.size()));
    head.closes = parser.version == 10 || !parser.keep_alive();
    head.is_head = parser.method == "HEAD";
    head.expects_continue = parser.expect.has_value();
    if (parser.content_type) head.body_type = media_type_of(*parser.content_type);
    head.accepted = parser.accepted;

    verdict.fault = frame_body(parser, head);
    if (!verdict.fault) verdict.fault = object_to_fields(parser, rules);
    if (!verdict.fault) verdict.fault = object_to_target(parser.target, path);
    if (!verdict.fault) verdict.fault = route_request(parser, path, rules.operator_routes, head);
    if (verdict.fault) head.answer_type = problem_type_of(head.accepted, head.body_type);
    return verdict;
}

} // namespace pointhouse::gateway
