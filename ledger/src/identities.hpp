#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "ledger/ids.hpp"
#include "ledger/posting.hpp"
#include "ledger/store.hpp"

namespace pointhouse::ledger {

/// HMAC(identifier) → member number: a source of truth in a store of its own, so that it can be
/// erased while the books stay. Several identifiers may name one member. The writer's thread.
class Identities {
public:
    /// Creates the table where it is missing. The store must outlive this.
    Identities(Store& store, std::array<std::byte, 32> key);

    [[nodiscard]] std::optional<MemberNumber> find(std::string_view identifier);
    /// The members of many identifiers, none for those unknown, with one look at the store for all
    /// that are not in memory. Replaces `members`.
    void find(std::span<const std::string_view> identifiers, std::vector<MemberNumber>& members);
    /// Gives each identifier that has none the next number; durable when it returns.
    void enrol(std::span<const std::string_view> identifiers);

    /// Reads the table afresh: the first row whose check does not match it, in words.
    [[nodiscard]] static std::optional<std::string> first_fault(
        Store& store, const std::array<std::byte, 32>& key);

private:
    using CacheKey = std::array<std::uint64_t, 2>;
    [[nodiscard]] Digest hmac_of(std::string_view identifier) const;
    [[nodiscard]] CacheKey cache_key(std::string_view identifier) const;
    void remember(std::string_view identifier, MemberNumber member);

    Store& store_;
    std::array<std::byte, 32> key_;
    MemberNumber last_;
    std::vector<std::size_t> missing_; // places in the batch that is being resolved
    boost::unordered_flat_map<CacheKey, MemberNumber, boost::hash<CacheKey>> cache_;
};

} // namespace pointhouse::ledger
