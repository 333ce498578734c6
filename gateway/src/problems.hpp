#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "exchange.hpp"
#include "ledger/result.hpp"

namespace pointhouse::v1 {
class Problem;
}

namespace pointhouse::gateway {

struct Fault; // message_form.hpp

/// What a client may do with a message that got a problem: nothing, send the same again, or send it
/// again under a new message id.
enum class Retry : std::uint8_t { never, same_id, new_id };

/// One wire code of the closed list in CONTRACT.md. An issue may add to it; none is renamed.
struct Problem {
    std::string_view code;
    int status = 500;
    Retry retry = Retry::never;
    std::string_view title;
};

/// All of them, in the order of their status.
[[nodiscard]] std::span<const Problem> problems();

/// Pre: `code` is one of the list.
[[nodiscard]] const Problem& problem_of(std::string_view code);
[[nodiscard]] int status_of(std::string_view code);
[[nodiscard]] std::string_view name_of(Retry retry);

/// Appends the RFC 9457 document (application/problem+json). `message_id` is left out when empty.
void append_problem(
    std::string& out,
    std::string_view code,
    std::string_view detail,
    std::string_view message_id = {});

/// The same as Protobuf.
void fill_problem(
    v1::Problem& out,
    std::string_view code,
    std::string_view detail,
    std::string_view message_id = {});

/// JSON or Protobuf: what a client reads that a problem is told to. Where `Accept` does not say, as
/// `usual` is.
[[nodiscard]] MediaType problem_type_of(const AcceptedTypes& accepted, MediaType usual);

/// Makes the problem the answer of the exchange, in the encoding that its client reads: JSON, or
/// Protobuf `Problem`. Does not finish the exchange.
void answer_problem(
    Exchange& exchange,
    std::string_view code,
    std::string_view detail,
    std::string_view message_id = {});

/// What is wrong with a message, or with the request that it came in.
void answer_fault(Exchange& exchange, const Fault& fault, std::string_view message_id = {});
/// The house can take no more now. `detail` says what to do; when is said beside it.
void answer_overloaded(
    Exchange& exchange, std::string_view detail = "Nothing was done; send it again");
/// Something failed here that the client cannot help. The log says what.
void answer_internal(Exchange& exchange, const std::exception& failure);

} // namespace pointhouse::gateway
