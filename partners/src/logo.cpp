#include "partners/logo.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <zlib.h>

#include "house_entries.hpp"
#include "partners/base64.hpp"
#include "partners/opening.hpp"
#include "registry_state.hpp"

namespace pointhouse::partners {
namespace {

namespace json = boost::json;

// A PNG is its signature, then chunks: length, type, data, checksum (ISO/IEC 15948).
constexpr std::string_view signature{"\x89PNG\r\n\x1a\n"};
constexpr std::size_t number_bytes = 4;
constexpr std::size_t frame_bytes = 3 * number_bytes; // of a chunk, beside its data
constexpr std::size_t header_bytes = 13;

/// Most significant byte first. Pre: four bytes.
std::uint32_t number_at(std::string_view bytes)
{
    std::uint32_t number = 0;
    for (const char each : bytes.substr(0, number_bytes))
        number = number << 8U | static_cast<unsigned char>(each);
    return number;
}

struct Chunk {
    std::string_view type{};
    std::string_view data{};
    bool is_sound = false; // by its checksum
};

/// Takes the next chunk off the front of what is left; none: it is cut short.
std::optional<Chunk> take_chunk(std::string_view& left)
{
    if (left.size() < frame_bytes) return std::nullopt;
    const std::size_t length = number_at(left);
    if (left.size() - frame_bytes < length) return std::nullopt;
    const auto checked = left.substr(number_bytes, number_bytes + length);
    const auto* const bytes = reinterpret_cast<const unsigned char*>(checked.data());
    const auto checksum = ::crc32(0, bytes, static_cast<uInt>(checked.size()));
    const Chunk chunk{
        .type = checked.substr(0, number_bytes),
        .data = checked.substr(number_bytes),
        .is_sound = checksum == number_at(left.substr(number_bytes + checked.size()))};
    left.remove_prefix(frame_bytes + length);
    return chunk;
}

std::optional<std::string> fault_of_header(std::string_view header)
{
    if (header.size() != header_bytes) return "the header of the PNG is not 13 bytes";
    const auto width = number_at(header);
    const auto height = number_at(header.substr(number_bytes));
    if (width == 0 || height == 0) return "the PNG has no pixels";
    if (width <= logo_pixels_max && height <= logo_pixels_max) return std::nullopt;
    return fmt::format("{0} x {1} pixels; at most {2} x {2}", width, height, logo_pixels_max);
}

} // namespace

PixelSize size_of(std::string_view png)
{
    const auto header = png.substr(signature.size() + 2 * number_bytes);
    return {.width = number_at(header), .height = number_at(header.substr(number_bytes))};
}

std::optional<std::string> fault_of_logo(std::string_view png)
{
    if (png.empty()) return "the file is empty";
    if (png.size() > logo_bytes_max) return fmt::format("more than {} bytes", logo_bytes_max);
    if (!png.starts_with(signature)) return "the file is no PNG";
    auto left = png.substr(signature.size());
    bool has_picture = false;
    for (bool is_first = true;; is_first = false) {
        const auto chunk = take_chunk(left);
        if (!chunk) return "the PNG is cut short";
        if (!chunk->is_sound) return "the PNG is damaged: a checksum is not that of its bytes";
        if (is_first != (chunk->type == "IHDR")) return "the PNG begins with no header, or has two";
        if (auto fault = is_first ? fault_of_header(chunk->data) : std::nullopt) return fault;
        if (chunk->type == "IDAT") has_picture = true;
        if (chunk->type == "IEND") break;
    }
    if (!has_picture) return "the PNG has no picture";
    if (!left.empty()) return "the PNG has bytes behind its end";
    return std::nullopt;
}

Registry::Accepted<void> Registry::set_logo(std::string_view png, Act act)
{
    if (auto fault = fault_of_logo(png)) return refused("logo: " + *fault);
    if (png == logo().png()) return refused("logo: it is in force already");
    state_->commit(
        kind::logo_set,
        {{"id", "house"}, {"sha256", digest_of(png)}, {"png", as_base64(png)}},
        act);
    return {};
}

Registry::Accepted<void> Registry::withdraw_logo(std::string_view reason, Act act)
{
    if (logo().png().empty()) return refused("logo: the house has none");
    state_->commit(kind::logo_withdrawn, {{"id", "house"}, {"reason", reason}}, act);
    return {};
}

Registry::Accepted<void> Registry::change_logo(const Proposal& proposal, Act act)
{
    act.approves = proposal.id;
    const auto content = json::parse(proposal.content).as_object();
    if (proposal.kind == kind::logo_withdrawn)
        return withdraw_logo(text_in(content, "reason"), act);
    return set_logo(logo_from(content), act);
}

Logo Registry::logo() const
{
    return state_->logos.empty() ? Logo{} : state_->logos.back().logo;
}

Logo Registry::logo_at(ledger::HouseSequence sequence) const
{
    const auto& changes = state_->logos;
    const auto after = std::ranges::upper_bound(changes, sequence, {}, &LogoChange::entry);
    return after == changes.begin() ? Logo{} : std::prev(after)->logo;
}

const std::vector<LogoChange>& Registry::logo_changes() const
{
    return state_->logos;
}

void Registry::State::apply_logo(const json::object& content)
{
    auto file = std::make_shared<const std::string>(logo_from(content));
    logos.push_back({.entry = entry_->sequence, .at = entry_->at, .logo = {std::move(file)}});
}

void Registry::State::apply_logo_withdrawal(const json::object& /*content*/)
{
    logos.push_back({.entry = entry_->sequence, .at = entry_->at, .logo = {}});
}

} // namespace pointhouse::partners
