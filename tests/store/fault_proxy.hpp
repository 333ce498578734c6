#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace pointhouse::ledger::test {

/// Stands between a client and a server on the loopback, and breaks connections as told. Counts are
/// of bytes since the last reset(), over all connections.
class FaultProxy {
public:
    explicit FaultProxy(int server_port);
    ~FaultProxy();
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;

    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] std::int64_t sent_by_client() const { return client_bytes_; }
    [[nodiscard]] std::int64_t sent_by_server() const { return server_bytes_; }
    /// No more faults; counts from 0.
    void reset();
    /// Ends every connection once that many bytes have passed from the client (the server).
    void cut_after_client_bytes(std::int64_t bytes) { client_limit_ = bytes; }
    void cut_after_server_bytes(std::int64_t bytes) { server_limit_ = bytes; }
    /// From now on what the server says is dropped; the connections stay.
    void swallow_answers() { swallows_ = true; }

private:
    void accept_all();
    void carry(int client);

    int server_port_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> ends_ = false;
    std::atomic<bool> swallows_ = false;
    std::atomic<std::int64_t> client_bytes_ = 0;
    std::atomic<std::int64_t> server_bytes_ = 0;
    std::atomic<std::int64_t> client_limit_ = INT64_MAX;
    std::atomic<std::int64_t> server_limit_ = INT64_MAX;
    std::atomic<int> carried_ = 0;
    std::thread thread_;
};

} // namespace pointhouse::ledger::test
