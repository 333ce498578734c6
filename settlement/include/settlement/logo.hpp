#pragma once

#include <string_view>

namespace pointhouse::settlement {

/// Whether a PNG can be drawn on a document. It is unpacked for that, to as many pixels as its
/// header says, so bound them before. Any thread.
[[nodiscard]] bool is_drawable(std::string_view png);

} // namespace pointhouse::settlement
