#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/ids.hpp"
#include "media_types.hpp"

namespace pointhouse::gateway {

/// Who is at the other end of a connection: the one URI SAN of its certificate.
struct Caller {
    enum class Kind : std::uint8_t { partner, house_operator };
    Kind kind = Kind::partner;
    std::string name;          // "GRO", or the operator's name
    ledger::PartnerId partner; // none for operators

    [[nodiscard]] bool is_operator() const { return kind == Kind::house_operator; }
};

/// Every route of CONTRACT.md that the house serves; `Route` in router.hpp has its method and
/// bounds.
enum class RouteId : std::uint8_t {
    accruals,
    redemptions,
    reversals,
    clawbacks,
    donations,
    transfers,
    holds,
    hold_capture,
    hold_release,
    accrual_release,
    member_block,
    member_unblock,
    member_close,
    member_merge,
    member_identifiers,
    member_reinstate,
    adjustments,
    members,
    batches,
    quotes,
    member_lookup,
    member,
    member_entries,
    hold,
    message,
    position,
    documents,
    document,
    document_answer,
    statement,
    disputes,
    dispute,
    dispute_open,
    dispute_answer,
    dispute_escalate,
    reconciliation,
    reconciliation_compare,
    operator_request,
    echo,
    openapi,
};

/// One request and its answer, in the order of its connection. The transport fills the request,
/// an ExchangeHandler fills the answer. Lives on the one I/O thread. All views point into the
/// connection's input buffer, which does not move until the exchange has been answered.
class Exchange {
public:
    virtual ~Exchange() = default;

    // The request, past the guard: well-formed HTTP, known route, allowed method, body within
    // bounds.
    RouteId route = RouteId::echo;
    std::size_t operator_route = 0; // of an operator_request: its place among the house's own
    std::array<std::string_view, 1> arguments; // path parameters, percent-decoded
    std::string_view query;                    // raw, without '?'
    MediaType body_type = MediaType::none;
    AcceptedTypes accepted;                  // what the client wants to read
    MediaType answer_type = MediaType::json; // of what the route has, what it wants most
    std::string_view body;
    const Caller* caller = nullptr;
    std::array<char, 32> request_id{}; // hexadecimal; goes out as Request-Id

    // The answer.
    int status = 0;
    MediaType answer_body_type = MediaType::json;
    bool is_problem = false;     // application/problem+json
    bool replayed = false;       // Idempotent-Replayed: true
    int retry_after_seconds = 0; // Retry-After, when above zero
    std::string answer;          // the body; its capacity is reused

    /// The answer is complete: the transport may send it once all before it on the connection are.
    virtual void finish() = 0;
};

/// What decides on requests. One thread, the I/O loop's.
class ExchangeHandler {
public:
    virtual ~ExchangeHandler() = default;
    /// Answers now, or later: calls exchange.finish() exactly once. The exchange stays valid until
    /// then, also when its connection has gone.
    virtual void begin(Exchange& exchange) = 0;
};

} // namespace pointhouse::gateway
