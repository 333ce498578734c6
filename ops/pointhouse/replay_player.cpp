#include "replay_player.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include <boost/json.hpp>

namespace pointhouse::ops {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::size_t in_flight_max = 1024;
constexpr std::size_t refusals_shown_max = 5;
constexpr client::ChannelOptions channel_options{.connections = 2, .pipeline_max = 64};

std::string_view name_of(ReplayMessage::Kind kind)
{
    switch (kind) {
    case ReplayMessage::Kind::accrual: return "accruals";
    case ReplayMessage::Kind::clawback: return "clawbacks";
    case ReplayMessage::Kind::redemption_by_value:
    case ReplayMessage::Kind::redemption_of_points: return "redemptions";
    case ReplayMessage::Kind::enrolment: return "enrolments";
    }
    return "";
}

std::string_view target_of(ReplayMessage::Kind kind)
{
    switch (kind) {
    case ReplayMessage::Kind::accrual: return "/v1/accruals";
    case ReplayMessage::Kind::clawback: return "/v1/clawbacks";
    case ReplayMessage::Kind::redemption_by_value:
    case ReplayMessage::Kind::redemption_of_points: return "/v1/redemptions";
    case ReplayMessage::Kind::enrolment: return "/v1/members";
    }
    return "";
}

std::optional<std::int64_t> find_integer(const json::value& answer, std::string_view pointer)
{
    boost::system::error_code error;
    const auto* found = answer.find_pointer(pointer, error);
    if (found == nullptr || !found->is_int64()) return std::nullopt;
    return found->get_int64();
}

std::string find_text(const json::value& answer, std::string_view pointer)
{
    boost::system::error_code error;
    const auto* found = answer.find_pointer(pointer, error);
    if (found == nullptr || !found->is_string()) return {};
    return std::string{std::string_view{found->get_string()}};
}

json::value parse_answer(std::string_view body)
{
    boost::system::error_code error;
    auto value = json::parse(body, error);
    return error ? json::value{} : value;
}

std::string month_before(ledger::Time end)
{
    return ledger::format_time(end - 1s).substr(0, 7);
}

} // namespace

std::uint64_t ReplaySummary::messages() const
{
    std::uint64_t count = already_booked;
    for (const auto& [kind, messages] : booked) count += messages;
    for (const auto& [code, messages] : refused) count += messages;
    return count;
}

MessageForm format_message(const ReplayPlan& plan, const ReplayMessage& message)
{
    using Kind = ReplayMessage::Kind;
    const auto& planned = *message.planned;
    json::object body{{"message_id", message.message_id(plan)}, {"member", message.member}};
    if (message.kind != Kind::enrolment) {
        body["occurred_at"] = ledger::format_time(planned.occurred_at);
    }

    const json::object amount{{"amount_minor", planned.amount_minor}, {"currency", plan.currency}};
    if (message.kind == Kind::accrual || message.kind == Kind::clawback) {
        auto& purchase = body.emplace("purchase", amount).first->value().as_object();
        if (!planned.channel.empty()) purchase["channel"] = planned.channel;
    }
    if (message.kind == Kind::clawback) body["reason"] = "return";
    if (message.kind == Kind::redemption_of_points) body["points"] = message.points;
    if (message.kind == Kind::redemption_by_value) body["value"] = amount;
    return {.target = target_of(message.kind), .body = json::serialize(body)};
}

ReplayPlayer::ReplayPlayer(const ReplayPlan& plan, const PlayOptions& options)
    : plan_{plan}, options_{options}, endpoint_{client::parse_endpoint(options.house.url)}
{
    for (const auto& partner : plan_.partners) {
        channels_.push_back(std::make_unique<client::Channel>(
            loop_,
            endpoint_,
            client::credentials_in(options_.house.certificates, partner),
            channel_options));
    }
    for (const auto& member : plan_.members) courses_.emplace_back(plan_, member);
}

ReplaySummary ReplayPlayer::play(Progress& progress)
{
    begun_ = std::chrono::steady_clock::now();
    std::string place = "nothing to send";
    for (const auto end : month_ends(plan_)) {
        place = month_before(end);
        play_month(end, progress);
        if (!summary_.stopped.empty()) break;
    }
    progress.finish(baskets_done_, place);

    for (const auto& channel : channels_) summary_.sent_again += channel->sent_again();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun_;
    summary_.seconds = elapsed.count();
    return std::move(summary_);
}

void ReplayPlayer::play_month(ledger::Time end, Progress& progress)
{
    const auto place = month_before(end);
    for (std::size_t member = 0; member < courses_.size(); ++member) enqueue(member, end);
    while (in_flight_ > 0 || (!ready_.empty() && summary_.stopped.empty())) {
        send_ready(end);
        // A pace leaves pauses in which no answer wakes the loop.
        loop_.run_once(options_.per_second_max > 0 ? 5ms : 100ms);
        for (const auto member : std::exchange(answered_, {})) enqueue(member, end);
        progress.update(baskets_done_, place);
    }
}

void ReplayPlayer::enqueue(std::size_t member, ledger::Time end)
{
    const auto message = courses_[member].next(end);
    if (message) ready_.push({.occurred_at = message->planned->occurred_at, .member = member});
}

bool ReplayPlayer::may_send() const
{
    if (in_flight_ >= in_flight_max || !summary_.stopped.empty()) return false;
    if (options_.per_second_max == 0) return true;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun_;
    return static_cast<double>(sent_) <
           elapsed.count() * static_cast<double>(options_.per_second_max);
}

void ReplayPlayer::send_ready(ledger::Time end)
{
    while (!ready_.empty() && may_send()) {
        const auto member = ready_.top().member;
        ready_.pop();
        const auto message = courses_[member].next(end);
        const auto form = format_message(plan_, *message);
        auto request = client::format_request(
            endpoint_,
            {.method = "POST",
             .target = form.target,
             .media_type = "application/json",
             .body = form.body});
        ++in_flight_;
        ++sent_;
        channels_[message->planned->partner]->send(
            std::move(request), [this, message = *message, member](const client::Answer& answer) {
                take_answer(message, member, answer);
            });
    }
}

void ReplayPlayer::take_answer(
    const ReplayMessage& message, std::size_t member, const client::Answer& answer)
{
    --in_flight_;
    if (answer.status == 0) {
        if (summary_.stopped.empty()) {
            summary_.stopped = fmt::format(
                "{} at {}: {}",
                plan_.partners[message.planned->partner],
                options_.house.url,
                answer.failure);
        }
        return;
    }
    if (answer.status >= 300) {
        take_refusal(message, answer);
        courses_[member].answered(message, std::nullopt);
    } else {
        const auto body = parse_answer(answer.body);
        const auto points = find_integer(body, "/points").value_or(0);
        if (message.kind == ReplayMessage::Kind::accrual) {
            summary_.points_earned += points;
        } else if (message.kind == ReplayMessage::Kind::clawback) {
            summary_.points_clawed_back += points;
        } else {
            summary_.points_redeemed += points;
        }
        if (answer.replayed) {
            ++summary_.already_booked;
        } else {
            ++summary_.booked[std::string{name_of(message.kind)}];
        }
        courses_[member].answered(message, find_integer(body, "/balance/available"));
    }
    const bool basket_done = message.kind != ReplayMessage::Kind::enrolment &&
                             message.kind != ReplayMessage::Kind::redemption_of_points;
    if (basket_done) ++baskets_done_;
    answered_.push_back(member);
}

void ReplayPlayer::take_refusal(const ReplayMessage& message, const client::Answer& answer)
{
    const auto problem = parse_answer(answer.body);
    auto code = find_text(problem, "/code");
    if (code.empty()) code = fmt::format("status_{}", answer.status);
    if (summary_.refusals.size() < refusals_shown_max) {
        summary_.refusals.push_back(fmt::format(
            "{} {} of {}: {} {}: {}",
            message.message_id(plan_),
            name_of(message.kind),
            message.member,
            answer.status,
            code,
            find_text(problem, "/detail")));
    }
    ++summary_.refused[std::move(code)];
}

} // namespace pointhouse::ops
