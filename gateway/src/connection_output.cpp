#include <cstddef>

#include "connection.hpp"
#include "response.hpp"

namespace pointhouse::gateway {
namespace {

// So much is put together before it is sent; a longer answer makes the memory go back at once.
constexpr std::size_t output_bytes_max = std::size_t{256} << 10U;

} // namespace

/// Sends what is finished at the front of the line: all of it in one write.
void Connection::answer()
{
    if (state_ != State::open || !backlog_.empty()) return;
    std::string& output = transport_.output;
    output.clear();
    bool is_last = false;
    while (first_ != nullptr && first_->is_finished) {
        const bool line_ends = first_->next == nullptr && input_left() == 0;
        is_last = first_->closes || (transport_.is_draining && line_ends);
        append_answer(*first_, is_last);
        pop_exchange();
        if (output.size() < output_bytes_max) continue;
        send(output);
        output.clear();
        output.shrink_to_fit();
        if (state_ != State::open || !backlog_.empty()) break;
    }
    if (is_last) takes_no_more_ = true;
    if (owes_continue_ && first_ == nullptr && backlog_.empty()) {
        owes_continue_ = false;
        output += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    if (state_ == State::open && !output.empty()) send(output);
}

void Connection::append_answer(const HttpExchange& exchange, bool closes)
{
    append_response(
        transport_.output,
        {.status = exchange.status,
         .type = exchange.answer_body_type,
         .is_problem = exchange.is_problem,
         .replayed = exchange.replayed,
         .closes = closes,
         .omits_body = exchange.is_head,
         .retry_after_seconds = exchange.retry_after_seconds,
         .request_id = {exchange.request_id.data(), exchange.request_id.size()},
         .date = transport_.date,
         .allow = exchange.allow,
         .rate_limit = exchange.rate_limit},
        exchange.answer);
    transport_.counters.count_answer(exchange.status, transport_.now - exchange.received_at);
}

void Connection::pop_exchange()
{
    HttpExchange& exchange = *first_;
    first_ = exchange.next;
    if (first_ == nullptr) last_ = nullptr;
    if (exchange.is_finished) unsent_bytes_ -= exchange.answer.size();
    if (exchange.is_counted) {
        --use_->in_flight;
        --transport_.counters.requests_in_flight;
    }
    transport_.exchanges.give_back(exchange);
}

void Connection::send(std::string_view bytes)
{
    const std::size_t sent = write_some(bytes);
    if (state_ != State::open || sent == bytes.size()) return;
    backlog_.append(bytes.substr(sent));
}

void Connection::send_backlog()
{
    if (backlog_.empty()) return;
    const std::size_t sent = write_some(std::string_view{backlog_}.substr(backlog_sent_));
    backlog_sent_ += sent;
    if (state_ != State::open || backlog_sent_ < backlog_.size()) return;
    backlog_ = {};
    backlog_sent_ = 0;
    phase_ = Phase::fresh;
    answer();
}

/// How much the socket took. Closes the connection when writing fails.
std::size_t Connection::write_some(std::string_view bytes)
{
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto [outcome, written] = tls_.write(bytes.substr(sent));
        if (outcome == TlsOutcome::wants_write) break;
        if (outcome != TlsOutcome::done) {
            close();
            break;
        }
        sent += written;
        transport_.counters.bytes_sent += written;
    }
    return sent;
}

} // namespace pointhouse::gateway
