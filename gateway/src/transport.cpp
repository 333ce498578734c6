#include "transport.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <boost/asio/post.hpp>
#include <openssl/rand.h>

#include "connection.hpp"
#include "ledger/invariant.hpp"

namespace pointhouse::gateway {
namespace {

void write_hexadecimal(char* end, std::uint64_t number) noexcept
{
    for (int digit = 0; digit < 16; ++digit, number >>= 4U) {
        *--end = "0123456789abcdef"[number & 0xfU];
    }
}

} // namespace

Transport::Transport(
    asio::io_context& loop,
    const ListenerOptions& settings,
    ExchangeHandler& exchange_handler,
    ClientAuthority& client_authority)
    : options{settings}, handler{exchange_handler}, authority{client_authority},
      partners{settings.limits}, buffers{settings.limits.large_input_bytes_max}, loop_{loop}
{
    std::array<unsigned char, sizeof(std::uint64_t)> random{};
    ledger::invariant(
        RAND_bytes(random.data(), static_cast<int>(random.size())) == 1, "random numbers exist");
    std::uint64_t prefix = 0;
    for (const auto byte : random) prefix = prefix << 8U | byte;
    write_hexadecimal(request_id_prefix_.data() + request_id_prefix_.size(), prefix);
    set_clocks();
}

Transport::~Transport() = default;

void Transport::revisit(Connection& connection)
{
    revisits_.push_back(&connection);
    schedule_end_of_turn();
}

void Transport::retire(Connection& connection)
{
    retired_.push_back(&connection);
    schedule_end_of_turn();
}

void Transport::write_request_id(std::array<char, 32>& id) noexcept
{
    std::ranges::copy(request_id_prefix_, id.begin());
    write_hexadecimal(id.data() + id.size(), ++last_request_);
}

void Transport::set_clocks()
{
    now = Clock::now();
    const std::time_t wall = std::time(nullptr);
    unix_seconds = wall;
    std::tm fields{};
    ::gmtime_r(&wall, &fields);
    std::array<char, 32> text{};
    const auto length =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &fields);
    date.assign(text.data(), length);
}

void Transport::schedule_end_of_turn()
{
    if (std::exchange(is_end_scheduled_, true)) return;
    asio::post(loop_, [this] { end_turn(); });
}

void Transport::end_turn()
{
    is_end_scheduled_ = false;
    now = Clock::now();
    visiting_.swap(revisits_);
    for (Connection* connection : visiting_) connection->resume();
    visiting_.clear();
    for (Connection* connection : retired_) {
        const std::size_t place = connection->place();
        connections.back()->set_place(place);
        std::swap(connections[place], connections.back());
        connections.pop_back();
    }
    retired_.clear();
    counters.connections_open = connections.size();
}

} // namespace pointhouse::gateway
