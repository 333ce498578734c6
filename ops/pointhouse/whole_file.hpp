#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

namespace pointhouse::ops {

/// Writes a file by way of one beside it: a reader sees it whole or not at all.
/// Throws std::ios_base::failure, std::filesystem::filesystem_error.
inline void write_whole(const std::filesystem::path& file, std::string_view text)
{
    const auto unfinished = std::filesystem::path{file}.concat(".unfinished");
    std::ofstream stream{unfinished, std::ios::binary | std::ios::trunc};
    stream.exceptions(std::ios::failbit | std::ios::badbit);
    stream << text;
    stream.close();
    std::filesystem::rename(unfinished, file);
}

} // namespace pointhouse::ops
