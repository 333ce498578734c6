#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hash_table.hpp"
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
    /// 128 keyed bits stand for the identifier.
    struct Known {
        std::array<std::uint64_t, 2> key{};
        MemberNumber member;
        [[nodiscard]] std::uint64_t hash() const { return key[0]; }
        [[nodiscard]] bool is_empty() const { return member.is_none(); }
    };
    [[nodiscard]] Digest hmac_of(std::string_view identifier) const;
    [[nodiscard]] std::array<std::uint64_t, 2> key_of(std::string_view identifier) const;
    void remember(std::array<std::uint64_t, 2> key, MemberNumber member);

    Store& store_;
    std::array<std::byte, 32> key_;
    MemberNumber last_;
    std::vector<std::size_t> missing_;               // places in the batch that is being resolved
    std::vector<std::array<std::uint64_t, 2>> keys_; // of the batch that is being resolved
    std::optional<HashTable<Known>> known_;
};

} // namespace pointhouse::ledger
