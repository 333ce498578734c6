#include "sample_png.hpp"

#include <zlib.h>

namespace pointhouse::partners {
namespace {

const unsigned char* bytes_of(const std::string& text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

std::string png_number(std::uint32_t number)
{
    std::string bytes;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        bytes += static_cast<char>(number >> shift & 0xFFU);
    return bytes;
}

std::string png_chunk(const std::string& type, const std::string& data)
{
    const auto checked = type + data;
    const auto checksum = ::crc32(0, bytes_of(checked), static_cast<uInt>(checked.size()));
    return png_number(static_cast<std::uint32_t>(data.size())) + checked +
           png_number(static_cast<std::uint32_t>(checksum));
}

std::string packed(const std::string& bytes)
{
    auto size = ::compressBound(bytes.size());
    std::string made(size, '\0');
    ::compress2(
        reinterpret_cast<unsigned char*>(made.data()), &size, bytes_of(bytes), bytes.size(), 9);
    made.resize(size);
    return made;
}

std::string png_of(
    std::uint32_t width,
    std::uint32_t height,
    const std::string& packed_pixels,
    const std::string& rest_of_header)
{
    return png_signature +
           png_chunk("IHDR", png_number(width) + png_number(height) + rest_of_header) +
           png_chunk("IDAT", packed_pixels) + png_chunk("IEND", "");
}

std::string sample_png(std::uint32_t width, std::uint32_t height, std::uint8_t opacity_of_blue)
{
    std::string row(1, '\0'); // no filter
    for (std::uint32_t x = 0; x < width; ++x)
        row += x < width / 2 ? std::string{"\xff\0\0\xff", 4}
                             : std::string{"\0\0\xff", 3} + static_cast<char>(opacity_of_blue);
    std::string pixels;
    for (std::uint32_t y = 0; y < height; ++y) pixels += row;
    return png_of(width, height, packed(pixels));
}

} // namespace pointhouse::partners
