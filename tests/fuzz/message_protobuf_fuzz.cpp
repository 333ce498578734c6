#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "ledger/invariant.hpp"
#include "ledger/message.hpp"
#include "wire_protobuf.hpp"

using namespace pointhouse;

// Any bytes as a message, and as a batch, in Protobuf.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static gateway::ProtobufReader reader;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    std::pmr::monotonic_buffer_resource scratch;

    std::vector<std::string_view> items;
    if (!gateway::ProtobufReader::split_batch(bytes, items))
        ledger::invariant(items.size() <= gateway::batch_messages_max, "a batch is bounded");

    ledger::Message message;
    if (reader.read_typed(bytes, message, scratch)) return 0;
    ledger::invariant(
        !message.message_id.empty() && message.message_id.size() <= 64, "a message id is bounded");
    ledger::invariant(message.member.size() <= 64, "a member is bounded");
    return 0;
}
