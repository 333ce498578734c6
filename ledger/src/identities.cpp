#include "identities.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "sha256.hpp"
#include "siphash.hpp"

namespace pointhouse::ledger {
namespace {

// About 40 bytes each; beyond it what is known starts anew rather than keep an order of use.
constexpr std::size_t known_max = 4'000'000;
constexpr std::size_t prefetched = 16;

constexpr std::string_view schema = R"sql(
CREATE TABLE IF NOT EXISTS identity (
    identifier_hmac BLOB NOT NULL PRIMARY KEY,
    member BIGINT NOT NULL CHECK (member >= 1),
    seal BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS identity_by_member ON identity (member);
)sql";

// A row proves itself: no other table says which member an identifier names.
Digest seal_of(std::span<const std::byte> key, std::span<const std::byte> hmac, std::int64_t member)
{
    std::vector<std::byte> row(hmac.begin(), hmac.end());
    const auto number = std::as_bytes(std::span{&member, 1});
    row.insert(row.end(), number.begin(), number.end());
    return hmac_sha256(key, row);
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

Digest Identities::hmac_of(std::string_view identifier) const
{
    return hmac_sha256(key_, std::as_bytes(std::span{identifier}));
}

Identities::Key Identities::key_of(std::string_view identifier) const
{
    const auto text = std::as_bytes(std::span{identifier});
    const std::span<const std::byte, 32> key{key_};
    return {siphash(key.first<16>(), text), siphash(key.last<16>(), text)};
}

MemberNumber Identities::known_member(const Key& key) const
{
    MemberNumber member;
    known_->for_each(key[0], [&](const Known& known) {
        if (known.key == key) member = known.member;
    });
    return member;
}

void Identities::remember(const Key& key, MemberNumber member)
{
    if (known_->size() >= known_max) known_ = std::make_unique<HashTable<Known>>();
    known_->insert({.key = key, .member = member});
}

std::optional<MemberNumber> Identities::find(std::string_view identifier)
{
    std::vector<MemberNumber> members;
    find(std::span{&identifier, 1}, members);
    return members.front().is_none() ? std::nullopt : std::optional{members.front()};
}

void Identities::find(
    std::span<const std::string_view> identifiers, std::vector<MemberNumber>& members)
{
    members.assign(identifiers.size(), MemberNumber{});
    missing_.clear();
    keys_.clear();
    for (const std::string_view identifier : identifiers) keys_.push_back(key_of(identifier));
    for (std::size_t place = 0; place < identifiers.size(); ++place) {
        if (place + prefetched < keys_.size()) known_->prefetch(keys_[place + prefetched][0]);
        if (identifiers[place].empty()) continue;
        members[place] = known_member(keys_[place]);
        if (members[place].is_none()) missing_.push_back(place);
    }
    if (missing_.empty()) return;
    std::vector<Digest> hmacs;
    for (const std::size_t place : missing_) hmacs.push_back(hmac_of(identifiers[place]));
    const std::vector<Parameter> cells{hmacs.begin(), hmacs.end()};
    store_.read([&](Transaction& transaction) {
        transaction.for_each_of(
            "SELECT member FROM identity WHERE identifier_hmac = $1",
            1,
            cells,
            [&](std::size_t place, const Row& row) {
                members[missing_[place]] =
                    MemberNumber{static_cast<std::uint64_t>(std::get<std::int64_t>(row.at(0)))};
            });
    });
    for (const std::size_t place : missing_) {
        const bool is_remembered = !known_member(keys_[place]).is_none(); // twice in one batch
        if (!members[place].is_none() && !is_remembered) remember(keys_[place], members[place]);
    }
}

void Identities::enrol(std::span<const std::string_view> identifiers)
{
    // Each once; a number that somebody else's identifier has taken meanwhile stays unused.
    std::vector<std::string_view> names(identifiers.begin(), identifiers.end());
    std::set<std::string_view> seen;
    std::erase_if(names, [&](std::string_view name) { return !seen.insert(name).second; });
    std::vector<Digest> digests; // of each: its HMAC and its seal
    digests.reserve(names.size() * 2);
    std::vector<Parameter> cells;
    for (const std::string_view name : names) {
        const auto member = static_cast<std::int64_t>(last_.value() + digests.size() / 2 + 1);
        const Digest& hmac = digests.emplace_back(hmac_of(name));
        const Digest& seal = digests.emplace_back(seal_of(key_, hmac, member));
        cells.emplace_back(std::span<const std::byte>{hmac});
        cells.emplace_back(member);
        cells.emplace_back(std::span<const std::byte>{seal});
    }
    // Also when the outcome is unknown these numbers may be taken: they are not given again.
    last_ = MemberNumber{last_.value() + names.size()};
    std::vector<std::pair<std::string_view, MemberNumber>> enrolled;
    store_.transact([&](Transaction& transaction) {
        enrolled.clear();
        transaction.for_each_of(
            "INSERT INTO identity (identifier_hmac, member, seal) VALUES ($1, $2, $3)"
            " ON CONFLICT DO NOTHING RETURNING member",
            3,
            cells,
            [&](std::size_t place, const Row& row) {
                enrolled.emplace_back(
                    names[place],
                    MemberNumber{static_cast<std::uint64_t>(std::get<std::int64_t>(row.at(0)))});
            });
    });
    for (const auto& [identifier, member] : enrolled) remember(key_of(identifier), member);
}

std::optional<std::string> Identities::first_fault(
    Store& store, const std::array<std::byte, 32>& key)
{
    // A row whose HMAC changed drops out of its index: the rows alone would not show it.
    if (const std::string unsound = store.integrity_fault(); !unsound.empty())
        return "identities: " + unsound;
    std::optional<std::string> fault;
    store.read([&](Transaction& transaction) {
        transaction.for_each(
            "SELECT identifier_hmac, member, seal FROM identity ORDER BY member",
            {},
            [&](const Row& row) {
                if (fault) return;
                const auto* hmac = std::get_if<Bytes>(&row.at(0));
                const auto* member = std::get_if<std::int64_t>(&row.at(1));
                const auto* seal = std::get_if<Bytes>(&row.at(2));
                const bool is_sound = hmac != nullptr && member != nullptr && seal != nullptr &&
                                      std::ranges::equal(*seal, seal_of(key, *hmac, *member));
                if (!is_sound)
                    fault = fmt::format(
                        "identities: the row of member {} does not match its seal",
                        member == nullptr ? 0 : *member);
            });
    });
    return fault;
}

} // namespace pointhouse::ledger
