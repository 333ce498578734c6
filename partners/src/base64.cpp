#include "partners/base64.hpp"

#include <algorithm>

#include <openssl/evp.h>

namespace pointhouse::partners {

std::string as_base64(std::string_view bytes)
{
    std::string text(4 * ((bytes.size() + 2) / 3), '\0');
    const auto* const from = reinterpret_cast<const unsigned char*>(bytes.data());
    auto* const to = reinterpret_cast<unsigned char*>(text.data());
    // It ends what it writes with a zero, for which a string has room.
    ::EVP_EncodeBlock(to, from, static_cast<int>(bytes.size()));
    return text;
}

std::optional<std::string> from_base64(std::string_view text)
{
    std::string bytes(text.size() / 4 * 3, '\0');
    const auto* const from = reinterpret_cast<const unsigned char*>(text.data());
    auto* const to = reinterpret_cast<unsigned char*>(bytes.data());
    if (::EVP_DecodeBlock(to, from, static_cast<int>(text.size())) < 0) return std::nullopt;
    // It counts the padding as bytes.
    const auto end = text.find_last_not_of('=') + 1;
    bytes.resize(bytes.size() - std::min(bytes.size(), text.size() - end));
    if (as_base64(bytes) != text) return std::nullopt;
    return bytes;
}

} // namespace pointhouse::partners
