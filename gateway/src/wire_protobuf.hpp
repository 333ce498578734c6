#pragma once

#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ledger/message.hpp"
#include "message_form.hpp"

namespace google::protobuf {
class Message;
}

namespace pointhouse::gateway {

/// Parses `bytes` into `sent`, strictly: no field that its type does not have, at any depth, none
/// twice that is no list, no text that is not UTF-8. Any thread.
[[nodiscard]] std::optional<Fault> read_strictly(
    std::string_view bytes, google::protobuf::Message& sent);

/// Reads messages from Protobuf (gateway/proto), as strictly as JsonReader reads JSON: unknown
/// fields at any depth are refused, items are counted on the wire before anything is parsed,
/// because the library makes 98 bytes of memory of each byte of empty submessages. Objects are
/// reused; one thread.
///
/// The views of a message point into `scratch`. After a fault only `message_id` is to be relied on.
class ProtobufReader {
public:
    ProtobufReader();
    ~ProtobufReader();

    /// A message of the type that `message` already has: `Accrual`, `Redemption`, …
    [[nodiscard]] std::optional<Fault> read(
        std::string_view bytes, ledger::Message& message, std::pmr::memory_resource& scratch);
    /// `Message`, which names its own type.
    [[nodiscard]] std::optional<Fault> read_typed(
        std::string_view bytes, ledger::Message& message, std::pmr::memory_resource& scratch);
    /// `MemberLookup`, into `message.member`.
    [[nodiscard]] std::optional<Fault> read_member(
        std::string_view bytes, ledger::Message& message, std::pmr::memory_resource& scratch);

    /// Finds the items of a `Batch` without parsing them.
    [[nodiscard]] static std::optional<Fault> split_batch(
        std::string_view bytes, std::vector<std::string_view>& items);

    /// The hold's id as the last message had it in its body; whose it is only the house can say.
    [[nodiscard]] std::string_view hold_id() const;

private:
    std::optional<Fault> read_content(
        std::string_view bytes,
        ledger::Message& message,
        std::pmr::memory_resource& scratch,
        FieldSet of_path);

    struct Objects;
    std::unique_ptr<Objects> objects_;
};

} // namespace pointhouse::gateway
