#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "gateway/media_type.hpp"

namespace pointhouse::gateway {

/// The type that `Content-Type`, or a range of `Accept`, names. A charset other than UTF-8 makes it
/// one that the house does not read; other parameters say nothing here. Any thread.
[[nodiscard]] MediaType media_type_of(std::string_view text);

/// "application/json"; of what is no type of ours nothing.
[[nodiscard]] std::string_view name_of(MediaType type);

/// What a client wants to read, as the `Accept` fields of its request say (RFC 9110 section
/// 12.5.1): ranges with weights, of which the most exact one counts for each type. A value.
class AcceptedTypes {
public:
    /// Takes one field; a further one goes on with the list. A range that is malformed is passed
    /// over. `application/problem+json` stands for JSON, where JSON itself is not named.
    void read(std::string_view field);

    /// The type of `offered` that the client wants most. Of those that it wants alike: the one that
    /// it named most exactly, then the one that it named first, then `usual`, then the one offered
    /// first. A request without `Accept` wants `usual`. `MediaType::none`: it wants none of them.
    [[nodiscard]] MediaType choose(std::span<const MediaType> offered, MediaType usual) const;

private:
    struct Wish {
        std::uint16_t weight = 0;   // thousandths; 0: not wanted
        std::uint16_t place = 0;    // of the range in the list
        std::uint8_t precision = 0; // of the range; 0: no range has the type
    };

    void read_range(std::string_view range);

    static constexpr std::size_t types = static_cast<std::size_t>(MediaType::other);
    std::array<Wish, types> wishes_{}; // by type
    std::uint16_t ranges_ = 0;
};

} // namespace pointhouse::gateway
