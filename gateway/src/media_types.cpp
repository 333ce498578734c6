#include "media_types.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include <boost/beast/core/string.hpp>

namespace pointhouse::gateway {
namespace {

using boost::beast::iequals;

struct Name {
    MediaType type;
    std::string_view text;
};

constexpr std::array names{
    Name{MediaType::json, "application/json"},
    Name{MediaType::protobuf, "application/x-protobuf"},
    Name{MediaType::json_lines, "application/x-ndjson"},
    Name{MediaType::xml, "application/xml"},
    Name{MediaType::pdf, "application/pdf"},
    Name{MediaType::csv, "text/csv"},
    Name{MediaType::xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    Name{MediaType::toml, "application/toml"},
    Name{MediaType::text, "text/plain"},
    Name{MediaType::pem, "application/x-pem-file"},
    Name{MediaType::png, "image/png"},
};

// How exactly a range names a type: "*/*", "application/*", a kind of it, itself.
constexpr std::uint8_t as_anything = 1;
constexpr std::uint8_t as_family = 2;
constexpr std::uint8_t as_kind = 3;
constexpr std::uint8_t as_itself = 4;

constexpr std::uint16_t full_weight = 1000;

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes what stands before `separator` off the front of `text`, with the separator.
std::string_view take_part(std::string_view& text, char separator)
{
    const auto part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return trimmed(part);
}

/// The value of "q=0.5" in thousandths: at most three digits behind the point, and 1 at most.
std::optional<std::uint16_t> weight_of(std::string_view text)
{
    constexpr std::size_t longest = std::string_view{"0.123"}.size();
    if (text.empty() || text.size() > longest || (text[0] != '0' && text[0] != '1'))
        return std::nullopt;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    unsigned unit = full_weight;
    unsigned weight = unit * static_cast<unsigned>(text[0] - '0');
    for (const char digit : text.substr(std::min(std::size_t{2}, text.size()))) {
        if (digit < '0' || digit > '9') return std::nullopt;
        unit /= 10;
        weight += unit * static_cast<unsigned>(digit - '0');
    }
    if (weight > full_weight) return std::nullopt;
    return static_cast<std::uint16_t>(weight);
}

/// What the parameters of a range say of its weight. None: malformed.
std::optional<std::uint16_t> weight_in(std::string_view parameters)
{
    while (!parameters.empty()) {
        const auto parameter = take_part(parameters, ';');
        if (parameter.size() < 2 || !iequals(parameter.substr(0, 2), "q=")) continue;
        return weight_of(parameter.substr(2));
    }
    return full_weight;
}

/// How exactly a range, without its parameters, has the type of that name.
std::uint8_t precision_of(std::string_view range, const Name& name)
{
    if (range == "*/*") return as_anything;
    if (range.ends_with("/*")) {
        const auto family = name.text.substr(0, name.text.find('/') + 1);
        return iequals(range.substr(0, range.size() - 1), family) ? as_family : 0;
    }
    const bool is_kind = name.type == MediaType::json && iequals(range, "application/problem+json");
    return is_kind ? as_kind : 0;
}

} // namespace

MediaType media_type_of(std::string_view text)
{
    const auto essence = take_part(text, ';');
    const auto is_named = [essence](const Name& name) { return iequals(name.text, essence); };
    const auto* const found = std::ranges::find_if(names, is_named);
    while (!text.empty()) {
        const auto parameter = take_part(text, ';');
        const auto equals = std::min(parameter.find('='), parameter.size());
        if (!iequals(parameter.substr(0, equals), "charset")) continue;
        const auto charset = parameter.substr(std::min(equals + 1, parameter.size()));
        if (!iequals(charset, "utf-8") && !iequals(charset, "\"utf-8\"")) return MediaType::other;
    }
    return found == names.end() ? MediaType::other : found->type;
}

std::string_view name_of(MediaType type)
{
    const auto* const found = std::ranges::find(names, type, &Name::type);
    return found == names.end() ? std::string_view{} : found->text;
}

void AcceptedTypes::read(std::string_view field)
{
    while (!field.empty()) {
        const auto range = take_part(field, ',');
        if (!range.empty()) read_range(range);
    }
}

void AcceptedTypes::read_range(std::string_view range)
{
    const auto place = ++ranges_;
    const auto itself = media_type_of(range);
    auto parameters = range;
    const auto essence = take_part(parameters, ';');
    const auto weight = weight_in(parameters);
    if (!weight) return;
    for (const auto& name : names) {
        const auto precision = name.type == itself ? as_itself : precision_of(essence, name);
        auto& wish = wishes_[static_cast<std::size_t>(name.type)];
        if (precision <= wish.precision) continue;
        wish = {.weight = *weight, .place = place, .precision = precision};
    }
}

MediaType AcceptedTypes::choose(std::span<const MediaType> offered, MediaType usual) const
{
    if (ranges_ == 0) return usual;
    const auto rank = [&](MediaType type) {
        const auto& wish = wishes_[static_cast<std::size_t>(type)];
        return std::tuple{wish.weight, wish.precision, -wish.place, type == usual};
    };
    const auto best = std::ranges::max_element(offered, {}, rank);
    if (best == offered.end() || std::get<0>(rank(*best)) == 0) return MediaType::none;
    return *best;
}

} // namespace pointhouse::gateway
