#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>

#include "ledger/invariant.hpp"
#include "ledger/message.hpp"
#include "wire_json.hpp"

using namespace pointhouse;

// Any bytes as a message in JSON: what is taken keeps the bounds of the contract and has one
// canonical form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static gateway::JsonReader reader;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    std::pmr::monotonic_buffer_resource scratch;

    ledger::Message message;
    if (reader.read_typed(text, message, scratch)) return 0;
    ledger::invariant(
        !message.message_id.empty() && message.message_id.size() <= 64, "a message id is bounded");
    ledger::invariant(message.member.size() <= 64, "a member is bounded");
    if (message.points) {
        ledger::invariant(
            message.points->count() >= 1 && *message.points <= ledger::points_per_message_max,
            "points are bounded");
    }

    std::string canonical;
    ledger::append_canonical(message, canonical);
    ledger::Message again;
    std::string canonical_again;
    ledger::invariant(
        !reader.read_typed(text, again, scratch), "the same text is the same message");
    ledger::append_canonical(again, canonical_again);
    ledger::invariant(canonical == canonical_again, "a message has one canonical form");
    return 0;
}
