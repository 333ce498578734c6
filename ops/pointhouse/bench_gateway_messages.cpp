#include "bench_gateway_messages.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "client/connection.hpp"
#include "ledger/invariant.hpp"
#include "pointhouse/v1/messages.pb.h"

namespace pointhouse::ops {
namespace {

constexpr int points = 100;
constexpr std::size_t id_digits = 16;
constexpr std::size_t member_digits = 10;
constexpr std::string_view id_mark = "IIIIIIIIIIIIIIII";
constexpr std::string_view member_mark = "mMMMMMMMMMM";

/// A bijection (splitmix64), so what it makes of distinct numbers is distinct and looks random.
std::uint64_t scrambled(std::uint64_t number)
{
    number += 0x9e3779b97f4a7c15;
    number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27U)) * 0x94d049bb133111eb;
    return number ^ (number >> 31U);
}

void write_id(std::string& request, std::size_t at, std::uint64_t number)
{
    constexpr std::string_view digits = "0123456789abcdef";
    auto id = scrambled(number);
    for (std::size_t i = 0; i < id_digits; ++i, id >>= 4U) request[at + i] = digits[id & 15U];
}

void write_member(std::string& request, std::size_t at, std::uint64_t member)
{
    for (std::size_t i = member_digits; i > 0; --i, member /= 10) {
        request[at + i] = static_cast<char>('0' + member % 10); // after the "m"
    }
}

/// Both messages of a pair have one member.
std::uint64_t member_of(std::uint64_t number, std::int64_t members)
{
    return scrambled(~(number / 2)) % static_cast<std::uint64_t>(members);
}

std::size_t place_of(const std::string& request, std::string_view mark, std::size_t from = 0)
{
    const auto at = request.find(mark, from);
    ledger::invariant(at != std::string::npos, "a form has its marks");
    return at;
}

template <class Fields>
void fill(Fields& fields, const BenchMessages& messages)
{
    fields.set_message_id(std::string{id_mark});
    fields.set_member(std::string{member_mark});
    fields.set_occurred_at_micros(ledger::micros_of(messages.occurred_at));
    fields.set_points(points);
}

} // namespace

SingleMessages::SingleMessages(const BenchMessages& messages, MessageCounter& counter)
    : counter_{counter}, members_{messages.members}, accrual_{form(messages, "/v1/accruals")},
      redemption_{form(messages, "/v1/redemptions")}
{}

SingleMessages::Form SingleMessages::form(const BenchMessages& messages, std::string_view target)
{
    const auto body = fmt::format(
        R"({{"message_id":"{}","member":"{}","occurred_at":"{}","points":{}}})",
        id_mark,
        member_mark,
        ledger::format_time(messages.occurred_at),
        points);
    Form form{
        .request = client::format_request(
            messages.endpoint,
            {.method = "POST", .target = target, .media_type = "application/json", .body = body})};
    form.id_at = place_of(form.request, id_mark);
    form.member_at = place_of(form.request, member_mark);
    return form;
}

std::string_view SingleMessages::next()
{
    const auto number = counter_.next();
    auto& form = number % 2 == 0 ? accrual_ : redemption_;
    write_id(form.request, form.id_at, number);
    write_member(form.request, form.member_at, member_of(number, members_));
    return form.request;
}

BatchMessages::BatchMessages(
    const BenchMessages& messages, MessageCounter& counter, Content content, int lots)
    : counter_{counter}, members_{messages.members}, content_{content}
{
    const auto first_lots = static_cast<std::uint64_t>(messages.members * lots);
    left_ = (first_lots + batch_messages - 1) / batch_messages;
    v1::Batch batch;
    for (std::size_t i = 0; i < batch_messages; ++i) {
        auto& message = *batch.add_messages();
        if (content == Content::first_lots || i % 2 == 0) {
            fill(*message.mutable_accrual(), messages);
        } else {
            fill(*message.mutable_redemption(), messages);
        }
    }
    request_ = client::format_request(
        messages.endpoint,
        {.method = "POST",
         .target = "/v1/batches",
         .media_type = "application/x-protobuf",
         .body = batch.SerializeAsString()});
    for (std::size_t from = 0; places_.size() < batch_messages;) {
        const auto id_at = place_of(request_, id_mark, from);
        from = place_of(request_, member_mark, id_at);
        places_.push_back({.id_at = id_at, .member_at = from});
    }
}

std::string_view BatchMessages::next()
{
    if (content_ == Content::first_lots && left_-- == 0) {
        left_ = 0;
        return {};
    }
    for (const auto& place : places_) {
        const auto number = counter_.next();
        const auto member = content_ == Content::first_lots
                                ? enrolled_++ % static_cast<std::uint64_t>(members_)
                                : member_of(number, members_);
        write_id(request_, place.id_at, number);
        write_member(request_, place.member_at, member);
    }
    return request_;
}

} // namespace pointhouse::ops
