#pragma once

#include <memory>
#include <memory_resource>
#include <optional>
#include <string_view>

#include "ledger/message.hpp"
#include "message_form.hpp"

namespace pointhouse::gateway {

/// Reads messages from JSON, strictly: no duplicate or unknown key, no number that is not a 64-bit
/// integer, no null, no nesting beyond the form, no byte after the document, valid UTF-8. One pass
/// without a document tree. Reused from message to message; one thread.
///
/// The views of a message point into `text` or, where the text had escapes and for lines, into
/// `scratch`. After a fault only `message_id` of the message is to be relied on; it is empty unless
/// it was read and well-formed.
class JsonReader {
public:
    JsonReader();
    ~JsonReader();

    /// A message of the type that `message` already has.
    [[nodiscard]] std::optional<Fault> read(
        std::string_view text, ledger::Message& message, std::pmr::memory_resource& scratch);
    /// A message that names its own type in `type`.
    [[nodiscard]] std::optional<Fault> read_typed(
        std::string_view text, ledger::Message& message, std::pmr::memory_resource& scratch);
    /// {"member": …} alone, into `message.member`.
    [[nodiscard]] std::optional<Fault> read_member(
        std::string_view text, ledger::Message& message, std::pmr::memory_resource& scratch);

    /// The hold's id as the last message had it in its body; whose it is only the house can say.
    [[nodiscard]] std::string_view hold_id() const;

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

} // namespace pointhouse::gateway
