#include "sample_png.hpp"

#include <zlib.h>

namespace pointhouse::settlement {
namespace {

const unsigned char* bytes_of(const std::string& text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string as_bytes(std::uint32_t number)
{
    std::string bytes;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        bytes += static_cast<char>(number >> shift & 0xFFU);
    return bytes;
}

std::string chunk(const std::string& type, const std::string& data)
{
    const auto checked = type + data;
    const auto checksum = ::crc32(0, bytes_of(checked), static_cast<uInt>(checked.size()));
    return as_bytes(static_cast<std::uint32_t>(data.size())) + checked +
           as_bytes(static_cast<std::uint32_t>(checksum));
}

} // namespace

std::string png_of(std::uint32_t width, std::uint32_t height, const std::string& packed)
{
    const std::string rgba{"\x08\x06\0\0\0", 5};
    return "\x89PNG\r\n\x1a\n" + chunk("IHDR", as_bytes(width) + as_bytes(height) + rgba) +
           chunk("IDAT", packed) + chunk("IEND", "");
}

std::string sample_png(std::uint32_t width, std::uint32_t height, std::uint8_t opacity_of_blue)
{
    std::string row(1, '\0'); // no filter
    for (std::uint32_t x = 0; x < width; ++x)
        row += x < width / 2 ? std::string{"\xff\0\0\xff", 4}
                             : std::string{"\0\0\xff", 3} + static_cast<char>(opacity_of_blue);
    std::string pixels;
    for (std::uint32_t y = 0; y < height; ++y) pixels += row;
    auto size = ::compressBound(pixels.size());
    std::string packed(size, '\0');
    ::compress2(
        reinterpret_cast<unsigned char*>(packed.data()), &size, bytes_of(pixels), pixels.size(), 9);
    packed.resize(size);
    return png_of(width, height, packed);
}

} // namespace pointhouse::settlement
