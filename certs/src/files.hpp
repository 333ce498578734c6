#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "certs/failure.hpp"

namespace pointhouse::certs {

inline constexpr mode_t key_mode = 0400;
inline constexpr mode_t certificate_mode = 0644;

/// Puts a file in place in one step: it has its mode from the first moment, and a reader sees the
/// old content or the new. `tag` tells its temporary name from any other. Throws
/// CertificateFailure.
void write_file(
    const std::filesystem::path& file, std::string_view content, mode_t mode, std::string_view tag);

/// The whole of a file. Throws CertificateFailure when it is missing, unreadable or over 1 MiB.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

/// As `read_file`, for a file that only its owner may read; throws when others may.
[[nodiscard]] std::string read_private_file(const std::filesystem::path& file);

} // namespace pointhouse::certs
