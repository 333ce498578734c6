#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hash_table.hpp"
#include "index_run.hpp"
#include "ledger/ids.hpp"
#include "ledger/journal.hpp"

namespace pointhouse::ledger {

/// What the index is asked for: keyed fingerprints, so that nobody can make two of them meet.
class IndexKeys {
public:
    explicit IndexKeys(std::array<std::byte, 16> key) : key_{key} {}
    /// What the first record of (partner, message id) is found by.
    [[nodiscard]] std::uint64_t message_key(PartnerId partner, std::string_view message_id) const;
    /// What the reversals of an original are found by.
    [[nodiscard]] std::uint64_t reversal_key(Sequence original) const;

private:
    std::array<std::byte, 16> key_;
};

/// The index of message ids over the whole house, log-structured: a table in memory, immutable
/// sorted runs with Bloom filters beside the journal. It answers with candidates, newest first; the
/// caller confirms each against its record. Sealing and merging run on a thread of their own; the
/// results are taken over between commits and named in the manifest of the next one. The writer's
/// thread.
class MessageIndex {
public:
    /// What two tables of 16 MiB take without growing: one fills while the other is sealed.
    static constexpr std::size_t table_entries_usual = (std::size_t{1} << 20) * 3 / 5;
    /// `table_entries` in memory make a run; a parameter so that tests see many runs soon.
    explicit MessageIndex(
        std::filesystem::path folder, std::size_t table_entries = table_entries_usual);
    ~MessageIndex();
    MessageIndex(const MessageIndex&) = delete;
    MessageIndex& operator=(const MessageIndex&) = delete;

    /// Opens the runs of a manifest and forgets all else. False: one is missing or not what the
    /// manifest says; then there are none, and the caller inserts every record again.
    [[nodiscard]] bool open(const std::vector<IndexRun>& manifest);
    /// The last record that the runs cover; later ones must be inserted again after open().
    [[nodiscard]] Sequence covered() const;

    void insert(std::uint64_t key, Sequence sequence);
    void prefetch(std::uint64_t key) const;
    /// Replaces `found` with the candidates for `key`, newest first.
    void find(std::uint64_t key, std::vector<Sequence>& found);

    /// Tells that all up to `durable` is in the journal, so that a full table may be sealed.
    void seal_when_full(Sequence durable);
    /// The manifest to commit, when a sealed or merged run was taken over since the last call.
    [[nodiscard]] std::optional<std::vector<IndexRun>> take_new_manifest();
    /// The manifest is durable: files that it no longer names go, soon.
    void remove_unnamed_files();
    /// Seals what is in memory and waits for it: a clean stop.
    void seal_all(Sequence durable);

private:
    using Table = HashTable<IndexEntry>; // in memory, not in a run yet
    struct Job;
    void run_jobs();
    void start(std::unique_ptr<Job> job);
    void later(std::move_only_function<void()> chore);
    void take_over_finished();
    void keep_as_spare(std::unique_ptr<Table> table);
    void ask_for_spare();
    [[nodiscard]] std::unique_ptr<Table> empty_table();
    void start_merge_when_due();
    [[nodiscard]] int tier_of(std::uint64_t entries) const;
    [[nodiscard]] std::vector<IndexRun> manifest() const;

    std::filesystem::path folder_;
    std::size_t table_entries_;
    std::unique_ptr<Table> table_;
    Sequence table_first_;           // the first record of the table
    std::unique_ptr<Table> sealing_; // read by the thread that writes it, too
    std::vector<std::shared_ptr<const IndexRunFile>> runs_;    // oldest first
    std::vector<std::shared_ptr<const IndexRunFile>> unnamed_; // replaced by a merge
    int looks_ = 0; // into the runs' files, since their memory was last let go
    bool manifest_changed_ = false;
    bool spare_is_coming_ = false; // or there

    std::mutex mutex_; // guards what follows
    std::condition_variable changed_;
    std::unique_ptr<Job> job_;
    std::vector<std::move_only_function<void()>> chores_; // before the next job
    std::unique_ptr<Table> spare_;                        // empty, with its memory: for the next
    bool stopping_ = false;
    std::jthread worker_;
};

} // namespace pointhouse::ledger
