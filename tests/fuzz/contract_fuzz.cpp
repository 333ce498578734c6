#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ledger/time.hpp"
#include "partners/registry.hpp"

using namespace pointhouse;

// Any bytes as a contract or a tariff: read, or refused in words.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const ledger::Calendar calendar{"UTC"};
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    (void)partners::parse_contract(text, "GRO", calendar);
    (void)partners::parse_tariff(text, calendar);
    return 0;
}
