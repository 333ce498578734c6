#include "http_exchange.hpp"

#include <cstddef>

#include "connection.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::gateway {
namespace {

constexpr std::size_t free_exchanges_max = 4096;
constexpr std::size_t kept_answer_bytes_max = std::size_t{8} << 10U;

} // namespace

void HttpExchange::finish()
{
    ledger::invariant(!is_finished, "an exchange is finished once");
    is_finished = true;
    connection->on_finished(*this);
}

void HttpExchange::reset()
{
    operator_route = 0;
    arguments = {};
    query = {};
    body_type = MediaType::none;
    accepted = {};
    answer_type = MediaType::json;
    body = {};
    caller = nullptr;
    status = 0;
    answer_body_type = MediaType::json;
    is_problem = false;
    replayed = false;
    retry_after_seconds = 0;
    answer.clear();
    if (answer.capacity() > kept_answer_bytes_max) answer.shrink_to_fit();

    connection = nullptr;
    next = nullptr;
    is_finished = false;
    is_counted = false;
    closes = false;
    is_head = false;
    allow = {};
    rate_limit = {};
}

HttpExchange& ExchangePool::take()
{
    if (free_.empty()) return *std::make_unique<HttpExchange>().release();
    HttpExchange* const exchange = free_.back().release();
    free_.pop_back();
    return *exchange;
}

void ExchangePool::give_back(HttpExchange& exchange)
{
    std::unique_ptr<HttpExchange> owner{&exchange};
    if (free_.size() >= free_exchanges_max) return;
    owner->reset();
    free_.push_back(std::move(owner));
}

} // namespace pointhouse::gateway
