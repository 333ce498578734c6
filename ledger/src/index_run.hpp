#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "huge_pages.hpp"
#include "ledger/journal.hpp"

namespace pointhouse::ledger {

/// A keyed fingerprint of what is looked up, and the record that it was seen in.
struct IndexEntry {
    std::uint64_t fingerprint = 0;
    Sequence sequence;
    friend constexpr auto operator<=>(const IndexEntry&, const IndexEntry&) noexcept = default;
    [[nodiscard]] std::uint64_t hash() const { return fingerprint; }
    [[nodiscard]] bool is_empty() const { return sequence.is_none(); }
};

/// A sealed, immutable run of the message-id index in a memory-mapped file: a Bloom filter of one
/// cache line a key, then the fingerprints in order, then their sequences (ledger/JOURNAL.md).
/// Any thread.
class IndexRunFile {
public:
    /// Opens a run and checks its bytes against the manifest; none when it is missing or not equal.
    static std::shared_ptr<const IndexRunFile> open(
        const std::filesystem::path& folder, const IndexRun& run);
    ~IndexRunFile();
    IndexRunFile(const IndexRunFile&) = delete;
    IndexRunFile& operator=(const IndexRunFile&) = delete;

    [[nodiscard]] const IndexRun& run() const { return run_; }
    /// Brings the filter's line for `fingerprint` towards the processor.
    void prefetch(std::uint64_t fingerprint) const;
    /// Lets go of the entries that lookups brought into memory.
    void release_entries() const;
    /// Adds the sequences that `fingerprint` was seen in to `found`. False: its filter knew that
    /// there are none, and no entry was brought into memory.
    bool find(std::uint64_t fingerprint, std::vector<Sequence>& found) const;
    [[nodiscard]] std::uint64_t size() const { return run_.entries; }
    [[nodiscard]] IndexEntry entry(std::uint64_t place) const
    {
        return {.fingerprint = fingerprints_[place], .sequence = Sequence{sequences_[place]}};
    }

private:
    IndexRunFile() = default;

    IndexRun run_;
    std::span<std::byte> mapped_;
    HugePages memory_;
    std::span<std::uint64_t> filter_; // a copy: every lookup touches a line of it
    std::uint64_t filter_lines_ = 0;
    const std::uint64_t* fingerprints_ = nullptr;
    const std::uint64_t* sequences_ = nullptr;
};

/// Writes a run of entries that `next` yields in ascending order, fsyncs and renames it; the folder
/// is fsynced too. `count` is exactly how many it yields. Throws StoreFailure.
IndexRun write_index_run(
    const std::filesystem::path& folder,
    Sequence first,
    Sequence last,
    std::uint64_t count,
    const std::function<IndexEntry()>& next);

} // namespace pointhouse::ledger
