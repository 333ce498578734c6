#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "ledger/ids.hpp"
#include "ledger/money_effect.hpp"
#include "ledger/posting.hpp"
#include "ledger/result.hpp"
#include "ledger/time.hpp"

namespace pointhouse::ledger {

/// A block is all that one durable commit decided. Its bytes are documented in ledger/JOURNAL.md.
inline constexpr std::uint8_t block_version = 1;
inline constexpr std::size_t records_per_block_max = 65'536;

struct BlockHeader {
    ShardId shard{};
    Sequence first{};        // of its first record
    std::uint32_t count = 0; // records
    Time time{};             // the house's time of the commit
    Month window{};          // the open window; no block straddles a cut-off
    Digest previous{};       // hash of the block before; zeros for the first
    Digest hash{};           // SHA-256 over all other bytes of the block
};

/// Control total: what all entries of a block come to for one (flow, lot tariff, counterpart, VAT
/// rate). Points and money in one place; money is `money_effect` summed.
struct ControlTotal {
    EntryKind kind = EntryKind::issued;
    TariffVersion tariff{};                 // of the lot (debt_incurred: of the debt)
    TariffVersion counterpart{};            // of the redeemer, where the entry has one
    TariffVersion debt_tariff{};            // recovered: of the debt
    PartnerId charity{};                    // donated, and refunds of it
    DebtKind debt = DebtKind::issuer_bears; // debt_incurred, recovered
    LotState state = LotState::active;      // of the lots, as in the entries
    std::int32_t vat_rate = vat_rate_unknown;
    Points points{};
    MoneyEffect money{};
    friend bool operator==(const ControlTotal&, const ControlTotal&) = default;
};

/// Sums entries into control totals. Money is linear in points, so it is priced once, at the end.
class ControlTotals {
public:
    void clear() { totals_.clear(), places_.clear(); }
    void add(const Entry& entry, PartnerId charity);
    /// In the order of their keys, priced.
    [[nodiscard]] std::vector<ControlTotal> priced(const Terms& terms) const;

private:
    using Key = std::array<std::uint64_t, 3>;
    std::vector<ControlTotal> totals_;
    boost::unordered_flat_map<Key, std::uint32_t, boost::hash<Key>> places_;
};

/// Builds one block. One thread; reused from commit to commit.
class BlockBuilder {
public:
    void start(const BlockHeader& header); // `count` and `hash` are filled in by finish
    void append(const Record& record);
    [[nodiscard]] std::size_t count() const { return offsets_.size(); }
    /// Closes the block; `terms` know every tariff that its entries name. The span is valid until
    /// the next start().
    std::span<const std::byte> finish(const Terms& terms);
    [[nodiscard]] const BlockHeader& header() const { return header_; }

private:
    BlockHeader header_;
    std::vector<std::byte> bytes_; // its size is capacity; `used_` of it is written
    std::size_t used_ = 0;
    std::vector<std::uint32_t> offsets_;
    ControlTotals totals_;
};

/// Why bytes are not a block.
struct BlockFault {
    std::string reason{};
};

/// A block read back. Refers to the bytes it was parsed from. Immutable; any thread.
class BlockView {
public:
    /// Checks the frame (magic, version, lengths, offset table) and, when asked, the hash.
    enum class Check : std::uint8_t { frame, hash };
    static Result<BlockView, BlockFault> parse(std::span<const std::byte> bytes, Check check);

    [[nodiscard]] const BlockHeader& header() const { return header_; }
    [[nodiscard]] std::uint32_t count() const { return header_.count; }
    [[nodiscard]] Sequence sequence_of(std::uint32_t index) const
    {
        return Sequence{header_.first.value() + index};
    }
    /// Decodes one record into `out`, whose vectors are reused. False: the bytes are not a record.
    [[nodiscard]] bool read(std::uint32_t index, Record& out) const;
    /// False: the bytes are not control totals.
    [[nodiscard]] bool read_totals(std::vector<ControlTotal>& out) const;

private:
    BlockHeader header_;
    std::span<const std::byte> bytes_;
    std::span<const std::byte> offsets_;
    std::span<const std::byte> totals_;
};

} // namespace pointhouse::ledger
