#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/ids.hpp"
#include "ledger/time.hpp"

namespace pointhouse::partners {

/// What the house draws at the top of its documents, a PNG as it was given. Shared by all documents
/// of its time.
struct Logo {
    std::shared_ptr<const std::string> file{};

    /// Empty: the house has none.
    [[nodiscard]] std::string_view png() const
    {
        return file ? std::string_view{*file} : std::string_view{};
    }
};

/// An entry of the house's record from which on it has another logo, or none.
struct LogoChange {
    ledger::HouseSequence entry{};
    ledger::Time at{};
    Logo logo{};
};

inline constexpr std::size_t logo_bytes_max = 65'536;
inline constexpr std::uint32_t logo_pixels_max = 1'000; // of each side

struct PixelSize {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

/// Pre: a logo without a fault.
[[nodiscard]] PixelSize size_of(std::string_view png);

/// What is wrong with a file as a logo; none when nothing is. Bounds come first, and nothing is
/// unpacked: what the picture shows only a reader of pictures can say. Pure.
[[nodiscard]] std::optional<std::string> fault_of_logo(std::string_view png);

} // namespace pointhouse::partners
