#include "identities.hpp"

#include <algorithm>
#include <fmt/format.h>

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
);
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
    known_.emplace();
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

std::array<std::uint64_t, 2> Identities::key_of(std::string_view identifier) const
{
    const auto text = std::as_bytes(std::span{identifier});
    const std::span<const std::byte, 32> key{key_};
    return {siphash(key.first<16>(), text), siphash(key.last<16>(), text)};
}

void Identities::remember(std::array<std::uint64_t, 2> key, MemberNumber member)
{
    if (known_->size() >= known_max) known_.emplace();
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
        known_->for_each(keys_[place][0], [&](const Known& known) {
            if (known.key == keys_[place]) members[place] = known.member;
        });
        if (members[place].is_none()) missing_.push_back(place);
    }
    if (missing_.empty()) return;
    store_.read([&](Transaction& transaction) {
        for (const std::size_t place : missing_) {
            const Digest hmac = hmac_of(identifiers[place]);
            const std::array<Parameter, 1> parameters{std::span<const std::byte>{hmac}};
            transaction.for_each(
                "SELECT member FROM identity WHERE identifier_hmac = $1",
                parameters,
                [&](const Row& row) {
                    members[place] =
                        MemberNumber{static_cast<std::uint64_t>(std::get<std::int64_t>(row.at(0)))};
                });
        }
    });
    std::ranges::sort(missing_, {}, [this](std::size_t place) { return keys_[place]; });
    const std::array<std::uint64_t, 2>* last = nullptr;
    for (const std::size_t place : missing_) {
        const bool is_repeated = last != nullptr && *last == keys_[place];
        if (!members[place].is_none() && !is_repeated) remember(keys_[place], members[place]);
        last = &keys_[place];
    }
}

void Identities::enrol(std::span<const std::string_view> identifiers)
{
    std::uint64_t last = last_.value();
    std::vector<std::pair<std::string_view, MemberNumber>> enrolled;
    store_.transact([&](Transaction& transaction) {
        last = last_.value();
        enrolled.clear();
        for (const std::string_view identifier : identifiers) {
            const Digest hmac = hmac_of(identifier);
            const auto member = static_cast<std::int64_t>(last + 1);
            const Digest seal = seal_of(key_, hmac, member);
            const std::array<Parameter, 3> parameters{
                std::span<const std::byte>{hmac}, member, std::span<const std::byte>{seal}};
            const auto rows = transaction.run(
                "INSERT INTO identity (identifier_hmac, member, seal) VALUES ($1, $2, $3)"
                " ON CONFLICT DO NOTHING RETURNING member",
                parameters);
            if (rows.empty()) continue;
            enrolled.emplace_back(identifier, MemberNumber{++last});
        }
    });
    last_ = MemberNumber{last};
    for (const auto& [identifier, member] : enrolled) remember(key_of(identifier), member);
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
