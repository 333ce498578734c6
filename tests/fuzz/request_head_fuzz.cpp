#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ledger/invariant.hpp"
#include "request_guard.hpp"

using namespace pointhouse;

// Any bytes as the head of a request: what passes the guard has a route and a bounded body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const gateway::GuardRules rules{.hosts = {"127.0.0.1:8443"}};
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};

    std::size_t scanned = 0;
    const auto state = gateway::find_header_end(bytes, scanned);
    ledger::invariant(scanned <= size, "a look at bytes stays within them");
    if (state != gateway::HeaderState::complete) return 0;

    const auto verdict = gateway::judge_header(bytes.substr(0, scanned), rules);
    if (verdict.fault) return 0;
    ledger::invariant(verdict.head.route != nullptr, "what passes has a route");
    ledger::invariant(verdict.head.body_bytes <= 8U << 20U, "what passes has a bounded body");
    ledger::invariant(scanned <= gateway::header_bytes_max, "what passes has a bounded header");
    return 0;
}
