#include "identities.hpp"

#include <cstring>
#include <fmt/format.h>

#include "sha256.hpp"
#include "siphash.hpp"

namespace pointhouse::ledger {
namespace {

// About 40 bytes each; beyond it the cache starts anew rather than keep an order of use.
constexpr std::size_t cached_identities_max = 4'000'000;

constexpr std::string_view schema = R"sql(
CREATE TABLE IF NOT EXISTS identity (
    identifier_hmac TEXT NOT NULL PRIMARY KEY,
    member BIGINT NOT NULL CHECK (member >= 1),
    seal TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS identity_by_member ON identity (member);
)sql";

std::string hexadecimal(std::span<const std::byte> bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text.push_back(digits[std::to_integer<std::size_t>(byte) >> 4]);
        text.push_back(digits[std::to_integer<std::size_t>(byte) & 15]);
    }
    return text;
}

std::string hmac_text(std::span<const std::byte> key, std::string_view text)
{
    return hexadecimal(hmac_sha256(key, std::as_bytes(std::span{text})));
}

// A row proves itself: no other table says which member an identifier names.
std::string seal_of(std::span<const std::byte> key, std::string_view hmac, std::int64_t member)
{
    return hmac_text(key, fmt::format("{} {}", hmac, member)).substr(0, 32);
}

} // namespace

Identities::Identities(Store& store, std::array<std::byte, 32> key) : store_{store}, key_{key}
{
    store_.transact([&](Transaction& transaction) {
        transaction.script(schema);
        const auto rows = transaction.run("SELECT COALESCE(MAX(member), 0) FROM identity", {});
        last_ = MemberNumber{static_cast<std::uint64_t>(std::get<std::int64_t>(rows.at(0).at(0)))};
    });
}

Identities::CacheKey Identities::cache_key(std::string_view identifier) const
{
    const auto text = std::as_bytes(std::span{identifier});
    const std::span<const std::byte, 32> key{key_};
    return {siphash(key.first<16>(), text), siphash(key.last<16>(), text)};
}

void Identities::remember(std::string_view identifier, MemberNumber member)
{
    if (cache_.size() >= cached_identities_max) cache_.clear();
    cache_.insert_or_assign(cache_key(identifier), member);
}

std::optional<MemberNumber> Identities::find(std::string_view identifier)
{
    if (const auto found = cache_.find(cache_key(identifier)); found != cache_.end())
        return found->second;
    const std::string hmac = hmac_text(key_, identifier);
    std::optional<MemberNumber> member;
    store_.read([&](Transaction& transaction) {
        const std::array<Parameter, 1> parameters{std::string_view{hmac}};
        const auto rows =
            transaction.run("SELECT member FROM identity WHERE identifier_hmac = $1", parameters);
        if (rows.empty()) return;
        member = MemberNumber{static_cast<std::uint64_t>(std::get<std::int64_t>(rows[0].at(0)))};
    });
    if (member) remember(identifier, *member);
    return member;
}

void Identities::enrol(std::span<const std::string_view> identifiers)
{
    std::uint64_t last = last_.value();
    std::vector<std::pair<std::string_view, MemberNumber>> enrolled;
    store_.transact([&](Transaction& transaction) {
        last = last_.value();
        enrolled.clear();
        for (const std::string_view identifier : identifiers) {
            const std::string hmac = hmac_text(key_, identifier);
            const auto member = static_cast<std::int64_t>(last + 1);
            const std::string seal = seal_of(key_, hmac, member);
            const std::array<Parameter, 3> parameters{
                std::string_view{hmac}, member, std::string_view{seal}};
            const auto rows = transaction.run(
                "INSERT INTO identity (identifier_hmac, member, seal) VALUES ($1, $2, $3)"
                " ON CONFLICT DO NOTHING RETURNING member",
                parameters);
            if (rows.empty()) continue;
            enrolled.emplace_back(identifier, MemberNumber{++last});
        }
    });
    last_ = MemberNumber{last};
    for (const auto& [identifier, member] : enrolled) remember(identifier, member);
}

std::optional<std::string> Identities::first_fault(
    Store& store, const std::array<std::byte, 32>& key)
{
    std::optional<std::string> fault;
    store.read([&](Transaction& transaction) {
        transaction.for_each(
            "SELECT identifier_hmac, member, seal FROM identity ORDER BY member",
            {},
            [&](const Row& row) {
                if (fault) return;
                const auto* hmac = std::get_if<std::string>(&row.at(0));
                const auto* member = std::get_if<std::int64_t>(&row.at(1));
                const auto* seal = std::get_if<std::string>(&row.at(2));
                const bool is_sound = hmac != nullptr && member != nullptr && seal != nullptr &&
                                      *seal == seal_of(key, *hmac, *member);
                if (!is_sound)
                    fault = fmt::format(
                        "identities: the row of member {} does not match its seal",
                        member == nullptr ? 0 : *member);
            });
    });
    return fault;
}

} // namespace pointhouse::ledger
