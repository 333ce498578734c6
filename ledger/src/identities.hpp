#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
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

/// What an identifier stands for.
struct Identity {
    MemberNumber member{}; // none: it is unknown
    /// Another has taken its place: it still tells whose repeated messages are, and nothing more.
    bool is_replaced = false;
    friend bool operator==(const Identity&, const Identity&) = default;
};

/// HMAC(identifier) → member number: a source of truth in a store of its own, so that it can be
/// erased while the books stay. Several identifiers may name one member. The writer's thread.
class Identities {
public:
    /// Creates the table where it is missing. The store must outlive this.
    Identities(Store& store, std::array<std::byte, 32> key);

    [[nodiscard]] Identity find(std::string_view identifier);
    /// Those of many identifiers, with one look at the store for all that are not in memory.
    /// Replaces `found`.
    void find(std::span<const std::string_view> identifiers, std::vector<Identity>& found);
    /// Gives each identifier that has none the next number; durable when it returns.
    void enrol(std::span<const std::string_view> identifiers);

    struct Binding {
        std::string_view identifier;
        MemberNumber member;
        IdentifierKind kind = IdentifierKind::unknown;
        std::string_view replaces; // empty: nothing
    };
    /// An identifier names a member from now on, whoever it named, and what it replaces is
    /// replaced; durable when it returns. Done again, it changes nothing.
    void bind(const Binding& binding);

    /// The highest number that was given.
    [[nodiscard]] MemberNumber last() const { return last_; }
    [[nodiscard]] static MemberNumber last_in(Store& store);

    /// The keyed hash that stands for an identifier.
    [[nodiscard]] Digest hmac_of(std::string_view identifier) const;

    /// Reads the table afresh: the first row whose check does not match it, in words.
    [[nodiscard]] static std::optional<std::string> first_fault(
        Store& store, const std::array<std::byte, 32>& key);

private:
    using Key = std::array<std::uint64_t, 2>; // 128 keyed bits stand for the identifier
    struct Known {
        Key key{};
        Identity identity;
        [[nodiscard]] std::uint64_t hash() const { return key[0]; }
        [[nodiscard]] bool is_empty() const { return identity.member.is_none(); }
    };
    [[nodiscard]] Key key_of(std::string_view identifier) const;
    [[nodiscard]] Identity known(const Key& key) const;
    void remember(const Key& key, Identity identity);

    Store& store_;
    std::array<std::byte, 32> key_;
    MemberNumber last_;
    std::vector<std::size_t> missing_; // places in the batch that is being resolved
    std::vector<Key> keys_;            // of the batch that is being resolved
    std::unique_ptr<HashTable<Known>> known_ = std::make_unique<HashTable<Known>>();
};

} // namespace pointhouse::ledger
