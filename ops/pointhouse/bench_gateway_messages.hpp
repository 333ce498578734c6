#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/endpoint.hpp"
#include "ledger/time.hpp"
#include "load_generator.hpp"

namespace pointhouse::ops {

/// Which messages a bench sends: each of 100 points, to random members.
struct BenchMessages {
    client::Endpoint endpoint;
    ledger::Time occurred_at;
    std::int64_t members = 1;
};

/// Numbers the messages of all sources of a bench, so that no id is used twice.
class MessageCounter {
public:
    std::uint64_t next() { return count_++; }

private:
    std::uint64_t count_ = 0;
};

/// Single JSON messages, ready to send but for id and member, which are patched in: in turn an
/// accrual to a random member and a redemption by the same, so that lots stay as many as they were.
class SingleMessages final : public RequestSource {
public:
    SingleMessages(const BenchMessages& messages, MessageCounter& counter);
    std::string_view next() override;

private:
    struct Form {
        std::string request;
        std::size_t id_at = 0;
        std::size_t member_at = 0;
    };
    static Form form(const BenchMessages& messages, std::string_view target);

    MessageCounter& counter_;
    std::int64_t members_;
    Form accrual_;
    Form redemption_;
};

/// Protobuf batches of `batch_messages` messages, made the same way.
class BatchMessages final : public RequestSource {
public:
    enum class Content : std::uint8_t {
        in_turn,   // as SingleMessages, for ever
        first_lots // accruals alone: `lots` to each member, then no more
    };
    BatchMessages(
        const BenchMessages& messages, MessageCounter& counter, Content content, int lots);
    std::string_view next() override;

    static constexpr std::size_t batch_messages = 1'000;

private:
    struct Place {
        std::size_t id_at = 0;
        std::size_t member_at = 0;
    };

    MessageCounter& counter_;
    std::int64_t members_;
    Content content_;
    std::uint64_t left_ = 0; // batches of `first_lots`
    std::uint64_t enrolled_ = 0;
    std::string request_;
    std::vector<Place> places_;
};

} // namespace pointhouse::ops
