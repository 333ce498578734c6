#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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

// Every PDF unpacks it and packs it again.
inline constexpr std::size_t logo_bytes_max = 65'536;
inline constexpr std::uint32_t logo_width_max = 1'000; // pixels
inline constexpr std::uint32_t logo_height_max = 300;

struct PixelSize {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

/// Pre: a logo without a fault.
[[nodiscard]] PixelSize size_of(std::string_view png);

/// What is wrong with a file as a logo; none when nothing is. Bounds come first; then as many
/// pixels are unpacked as the header says, and there must be no more. So no reader of pictures
/// unpacks more, but whether it can read them only it can say. Pure.
[[nodiscard]] std::optional<std::string> fault_of_logo(std::string_view png);

} // namespace pointhouse::partners
