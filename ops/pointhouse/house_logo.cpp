#include "house_logo.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "partners/opening.hpp"
#include "settlement/logo.hpp"

namespace pointhouse::ops {

gateway::CommandResult set_logo(
    gateway::House& house, const std::string& file, const Invocation& typed)
{
    const auto act = terms_act(house, typed, "changes how its documents look");
    const auto png = read_text(typed.path(file), partners::logo_bytes_max + 1);
    // Its bounds first: only what is within them is unpacked.
    if (const auto fault = partners::fault_of_logo(png))
        return refused(fmt::format("{}: {}", file, *fault));
    const auto drawn = settlement::drawn_bytes(png);
    if (!drawn) return refused(fmt::format("{}: the picture in the PNG cannot be read", file));
    if (*drawn > settlement::drawn_logo_bytes_max)
        return refused(fmt::format(
            "{}: the picture would take {} bytes of each PDF; at most {}: fewer pixels, or fewer "
            "colours",
            file,
            *drawn,
            settlement::drawn_logo_bytes_max));
    auto& registry = house.registry();
    const auto changed = registry.set_logo(png, act);
    if (!changed) return refused(changed.error().reason);
    if (act.prepares) return await_newest(house, typed);
    const auto [width, height] = partners::size_of(png);
    return report(
        typed,
        {{"logo", logo_as_json(registry.logo())}},
        fmt::format(
            "what is issued from now on has the logo: {} x {} pixels, {} bytes, SHA-256 {}\n",
            width,
            height,
            png.size(),
            partners::digest_of(png)));
}

gateway::CommandResult withdraw_logo(
    gateway::House& house, const std::string& reason, const Invocation& typed)
{
    const auto act = terms_act(house, typed, "changes how its documents look");
    const auto changed = house.registry().withdraw_logo(reason, act);
    if (!changed) return refused(changed.error().reason);
    if (act.prepares) return await_newest(house, typed);
    return report(
        typed,
        {{"logo", nullptr}, {"withdrawn", reason}},
        "what is issued from now on has the drawn mark\n");
}

boost::json::value logo_as_json(const partners::Logo& logo)
{
    const auto png = logo.png();
    if (png.empty()) return nullptr;
    const auto [width, height] = partners::size_of(png);
    return {
        {"size_bytes", png.size()},
        {"width_pixels", width},
        {"height_pixels", height},
        {"sha256", partners::digest_of(png)}};
}

} // namespace pointhouse::ops
