#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "settlement/window_figures.hpp"

namespace pointhouse::settlement {

/// What a window moves of a partner's points, by the names of `settle show`.
struct MovedFigure {
    std::string_view name;
    std::int64_t PartnerFigures::* field;
};
inline constexpr std::array<MovedFigure, 9> moved_figures{
    {{"issued", &PartnerFigures::issued},
     {"redeemed_here", &PartnerFigures::redeemed_here},
     {"own_redeemed_anywhere", &PartnerFigures::own_redeemed_anywhere},
     {"refunded", &PartnerFigures::refunded},
     {"donated", &PartnerFigures::donated},
     {"clawed_back", &PartnerFigures::clawed_back},
     {"recovered_given", &PartnerFigures::recovered_given},
     {"recovered_received", &PartnerFigures::recovered_received},
     {"expired", &PartnerFigures::expired}}};

} // namespace pointhouse::settlement
