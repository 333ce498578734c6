#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "connection.hpp"
#include "log.hpp"
#include "problems.hpp"

namespace pointhouse::gateway {
namespace {

constexpr std::size_t unsent_bytes_max = std::size_t{256} << 10U;

int hex_value(char digit)
{
    if (digit <= '9') return digit - '0';
    return (digit | 0x20) - 'a' + 10;
}

/// Pre: the guard has found every escape well-formed.
std::string_view percent_decoded(std::string_view text, std::string& storage)
{
    if (text.find('%') == std::string_view::npos) return text;
    storage.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            storage += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            storage += text[i];
        }
    }
    return storage;
}

} // namespace

/// Reads what is there. True when it stopped for want of room, not of bytes.
bool Connection::read_input()
{
    if (peer_ended_ || takes_no_more_) return false;
    for (;;) {
        if (!has_room()) return !takes_no_more_;
        const auto [outcome, bytes] =
            tls_.read({input_.bytes.get() + filled_, input_.capacity - filled_});
        switch (outcome) {
        case TlsOutcome::done:
            filled_ += bytes;
            transport_.counters.bytes_received += bytes;
            // An empty socket is not asked again: the wait says when there is more.
            if (!tls_.has_buffered()) return false;
            break;
        case TlsOutcome::wants_read: return false;
        case TlsOutcome::wants_write: // OpenSSL answers a key update
            wait_writable();
            return false;
        case TlsOutcome::ended: peer_ended_ = true; return false;
        case TlsOutcome::failed: close(); return false;
        }
    }
}

bool Connection::has_room()
{
    if (!input_.bytes) input_ = transport_.buffers.take();
    if (filled_ < input_.capacity) return true;
    if (first_ != nullptr) return false; // their requests lie in the buffer
    // A full buffer is looked at before a larger one is taken: it says how large.
    if (awaited_ == 0 && consumed_ == 0) return false;
    if (make_room_for(std::max(awaited_, input_left() + 1))) return true;
    refuse(last_fault("overloaded", "too many large bodies at once"), {});
    return false;
}

/// Pre: no exchange in the line. Moves what is left to the front of this buffer or of a larger one.
bool Connection::make_room_for(std::size_t bytes)
{
    const std::size_t left = input_left();
    if (bytes <= input_.capacity) {
        std::memmove(input_.bytes.get(), input_.bytes.get() + consumed_, left);
    } else {
        InputBuffer larger = transport_.buffers.take_large(bytes);
        if (!larger.bytes) return false;
        std::memcpy(larger.bytes.get(), input_.bytes.get() + consumed_, left);
        transport_.buffers.give_back(std::exchange(input_, std::move(larger)));
    }
    consumed_ = 0;
    filled_ = left;
    return true;
}

void Connection::release_input()
{
    if (input_.bytes) transport_.buffers.give_back(std::exchange(input_, {}));
    filled_ = consumed_ = scanned_ = awaited_ = 0;
}

void Connection::take_requests()
{
    while (!takes_no_more_ && input_left() > 0) {
        if (unsent_bytes_ > unsent_bytes_max) {
            has_more_ = true; // small requests for large answers: send some first
            return;
        }
        if (!take_request({input_.bytes.get() + consumed_, input_left()})) return;
    }
}

/// Takes the request at the front of `rest`. False when it is not all there, or is the last.
bool Connection::take_request(std::string_view rest)
{
    if (rest.size() < awaited_) return false;
    if (awaited_ == 0) {
        const auto state = find_header_end(rest, scanned_);
        if (state == HeaderState::malformed) {
            refuse(last_fault("malformed", "a header line that does not end with CR LF"), {});
            return false;
        }
        if (state == HeaderState::incomplete) {
            if (rest.size() <= header_bytes_max) return false;
            refuse(last_fault("malformed", "the header is longer than 8 KiB"), {});
            return false;
        }
    }
    if (const auto refusal = refusal_of_caller()) {
        refuse(*refusal, {});
        return false;
    }
    const auto [head, fault] = judge_header(rest.substr(0, scanned_), transport_.rules);
    if (fault && fault->closes) {
        refuse(*fault, head);
        return false;
    }
    const std::size_t length = scanned_ + head.body_bytes;
    if (rest.size() < length) {
        // The header is judged again when the body is here: until then the buffer may move.
        if (awaited_ == 0) owes_continue_ = head.expects_continue;
        awaited_ = length;
        return false;
    }
    const auto body = rest.substr(scanned_, head.body_bytes);
    consumed_ += length;
    scanned_ = awaited_ = 0;
    owes_continue_ = false;
    phase_ = Phase::fresh;
    if (fault) {
        refuse(*fault, head);
    } else {
        begin_exchange(head, body);
    }
    return true;
}

/// Asked on every request, so that a revocation and the end of a certificate take effect at once.
std::optional<GuardFault> Connection::refusal_of_caller() const
{
    if (refusal_) return refusal_;
    if (transport_.unix_seconds > certificate_ends_) {
        return last_fault("certificate_refused", "the certificate has expired");
    }
    if (transport_.authority.is_refused(identity_.serial)) {
        return last_fault(
            "certificate_refused", "the certificate was revoked, or the house never registered it");
    }
    return std::nullopt;
}

void Connection::begin_exchange(const RequestHead& head, std::string_view body)
{
    HttpExchange& exchange = append_exchange(head);
    exchange.route = head.route->id;
    if (exchange.route == RouteId::operator_request)
        exchange.operator_route =
            static_cast<std::size_t>(head.route - transport_.rules.operator_routes.data());
    exchange.arguments[0] = percent_decoded(head.argument, exchange.argument_text);
    exchange.query = head.query;
    exchange.body_type = head.body_type;
    exchange.body = body;
    exchange.caller = &identity_.caller;
    if (const auto code = refusal_by_limits(); !code.empty()) {
        return finish_with_problem(exchange, passing_fault(code, "send it again later"));
    }
    exchange.is_counted = true;
    ++use_->in_flight;
    ++transport_.counters.requests_in_flight;
    decide(exchange);
}

std::string_view Connection::refusal_by_limits()
{
    const TransportLimits& limits = transport_.options.limits;
    if (use_->in_flight >= limits.in_flight_per_partner_max) return "overloaded";
    if (transport_.counters.requests_in_flight >= limits.in_flight_max) return "overloaded";
    return transport_.partners.take_token(*use_, transport_.now) ? "" : "rate_limited";
}

/// The edge of the session: what nobody foresaw costs this request and this connection, no more.
void Connection::decide(HttpExchange& exchange)
{
    try {
        transport_.handler.begin(exchange);
    } catch (const std::exception& failure) {
        const std::string_view id{exchange.request_id.data(), exchange.request_id.size()};
        log_event(
            LogLevel::error,
            "request failed",
            {{LogField::request_id, id}, {LogField::reason, failure.what()}});
        takes_no_more_ = exchange.closes = true;
        finish_with_problem(exchange, last_fault("internal", "quote the Request-Id to support"));
    }
}

void Connection::refuse(const GuardFault& fault, const RequestHead& head)
{
    HttpExchange& exchange = append_exchange(head);
    if (fault.closes) takes_no_more_ = exchange.closes = true;
    finish_with_problem(exchange, fault);
}

void Connection::finish_with_problem(HttpExchange& exchange, const GuardFault& fault)
{
    answer_problem(exchange, fault.code, fault.detail);
    exchange.allow = fault.allow;
    if (fault.code == "overloaded" || fault.code == "rate_limited")
        exchange.retry_after_seconds = 1;
    if (fault.code == "rate_limited") exchange.rate_limit = transport_.partners.rate_limit_lines();
    if (!exchange.is_finished) exchange.finish();
}

HttpExchange& Connection::append_exchange(const RequestHead& head)
{
    HttpExchange& exchange = transport_.exchanges.take();
    exchange.connection = this;
    exchange.accepted = head.accepted;
    exchange.answer_type = head.answer_type;
    exchange.received_at = transport_.now;
    transport_.write_request_id(exchange.request_id);
    exchange.is_head = head.is_head;
    if (head.closes) takes_no_more_ = exchange.closes = true;

    (last_ == nullptr ? first_ : last_->next) = &exchange;
    last_ = &exchange;
    ++unfinished_;
    return exchange;
}

} // namespace pointhouse::gateway
