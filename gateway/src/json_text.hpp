#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace pointhouse::gateway {

template <class Number>
concept WholeNumber = std::integral<Number> && !std::same_as<Number, bool>;

// Each kind of part: the most bytes that it takes, and how it is written.

template <std::size_t size>
constexpr std::size_t bytes_of(const char (&)[size])
{
    return size - 1;
}
inline std::size_t bytes_of(std::string_view text)
{
    return text.size();
}
constexpr std::size_t bytes_of(WholeNumber auto)
{
    return 20;
}

template <std::size_t size>
char* write_part(char* at, const char (&literal)[size])
{
    std::memcpy(at, literal, size - 1);
    return at + size - 1;
}
inline char* write_part(char* at, std::string_view text)
{
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return at + text.size();
}
inline char* write_part(char* at, WholeNumber auto number)
{
    return std::to_chars(at, at + bytes_of(number), number).ptr;
}

/// Appends parts of a preformatted JSON text with one check of the room: literals, whole numbers,
/// and texts that need no escaping because their characters were checked when they came in.
template <class... Parts>
void append_json_parts(std::string& out, const Parts&... parts)
{
    const std::size_t before = out.size();
    out.resize_and_overwrite(before + (bytes_of(parts) + ...), [&](char* data, std::size_t) {
        char* at = data + before;
        ((at = write_part(at, parts)), ...);
        return at - data;
    });
}

} // namespace pointhouse::gateway
