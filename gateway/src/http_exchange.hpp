#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exchange.hpp"

namespace pointhouse::gateway {

class Connection;

/// The transport's side of an exchange: its place in its connection's line, and what the response
/// says beyond the answer.
class HttpExchange final : public Exchange {
public:
    void finish() override;

    Connection* connection = nullptr;
    HttpExchange* next = nullptr; // behind this one in the line, or in the pool
    bool is_finished = false;
    bool is_counted = false; // among the caller's requests in flight
    bool closes = false;     // the connection ends with this answer
    bool is_head = false;    // the answer's content is counted and left out
    std::string_view allow;
    std::string_view rate_limit;
    std::chrono::steady_clock::time_point received_at;
    std::string argument_text; // the decoded path parameter, when it had escapes

    /// Forgets the last request but keeps the strings' memory, unless one has grown large.
    void reset();
};

/// Exchanges that are used again, so that a request allocates nothing. One thread.
class ExchangePool {
public:
    [[nodiscard]] HttpExchange& take();
    void give_back(HttpExchange& exchange);

private:
    std::vector<std::unique_ptr<HttpExchange>> free_;
};

} // namespace pointhouse::gateway
