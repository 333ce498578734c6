#include "client/channel.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace pointhouse::client {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds watch_interval{500};
constexpr milliseconds rest_max{500};
constexpr milliseconds put_off_max{1'000};
// A request that a connection never survives is more likely the cause than the victim.
constexpr int losses_per_request_max = 20;

milliseconds backed_off(milliseconds first, int attempt, milliseconds most)
{
    return std::min(most, first * (1 << std::min(attempt, 10)));
}

} // namespace

Channel::Channel(
    Loop& loop, const Endpoint& endpoint, const Credentials& credentials, ChannelOptions options)
    : loop_{loop}, endpoint_{endpoint}, identity_{credentials, endpoint}, options_{options},
      alive_{std::make_shared<const bool>(true)}
{
    for (std::size_t i = 0; i < options_.connections; ++i) {
        ConnectionObserver& self = *this;
        lanes_.push_back(
            {.connection = std::make_unique<Connection>(loop_, identity_, endpoint_, self)});
    }
}

Channel::~Channel() = default;

void Channel::send(std::string request, OnAnswer on_answer)
{
    waiting_.push_back({.request = std::move(request), .on_answer = std::move(on_answer)});
    fill_lanes();
}

Channel::Lane& Channel::lane_of(const Connection& connection)
{
    return *std::ranges::find_if(
        lanes_, [&](const Lane& lane) { return lane.connection.get() == &connection; });
}

Channel::Lane* Channel::find_lane_with_room()
{
    Lane* best = nullptr;
    for (auto& lane : lanes_) {
        if (!lane.connection->is_open() || lane.in_flight.size() >= options_.pipeline_max) continue;
        if (best == nullptr || lane.in_flight.size() < best->in_flight.size()) best = &lane;
    }
    return best;
}

void Channel::fill_lanes()
{
    while (!waiting_.empty()) {
        auto* lane = find_lane_with_room();
        if (lane == nullptr) return open_a_lane();
        lane->connection->send(waiting_.front().request);
        lane->in_flight.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
}

void Channel::open_a_lane()
{
    // One at a time: a house that is down is not hammered, and short work needs one connection
    // only.
    Lane* closed = nullptr;
    for (auto& lane : lanes_) {
        const bool on_its_way = !lane.connection->is_closed() && !lane.connection->is_open();
        if (on_its_way || lane.resting) return;
        if (closed == nullptr && lane.connection->is_closed()) closed = &lane;
    }
    if (closed == nullptr) return;
    watch_timeouts();
    closed->connection->open();
}

void Channel::opened(Connection& /*connection*/)
{
    fill_lanes();
}

void Channel::answered(Connection& connection, const Answer& answer)
{
    auto& lane = lane_of(connection);
    auto pending = std::move(lane.in_flight.front());
    lane.in_flight.pop_front();
    trouble_since_.reset();
    losses_ = 0;

    if (answer.status == 503 || answer.status == 429) {
        if (pending.put_offs == 0) pending.put_off_since = loop_.now();
        if (loop_.now() - pending.put_off_since < options_.give_up_after) {
            return put_off(std::move(pending), answer);
        }
    }
    pending.on_answer(answer);
    fill_lanes();
}

void Channel::put_off(Pending pending, const Answer& answer)
{
    const milliseconds asked{1'000 * std::clamp(answer.retry_after_seconds, 0, 60)};
    const auto delay = std::max(asked, backed_off(milliseconds{10}, pending.put_offs, put_off_max));
    ++pending.put_offs;
    ++sent_again_;
    // std::function wants its captures copyable, and a Pending is, at the cost of one copy.
    after(delay, [this, pending] {
        waiting_.push_back(pending);
        fill_lanes();
    });
}

void Channel::lost(Connection& connection, std::string_view reason, bool refused)
{
    auto& lane = lane_of(connection);
    sent_again_ += lane.in_flight.size();
    const bool had_work = !lane.in_flight.empty();
    if (had_work) ++lane.in_flight.front().losses;
    waiting_.insert(
        waiting_.begin(),
        std::make_move_iterator(lane.in_flight.begin()),
        std::make_move_iterator(lane.in_flight.end()));
    lane.in_flight.clear();
    // A house may close an idle connection; the next request opens one again.
    if (waiting_.empty()) return;

    if (!trouble_since_) trouble_since_ = loop_.now();
    const bool hopeless = waiting_.front().losses > losses_per_request_max;
    if (refused || hopeless || loop_.now() - *trouble_since_ >= options_.give_up_after) {
        return fail_all(reason);
    }
    rest(lane);
    fill_lanes(); // the other lanes may have room
}

void Channel::rest(Lane& lane)
{
    lane.resting = true;
    const auto index = std::distance(lanes_.data(), &lane);
    after(backed_off(milliseconds{5}, losses_++, rest_max), [this, index] {
        lanes_.at(static_cast<std::size_t>(index)).resting = false;
        fill_lanes();
    });
}

void Channel::fail_all(std::string_view reason)
{
    const auto failed = std::exchange(waiting_, {});
    const std::string failure{reason};
    trouble_since_.reset();
    for (const auto& pending : failed) pending.on_answer(Answer{.body = {}, .failure = failure});
}

void Channel::watch_timeouts()
{
    if (std::exchange(watching_, true)) return;
    after(watch_interval, [this] {
        watching_ = false;
        give_up_silent_lanes();
    });
}

void Channel::give_up_silent_lanes()
{
    bool any_open = false;
    for (auto& lane : lanes_) {
        auto& connection = *lane.connection;
        if (connection.is_closed()) continue;
        any_open = true;
        const bool idle = connection.is_open() && connection.in_flight() == 0;
        if (idle || loop_.now() - connection.last_progress() < options_.answer_timeout) continue;
        connection.give_up(fmt::format("no answer within {} ms", options_.answer_timeout.count()));
    }
    if (any_open) watch_timeouts();
}

void Channel::after(milliseconds delay, std::function<void()> action)
{
    loop_.after(delay, [alive = std::weak_ptr{alive_}, action = std::move(action)] {
        if (!alive.expired()) action();
    });
}

} // namespace pointhouse::client
