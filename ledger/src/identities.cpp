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
CREATE TABLE IF NOT EXISTS identifier (
    identifier_hmac BLOB NOT NULL PRIMARY KEY,
    kind INTEGER NOT NULL,
    replaced INTEGER NOT NULL,
    seal BLOB NOT NULL
) WITHOUT ROWID;
)sql";

// A row proves itself: no other table says which member an identifier names, or that it was
// replaced. `numbers` are its other columns.
Digest seal_of(
    std::span<const std::byte> key,
    std::span<const std::byte> hmac,
    std::initializer_list<std::int64_t> numbers)
{
    std::vector<std::byte> row(hmac.begin(), hmac.end());
    const auto cells = std::as_bytes(std::span{numbers.begin(), numbers.size()});
    row.insert(row.end(), cells.begin(), cells.end());
    return hmac_sha256(key, row);
}

std::optional<std::int64_t> number_in(const Value& cell)
{
    const auto* number = std::get_if<std::int64_t>(&cell);
    return number == nullptr ? std::nullopt : std::optional{*number};
}

// Whether the last cell of a row seals the others: an HMAC, then numbers.
bool is_sealed(std::span<const std::byte> key, const Row& row)
{
    const auto* hmac = std::get_if<Bytes>(&row.front());
    const auto* seal = std::get_if<Bytes>(&row.back());
    const auto first = number_in(row.at(1));
    if (hmac == nullptr || seal == nullptr || !first) return false;
    if (row.size() == 3) return std::ranges::equal(*seal, seal_of(key, *hmac, {*first}));
    const auto second = number_in(row.at(2));
    return second && std::ranges::equal(*seal, seal_of(key, *hmac, {*first, *second}));
}

} // namespace

Identities::Identities(Store& store, std::array<std::byte, 32> key) : store_{store}, key_{key}
{
    store_.transact([&](Transaction& transaction) { transaction.script(schema); });
    last_ = last_in(store);
}

MemberNumber Identities::last_in(Store& store)
{
    std::int64_t last = 0;
    store.read([&](Transaction& transaction) {
        const auto rows = transaction.run("SELECT COALESCE(MAX(member), 0) FROM identity", {});
        last = number_in(rows.at(0).at(0)).value_or(0);
    });
    return MemberNumber{static_cast<std::uint64_t>(last)};
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

Identity Identities::known(const Key& key) const
{
    Identity identity;
    known_->for_each(key[0], [&](const Known& known) {
        if (known.key == key) identity = known.identity;
    });
    return identity;
}

void Identities::remember(const Key& key, Identity identity)
{
    bool is_known = false;
    known_->change_each(key[0], [&](Known& known) {
        if (known.key != key) return;
        known.identity = identity;
        is_known = true;
    });
    if (is_known) return;
    if (known_->size() >= known_max) known_ = std::make_unique<HashTable<Known>>();
    known_->insert({.key = key, .identity = identity});
}

Identity Identities::find(std::string_view identifier)
{
    std::vector<Identity> found;
    find(std::span{&identifier, 1}, found);
    return found.front();
}

void Identities::find(std::span<const std::string_view> identifiers, std::vector<Identity>& found)
{
    found.assign(identifiers.size(), Identity{});
    missing_.clear();
    keys_.clear();
    for (const std::string_view identifier : identifiers) keys_.push_back(key_of(identifier));
    for (std::size_t place = 0; place < identifiers.size(); ++place) {
        if (place + prefetched < keys_.size()) known_->prefetch(keys_[place + prefetched][0]);
        if (identifiers[place].empty()) continue;
        found[place] = known(keys_[place]);
        if (found[place].member.is_none()) missing_.push_back(place);
    }
    if (missing_.empty()) return;
    std::vector<Digest> hmacs;
    hmacs.reserve(missing_.size());
    for (const std::size_t place : missing_) hmacs.push_back(hmac_of(identifiers[place]));
    const std::vector<Parameter> cells{hmacs.begin(), hmacs.end()};
    store_.read([&](Transaction& transaction) {
        transaction.for_each_of(
            "SELECT member, COALESCE(replaced, 0) FROM identity LEFT JOIN identifier"
            " ON identifier.identifier_hmac = identity.identifier_hmac"
            " WHERE identity.identifier_hmac = $1",
            1,
            cells,
            [&](std::size_t place, const Row& row) {
                found[missing_[place]] = {
                    .member =
                        MemberNumber{static_cast<std::uint64_t>(std::get<std::int64_t>(row.at(0)))},
                    .is_replaced = std::get<std::int64_t>(row.at(1)) != 0};
            });
    });
    for (const std::size_t place : missing_)
        if (!found[place].member.is_none()) remember(keys_[place], found[place]);
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
        const Digest& seal = digests.emplace_back(seal_of(key_, hmac, {member}));
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
    for (const auto& [identifier, member] : enrolled)
        remember(key_of(identifier), {.member = member});
}

void Identities::bind(const Binding& binding)
{
    const auto member = static_cast<std::int64_t>(binding.member.value());
    const Digest hmac = hmac_of(binding.identifier);
    const Digest seal = seal_of(key_, hmac, {member});
    const auto note = [&](Transaction& transaction, const Digest& of, auto kind, bool is_replaced) {
        const auto number = static_cast<std::int64_t>(kind);
        const std::int64_t replaced = is_replaced ? 1 : 0;
        const Digest sealed = seal_of(key_, of, {number, replaced});
        const std::array<Parameter, 4> cells{
            std::span<const std::byte>{of}, number, replaced, std::span<const std::byte>{sealed}};
        transaction.run(
            "INSERT INTO identifier (identifier_hmac, kind, replaced, seal) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (identifier_hmac) DO UPDATE SET"
            " kind = excluded.kind, replaced = excluded.replaced, seal = excluded.seal",
            cells);
    };
    store_.transact([&](Transaction& transaction) {
        const std::array<Parameter, 3> cells{
            std::span<const std::byte>{hmac}, member, std::span<const std::byte>{seal}};
        transaction.run(
            "INSERT INTO identity (identifier_hmac, member, seal) VALUES ($1, $2, $3)"
            " ON CONFLICT (identifier_hmac) DO UPDATE SET"
            " member = excluded.member, seal = excluded.seal",
            cells);
        note(transaction, hmac, binding.kind, false);
        if (binding.replaces.empty()) return;
        const Digest replaced = hmac_of(binding.replaces);
        const std::array<Parameter, 1> old{std::span<const std::byte>{replaced}};
        const auto rows =
            transaction.run("SELECT kind FROM identifier WHERE identifier_hmac = $1", old);
        note(
            transaction,
            replaced,
            rows.empty() ? std::int64_t{0} : std::get<std::int64_t>(rows.at(0).at(0)),
            true);
    });
    remember(key_of(binding.identifier), {.member = binding.member});
    if (binding.replaces.empty()) return;
    const Identity replaced{.member = find(binding.replaces).member, .is_replaced = true};
    remember(key_of(binding.replaces), replaced);
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
                if (fault || is_sealed(key, row)) return;
                fault = fmt::format(
                    "identities: the row of member {} does not match its seal",
                    number_in(row.at(1)).value_or(0));
            });
        transaction.for_each(
            "SELECT identity.member, identifier.identifier_hmac, kind, replaced, identifier.seal"
            " FROM identifier LEFT JOIN identity"
            " ON identity.identifier_hmac = identifier.identifier_hmac ORDER BY 1, 2",
            {},
            [&](const Row& row) {
                const auto member = number_in(row.front());
                if (fault || (member && is_sealed(key, {row.begin() + 1, row.end()}))) return;
                fault = fmt::format(
                    "identities: what is known of an identifier of member {} does not match its "
                    "seal",
                    member.value_or(0));
            });
    });
    return fault;
}

} // namespace pointhouse::ledger
