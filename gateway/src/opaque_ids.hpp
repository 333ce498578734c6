#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ledger/ids.hpp"
#include "ledger/lot.hpp"

namespace pointhouse::gateway {

enum class OpaqueKind : std::uint8_t { posting = 1, lot = 2, cursor = 3, hold = 4, member = 5 };

/// What an opaque id stands for. Each partner sees an id of its own for the same thing, so that two
/// partners cannot compare what they see of a member; none: the id that operators see.
struct OpaqueSubject {
    OpaqueKind kind = OpaqueKind::posting;
    ledger::PartnerId partner;  // below 2^24
    ledger::Sequence sequence;  // below 2^56; of a member: its number
    std::uint16_t position = 0; // of a lot in its message's funding list
    friend bool operator==(const OpaqueSubject&, const OpaqueSubject&) = default;
};

/// "p_", "l_", "c_", "h_" or "m_" and 22 characters of base64url.
class OpaqueId {
public:
    [[nodiscard]] std::string_view text() const { return {characters_.data(), characters_.size()}; }

private:
    friend class OpaqueIds;
    std::array<char, 24> characters_{};
};

using OpaqueKey = std::array<std::byte, 16>;

/// Turns sequences into ids that say nothing to who reads them, and back. AES-128 of one block:
/// kind, partner, shard, sequence, position and a check byte; a foreign, forged or changed id does
/// not decode (40 bits must agree). Ids are the same for ever as long as the key is.
/// One thread.
class OpaqueIds {
public:
    explicit OpaqueIds(const OpaqueKey& key);
    ~OpaqueIds();

    static constexpr std::size_t at_once_max = 64;

    /// At most `at_once_max`: one call of the cipher. `ids` is as long as `subjects`.
    void encode(std::span<const OpaqueSubject> subjects, std::span<OpaqueId> ids);
    [[nodiscard]] OpaqueId encode(const OpaqueSubject& subject);
    /// None unless `text` is an id of this kind made for this partner.
    [[nodiscard]] std::optional<OpaqueSubject> decode(
        std::string_view text, OpaqueKind kind, ledger::PartnerId partner);

private:
    struct Ciphers;
    std::unique_ptr<Ciphers> ciphers_;
};

} // namespace pointhouse::gateway
