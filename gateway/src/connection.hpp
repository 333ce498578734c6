#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include "client_authority.hpp"
#include "http_exchange.hpp"
#include "input_buffer.hpp"
#include "partner_limits.hpp"
#include "request_guard.hpp"
#include "tls_socket.hpp"
#include "transport.hpp"

namespace pointhouse::gateway {

/// One client: handshake, then requests in and answers out, in order, many per read and per write.
///
/// While an exchange is in the line its request lies in the input buffer, which therefore does not
/// move; an idle connection has no buffer, no exchange and no output of its own. It lives until its
/// socket is closed, its waits have come back and its exchanges are finished. One thread.
class Connection {
public:
    Connection(TcpSocket socket, asio::ip::address peer, SSL_CTX* tls, Transport& transport);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    void start();
    /// The end of a turn in which exchanges finished: answers, and goes on reading if it had
    /// paused.
    void resume();
    /// From the sweep.
    void check_deadline();
    /// The house stops: answers what has been received, then closes.
    void drain();
    /// At once; exchanges that are not finished stay valid until they are.
    void close();

    /// From the exchanges.
    void on_finished(const HttpExchange& exchange);

    /// Where Transport::connections holds this.
    [[nodiscard]] std::size_t place() const noexcept { return place_; }
    void set_place(std::size_t place) noexcept { place_ = place; }

private:
    enum class State : std::uint8_t { handshaking, open, closing, closed };
    enum class Phase : std::uint8_t { fresh, idle, header, body, answering, sending };

    // connection.cpp: readiness, deadlines, the beginning and the end.
    void wait_readable();
    void wait_writable();
    void on_ready(boost::system::error_code error);
    void act();
    void go_on_handshaking();
    void admit();
    void leave_handshake();
    void serve();
    void settle();
    void enter(Phase phase);
    void begin_closing();
    void go_on_closing();
    void retire_if_over();

    // connection_input.cpp: from bytes to exchanges.
    [[nodiscard]] bool read_input();
    [[nodiscard]] bool has_room();
    [[nodiscard]] bool make_room_for(std::size_t bytes);
    void take_requests();
    [[nodiscard]] bool take_request(std::string_view rest);
    [[nodiscard]] std::optional<GuardFault> refusal_of_caller() const;
    void begin_exchange(const RequestHead& head, std::string_view body);
    [[nodiscard]] std::string_view refusal_by_limits();
    void decide(HttpExchange& exchange);
    void refuse(const GuardFault& fault, const RequestHead& head);
    void finish_with_problem(HttpExchange& exchange, const GuardFault& fault);
    [[nodiscard]] HttpExchange& append_exchange(const RequestHead& head);
    [[nodiscard]] std::size_t input_left() const noexcept { return filled_ - consumed_; }
    void release_input();

    // connection_output.cpp: from answers to bytes.
    void answer();
    void append_answer(const HttpExchange& exchange, bool closes);
    void pop_exchange();
    void send(std::string_view bytes);
    void send_backlog();
    [[nodiscard]] std::size_t write_some(std::string_view bytes);

    Transport& transport_;
    TlsSocket tls_;
    asio::ip::address peer_;
    std::size_t place_ = 0;

    State state_ = State::handshaking;
    Phase phase_ = Phase::fresh;
    bool waits_readable_ = false;
    bool waits_writable_ = false;
    bool is_serving_ = false;    // on the stack: answers leave at its end
    bool is_revisited_ = false;  // on the transport's list
    bool has_more_ = false;      // input that can go on without the socket being readable
    bool peer_ended_ = false;    // it sends no more
    bool takes_no_more_ = false; // the last request is in the line; what follows is not read
    bool owes_continue_ = false;
    bool is_retired_ = false;
    Transport::Clock::time_point deadline_;

    ClientIdentity identity_;
    CallerUse* use_ = nullptr;          // none until the client is admitted
    std::optional<GuardFault> refusal_; // what the first request of an unwelcome client gets
    std::int64_t certificate_ends_ = 0; // Unix time

    InputBuffer input_;
    std::size_t filled_ = 0;
    std::size_t consumed_ = 0;
    std::size_t scanned_ = 0; // of the bytes behind consumed_
    std::size_t awaited_ = 0; // length of the request at consumed_, once its header is known

    HttpExchange* first_ = nullptr; // the line of exchanges, oldest first
    HttpExchange* last_ = nullptr;
    std::size_t unfinished_ = 0;
    std::size_t unsent_bytes_ = 0; // of the answers of finished exchanges in the line
    std::string backlog_;          // answers that the peer is slow to take, from backlog_sent_ on
    std::size_t backlog_sent_ = 0;
};

} // namespace pointhouse::gateway
