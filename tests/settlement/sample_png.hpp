#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace pointhouse::settlement {

/// A PNG of RGBA pixels, its left half red, its right half blue and as opaque as said.
[[nodiscard]] std::string sample_png(
    std::uint32_t width, std::uint32_t height, std::uint8_t opacity_of_blue = 255);
/// Sound by its form, and of that size by its header, with this as its packed pixels.
[[nodiscard]] std::string png_of(
    std::uint32_t width, std::uint32_t height, const std::string& packed);

} // namespace pointhouse::settlement
