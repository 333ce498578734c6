#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "client/channel.hpp"
#include "replay.hpp"
#include "replay_plan.hpp"
#include "replay_progress.hpp"

namespace pointhouse::ops {

/// What became of a replay.
struct ReplaySummary {
    std::map<std::string, std::uint64_t> booked;  // by kind of message, this run's alone
    std::uint64_t already_booked = 0;             // answered with an earlier outcome
    std::map<std::string, std::uint64_t> refused; // by code
    std::vector<std::string> refusals;            // the first few, in words
    std::uint64_t sent_again = 0;                 // after a lost connection, a 503 or a 429
    std::int64_t points_earned = 0;               // of booked and already booked
    std::int64_t points_clawed_back = 0;
    std::int64_t points_redeemed = 0;
    double seconds = 0;
    std::string stopped; // why it did not come to the end; empty when it did

    [[nodiscard]] std::uint64_t messages() const;
    [[nodiscard]] bool complete() const { return stopped.empty() && refused.empty(); }
};

struct PlayOptions {
    ServedHouse house;
    std::uint64_t per_second_max = 0; // 0: as fast as it goes
};

/// The body of a message, as JSON; `target` is its route.
struct MessageForm {
    std::string_view target;
    std::string body;
};
[[nodiscard]] MessageForm format_message(const ReplayPlan& plan, const ReplayMessage& message);

/// Plays a plan against a serving house: each member's messages one after the other, members
/// side by side in the order of time, a month after the other. One thread; use once.
class ReplayPlayer {
public:
    /// Throws client::SetupFault for a bad URL or certificates that cannot be read.
    ReplayPlayer(const ReplayPlan& plan, const PlayOptions& options);
    ReplaySummary play(Progress& progress);

private:
    /// A member whose next message may go out; the earliest message first.
    struct Ready {
        ledger::Time occurred_at;
        std::size_t member = 0;
        bool operator<(const Ready& other) const
        {
            return std::tie(other.occurred_at, other.member) < std::tie(occurred_at, member);
        }
    };

    void play_month(ledger::Time end, Progress& progress);
    void enqueue(std::size_t member, ledger::Time end);
    void send_ready(ledger::Time end);
    [[nodiscard]] bool may_send() const;
    void take_answer(
        const ReplayMessage& message, std::size_t member, const client::Answer& answer);
    void take_refusal(const ReplayMessage& message, const client::Answer& answer);

    const ReplayPlan& plan_;
    PlayOptions options_;
    client::Endpoint endpoint_;
    client::Loop loop_;
    std::vector<std::unique_ptr<client::Channel>> channels_; // by partner
    std::vector<MemberCourse> courses_;
    std::priority_queue<Ready> ready_;
    std::vector<std::size_t> answered_; // members, since the last turn of the loop
    std::size_t in_flight_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t baskets_done_ = 0;
    client::Instant begun_;
    ReplaySummary summary_;
};

} // namespace pointhouse::ops
