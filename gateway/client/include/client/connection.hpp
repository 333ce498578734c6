#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "client/endpoint.hpp"
#include "client/loop.hpp"

namespace pointhouse::client {

/// The house's answer to one request. Views are valid during the call that delivers it.
struct Answer {
    int status = 0;              // 0: there is none, `failure` says why
    bool replayed = false;       // Idempotent-Replayed: true
    int retry_after_seconds = 0; // 0 when not sent
    std::string_view body;
    std::string_view failure;
};

/// A request as it goes over the wire.
struct RequestForm {
    std::string_view method;
    std::string_view target;
    std::string_view media_type; // empty: no body
    std::string_view body;
};
[[nodiscard]] std::string format_request(const Endpoint& endpoint, const RequestForm& form);

class Connection;

/// Who is told what happens on a connection. May send and close on it from within a call.
class ConnectionObserver {
public:
    virtual ~ConnectionObserver() = default;
    virtual void opened(Connection& connection) = 0;
    /// Answers come in the order of the requests.
    virtual void answered(Connection& connection, const Answer& answer) = 0;
    /// Lost, with what was in flight: nothing is known of those requests. `refused`: the peer spoke
    /// and said no (a TLS alert, a certificate that does not fit), so trying again is of little
    /// use.
    virtual void lost(Connection& connection, std::string_view reason, bool refused) = 0;
};

/// One TLS connection that carries pipelined requests. It can be opened again after it was lost.
/// Lives on its loop's thread; loop, identity and observer must outlive it.
class Connection final : public Pollable {
public:
    Connection(
        Loop& loop,
        const TlsIdentity& identity,
        const Endpoint& endpoint,
        ConnectionObserver& observer);
    ~Connection() override;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Starts to connect; `opened` or `lost` follows from the loop.
    void open();
    [[nodiscard]] bool is_open() const { return state_ == State::open; }
    [[nodiscard]] bool is_closed() const { return state_ == State::closed; }
    /// Adds one whole request; it leaves when the loop's turn ends. Only while open.
    void send(std::string_view request);
    [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
    /// When the connection last began to open, or an answer last arrived.
    [[nodiscard]] Instant last_progress() const { return last_progress_; }
    /// Closes without telling the observer.
    void close();
    /// Closes and tells the observer that it is lost.
    void give_up(std::string_view reason);

    void on_ready(std::uint32_t events) override;
    void flush() override;

private:
    enum class State : std::uint8_t { closed, connecting, handshaking, open };
    class Parser;

    void finish_connect();
    void continue_handshake();
    void read_available();
    /// Delivers the whole answers among the bytes that came in. False when the connection has gone.
    bool deliver_answers();
    void write_pending();
    void want_write(bool wanted);
    void lose(std::string_view reason, bool refused);

    Loop& loop_;
    const TlsIdentity& identity_;
    const Endpoint& endpoint_;
    ConnectionObserver& observer_;
    State state_ = State::closed;
    bool wants_write_ = false;
    bool flush_asked_ = false;
    int socket_ = -1;
    ssl_st* session_ = nullptr;
    std::size_t in_flight_ = 0;
    Instant last_progress_;
    std::string input_;
    std::size_t input_begin_ = 0;
    std::size_t input_end_ = 0;
    std::string output_;
    std::size_t output_begin_ = 0;
    std::unique_ptr<Parser> parser_;
};

} // namespace pointhouse::client
