#include <cstddef>
#include <cstdint>
#include <string_view>

#include "replay_file.hpp"

using namespace pointhouse;

// Any bytes as a line of a purchases file: a row, or a fault that says why not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        (void)ops::parse_purchase_row({reinterpret_cast<const char*>(data), size});
    } catch (const ops::FileFault&) { // the answer to a line that is none
    }
    return 0;
}
