#pragma once

#include <cstdint>
#include <string>

namespace pointhouse::partners {

inline const std::string png_signature{"\x89PNG\r\n\x1a\n"};

/// Most significant byte first.
[[nodiscard]] std::string png_number(std::uint32_t number);
/// With its length and checksum.
[[nodiscard]] std::string png_chunk(const std::string& type, const std::string& data);
/// As zlib packs it best.
[[nodiscard]] std::string packed(const std::string& bytes);

/// Sound by its form, and of that size by its header, with this as its packed pixels; of RGBA,
/// eight bits each, unless the rest of the header says otherwise.
[[nodiscard]] std::string png_of(
    std::uint32_t width,
    std::uint32_t height,
    const std::string& packed_pixels,
    const std::string& rest_of_header = {"\x08\x06\0\0\0", 5});

/// A PNG of RGBA pixels, its left half red, its right half blue and as opaque as said.
[[nodiscard]] std::string sample_png(
    std::uint32_t width, std::uint32_t height, std::uint8_t opacity_of_blue = 255);

} // namespace pointhouse::partners
