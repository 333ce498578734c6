#include "partners/logo.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>
#include <iterator>
#include <stdexcept>
#include <zlib.h>

#include <boost/json/parse.hpp>

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

/// What a pixel is made of, by the kind of its colour; 0: there is no such kind.
std::size_t samples_of(char colour)
{
    constexpr std::array<std::uint8_t, 7> samples{1, 0, 3, 1, 2, 0, 4};
    const auto kind = static_cast<unsigned char>(colour);
    return kind < samples.size() ? samples.at(kind) : 0;
}

std::optional<std::string> fault_of_header(std::string_view header)
{
    if (header.size() != header_bytes) return "the header of the PNG is not 13 bytes";
    const auto width = number_at(header);
    const auto height = number_at(header.substr(number_bytes));
    if (width == 0 || height == 0) return "the PNG has no pixels";
    if (width > logo_width_max || height > logo_height_max)
        return fmt::format(
            "{} x {} pixels; at most {} x {}", width, height, logo_width_max, logo_height_max);
    const unsigned bits = static_cast<unsigned char>(header[8]);
    if (samples_of(header[9]) == 0 || !std::has_single_bit(bits) || bits > 16)
        return "the PNG has pixels of a kind that there is not";
    if (header[12] != 0) return "the PNG is interlaced; save it without";
    return std::nullopt;
}

/// Of all rows, each with the byte of its filter. Pre: a header without a fault.
std::size_t unpacked_bytes(std::string_view header)
{
    const std::size_t bits = static_cast<unsigned char>(header[8]) * samples_of(header[9]);
    const std::size_t row = (number_at(header) * bits + 7) / 8;
    return number_at(header.substr(number_bytes)) * (1 + row);
}

/// Whether what is packed are so many bytes: no more of them are unpacked.
bool unpacks_to(std::size_t size, const std::string& packed)
{
    std::string bytes(size, '\0');
    uLong left = packed.size();
    uLongf made = size;
    const int code = ::uncompress2(
        reinterpret_cast<Bytef*>(bytes.data()),
        &made,
        reinterpret_cast<const Bytef*>(packed.data()),
        &left);
    return code == Z_OK && made == size && left == packed.size();
}

/// What may stand beside the picture: small as it is. Texts and profiles can be packed, and unpack
/// to anything.
bool is_plain(std::string_view type)
{
    constexpr std::array<std::string_view, 12> plain{
        "IHDR",
        "PLTE",
        "tRNS",
        "IDAT",
        "IEND",
        "gAMA",
        "cHRM",
        "sRGB",
        "sBIT",
        "bKGD",
        "pHYs",
        "tEXt"};
    return std::ranges::find(plain, type) != plain.end();
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
    std::size_t unpacked = 0;
    std::string packed;
    for (bool is_first = true;; is_first = false) {
        const auto chunk = take_chunk(left);
        if (!chunk) return "the PNG is cut short";
        if (!chunk->is_sound) return "the PNG is damaged: a checksum is not that of its bytes";
        if (is_first != (chunk->type == "IHDR")) return "the PNG begins with no header, or has two";
        if (!is_plain(chunk->type))
            return "the PNG has more than a picture; save it without profiles and packed texts";
        if (is_first) {
            if (auto fault = fault_of_header(chunk->data)) return fault;
            unpacked = unpacked_bytes(chunk->data);
        }
        if (chunk->type == "IDAT") packed += chunk->data;
        if (chunk->type == "IEND") break;
    }
    if (!left.empty()) return "the PNG has bytes behind its end";
    if (packed.empty()) return "the PNG has no picture";
    if (!unpacks_to(unpacked, packed)) return "the PNG holds other pixels than its header says";
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

void Registry::State::apply_logo(const json::object& content)
{
    auto file = std::make_shared<const std::string>(logo_from(content));
    // Who approved it compared that one.
    if (digest_of(*file) != text_in(content, "sha256"))
        throw std::invalid_argument{"the logo is not that of its SHA-256"};
    logos.push_back({.entry = entry_->sequence, .logo = {std::move(file)}});
}

void Registry::State::apply_logo_withdrawal(const json::object& /*content*/)
{
    logos.push_back({.entry = entry_->sequence, .logo = {}});
}

} // namespace pointhouse::partners
