#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace pointhouse::gateway {

/// Appends parts of a preformatted JSON text: literals, whole numbers, and texts that need no
/// escaping because their characters were checked when they came in.
template <std::integral Number>
void append_part(std::string& out, Number number)
{
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}
inline void append_part(std::string& out, std::string_view text)
{
    out.append(text);
}
inline void append_part(std::string& out, bool value)
{
    out.append(value ? "true" : "false");
}
inline void append_part(std::string& out, const char* text)
{
    out.append(text);
}

template <class... Parts>
void append_json_parts(std::string& out, const Parts&... parts)
{
    (append_part(out, parts), ...);
}

} // namespace pointhouse::gateway
