#include "message_index.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "ledger/invariant.hpp"
#include "siphash.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::size_t merge_fan_in = 4;
// A look into a run brings a few pieces of 64 KiB of its file into memory.
constexpr int looks_max = 64;
// A merge lets go of what it has read: whole runs would be hundreds of megabytes of memory.
constexpr std::uint64_t entries_kept_read = std::uint64_t{1} << 18;

} // namespace

/// One sealing (a table) or one merge (several runs), and the run that came of it.
struct MessageIndex::Job {
    std::filesystem::path folder;
    Sequence first;
    Sequence last;
    const Table* table = nullptr;                             // to seal, or
    std::vector<std::shared_ptr<const IndexRunFile>> sources; // to merge
    std::shared_ptr<const IndexRunFile> made;
    bool finished = false;
    std::string failure;

    void run();
    [[nodiscard]] IndexRun write_table() const;
    [[nodiscard]] IndexRun write_merged() const;
};

IndexRun MessageIndex::Job::write_table() const
{
    std::vector<IndexEntry> entries;
    entries.reserve(table->size());
    table->for_each_segment([&](std::vector<IndexEntry>& segment) {
        std::ranges::sort(segment);
        entries.insert(entries.end(), segment.begin(), segment.end());
    });
    std::size_t place = 0;
    return write_index_run(folder, first, last, entries.size(), [&] { return entries[place++]; });
}

IndexRun MessageIndex::Job::write_merged() const
{
    std::uint64_t count = 0;
    for (const auto& source : sources) count += source->size();
    std::vector<std::uint64_t> places(sources.size());
    std::uint64_t read = 0;
    return write_index_run(folder, first, last, count, [&] {
        if (++read % entries_kept_read == 0)
            for (const auto& source : sources) source->release_entries();
        std::size_t smallest = sources.size();
        for (std::size_t source = 0; source < sources.size(); ++source) {
            if (places[source] == sources[source]->size()) continue;
            if (smallest == sources.size() ||
                sources[source]->entry(places[source]) < sources[smallest]->entry(places[smallest]))
                smallest = source;
        }
        return sources[smallest]->entry(places[smallest]++);
    });
}

void MessageIndex::Job::run()
{
    try {
        made = IndexRunFile::open(folder, table != nullptr ? write_table() : write_merged());
        if (!made) failure = "a run that was just written does not read back";
    } catch (const std::exception& error) {
        failure = error.what();
    }
}

MessageIndex::MessageIndex(std::filesystem::path folder, std::size_t table_entries)
    : folder_{std::move(folder)}, table_entries_{table_entries}, table_{std::make_unique<Table>()},
      worker_{[this] { run_jobs(); }}
{
    std::filesystem::create_directories(folder_);
}

MessageIndex::~MessageIndex()
{
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
}

void MessageIndex::run_jobs()
{
    std::unique_lock lock{mutex_};
    while (true) {
        changed_.wait(
            lock, [this] { return stopping_ || !chores_.empty() || (job_ && !job_->finished); });
        if (!chores_.empty()) {
            auto chores = std::exchange(chores_, {});
            lock.unlock();
            for (auto& chore : chores) {
                try {
                    chore();
                } catch (const std::exception&) { // it would have saved time, nothing else
                }
            }
            chores.clear();
            lock.lock();
            continue;
        }
        if (stopping_) return;
        Job& job = *job_;
        lock.unlock();
        job.run();
        lock.lock();
        job.finished = true;
        changed_.notify_all();
    }
}

bool MessageIndex::open(const std::vector<IndexRun>& manifest)
{
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !job_ || job_->finished; });
        job_.reset();
    }
    table_ = std::make_unique<Table>();
    sealing_.reset();
    unnamed_.clear();
    manifest_changed_ = false;
    runs_.clear();
    for (const IndexRun& run : manifest) {
        auto opened = IndexRunFile::open(folder_, run);
        if (!opened) {
            runs_.clear();
            manifest_changed_ = true;
            break;
        }
        runs_.push_back(std::move(opened));
    }
    std::ranges::sort(runs_, {}, [](const auto& run) { return run->run().first; });
    table_first_ = Sequence{covered().value() + 1};
    return runs_.size() == manifest.size();
}

Sequence MessageIndex::covered() const
{
    return runs_.empty() ? Sequence{} : runs_.back()->run().last;
}

std::uint64_t IndexKeys::message_key(PartnerId partner, std::string_view message_id) const
{
    std::array<std::byte, 5 + 64> text;
    invariant(message_id.size() <= 64, "a message id has at most 64 characters");
    text[0] = std::byte{1};
    const std::uint32_t number = partner.value();
    std::memcpy(text.data() + 1, &number, sizeof number);
    std::memcpy(text.data() + 5, message_id.data(), message_id.size());
    return siphash(key_, std::span{text}.first(5 + message_id.size()));
}

std::uint64_t IndexKeys::reversal_key(Sequence original) const
{
    std::array<std::byte, 9> text;
    text[0] = std::byte{2};
    const std::uint64_t number = original.value();
    std::memcpy(text.data() + 1, &number, sizeof number);
    return siphash(key_, text);
}

void MessageIndex::insert(std::uint64_t key, Sequence sequence)
{
    table_->insert({.fingerprint = key, .sequence = sequence});
}

void MessageIndex::prefetch(std::uint64_t key) const
{
    table_->prefetch(key);
    if (sealing_) sealing_->prefetch(key);
    for (const auto& run : runs_) run->prefetch(key);
}

void MessageIndex::find(std::uint64_t key, std::vector<Sequence>& found)
{
    found.clear();
    const auto take = [&found](const IndexEntry& entry) { found.push_back(entry.sequence); };
    table_->for_each(key, take);
    if (sealing_) sealing_->for_each(key, take);
    for (const auto& run : runs_)
        if (run->find(key, found)) ++looks_;
    if (looks_ >= looks_max) {
        for (const auto& run : runs_) run->release_entries();
        looks_ = 0;
    }
    if (found.size() > 1) std::ranges::sort(found, std::greater<>{});
}

void MessageIndex::start(std::unique_ptr<Job> job)
{
    {
        const std::scoped_lock lock{mutex_};
        invariant(!job_, "one job at a time");
        job_ = std::move(job);
    }
    changed_.notify_all();
}

void MessageIndex::seal_when_full(Sequence durable)
{
    take_over_finished();
    ask_for_spare();
    {
        const std::scoped_lock lock{mutex_};
        if (job_) return;
    }
    if (table_->size() < table_entries_ || sealing_) {
        start_merge_when_due();
        return;
    }
    sealing_ = std::move(table_);
    table_ = empty_table();
    auto job = std::make_unique<Job>();
    job->folder = folder_;
    job->first = table_first_;
    job->last = durable;
    job->table = sealing_.get();
    table_first_ = Sequence{durable.value() + 1};
    start(std::move(job));
}

// Off the writer's thread: tables to clear, files of hundreds of megabytes to unmap and remove.
void MessageIndex::later(std::move_only_function<void()> chore)
{
    {
        const std::scoped_lock lock{mutex_};
        chores_.push_back(std::move(chore));
    }
    changed_.notify_all();
}

void MessageIndex::keep_as_spare(std::unique_ptr<Table> table)
{
    spare_is_coming_ = true;
    later([this, table = std::move(table)] mutable {
        table->clear();
        const std::scoped_lock lock{mutex_};
        spare_ = std::move(table);
    });
}

// A house that never fills a table never has the memory of two.
void MessageIndex::ask_for_spare()
{
    if (spare_is_coming_ || table_->size() < table_entries_ / 4 * 3) return;
    spare_is_coming_ = true;
    later([this] {
        auto table = std::make_unique<Table>(table_entries_);
        const std::scoped_lock lock{mutex_};
        spare_ = std::move(table);
    });
}

// Fresh memory costs a page fault for each page: the writer takes a table that has its own.
std::unique_ptr<MessageIndex::Table> MessageIndex::empty_table()
{
    spare_is_coming_ = false;
    {
        const std::scoped_lock lock{mutex_};
        if (spare_) return std::move(spare_);
    }
    return std::make_unique<Table>(table_entries_);
}

void MessageIndex::take_over_finished()
{
    std::unique_ptr<Job> job;
    {
        const std::scoped_lock lock{mutex_};
        if (!job_ || !job_->finished) return;
        job = std::move(job_);
    }
    if (!job->failure.empty()) {
        // What is in memory stays there and is tried again; a merge is only put off.
        if (job->table != nullptr) {
            job->failure.clear();
            job->finished = false;
            start(std::move(job));
        }
        return;
    }
    if (job->table != nullptr) {
        if (sealing_->has_grown())
            later([table = std::move(sealing_)] mutable { table.reset(); });
        else
            keep_as_spare(std::move(sealing_));
    }
    for (const auto& source : job->sources) {
        unnamed_.push_back(source);
        std::erase(runs_, source);
    }
    runs_.push_back(job->made);
    std::ranges::sort(runs_, {}, [](const auto& run) { return run->run().first; });
    manifest_changed_ = true;
}

void MessageIndex::start_merge_when_due()
{
    // Neighbours of one tier, newest first, so that a merged run covers a range without gaps.
    if (runs_.size() < merge_fan_in) return;
    const auto from = runs_.end() - merge_fan_in;
    const int tier = tier_of((*from)->size());
    if (!std::all_of(
            from, runs_.end(), [&](const auto& run) { return tier_of(run->size()) <= tier; }))
        return;
    auto job = std::make_unique<Job>();
    job->folder = folder_;
    job->sources.assign(from, runs_.end());
    job->first = job->sources.front()->run().first;
    job->last = job->sources.back()->run().last;
    start(std::move(job));
}

// Which power of the fan-in a run has grown to: runs of one tier are merged together.
int MessageIndex::tier_of(std::uint64_t entries) const
{
    int tier = 0;
    for (std::uint64_t size = table_entries_ * 2; entries > size; size *= merge_fan_in) ++tier;
    return tier;
}

std::vector<IndexRun> MessageIndex::manifest() const
{
    std::vector<IndexRun> named;
    named.reserve(runs_.size());
    for (const auto& run : runs_) named.push_back(run->run());
    return named;
}

std::optional<std::vector<IndexRun>> MessageIndex::take_new_manifest()
{
    take_over_finished();
    if (!manifest_changed_) return std::nullopt;
    manifest_changed_ = false;
    return manifest();
}

void MessageIndex::remove_unnamed_files()
{
    if (unnamed_.empty()) return;
    later([folder = folder_, unnamed = std::exchange(unnamed_, {})] {
        for (const auto& run : unnamed) {
            std::error_code ignored; // a file left over costs space, nothing else
            std::filesystem::remove(folder / run->run().name, ignored);
        }
    });
}

void MessageIndex::seal_all(Sequence durable)
{
    const auto wait_for_job = [this] {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !job_ || job_->finished; });
        lock.unlock();
        take_over_finished();
    };
    wait_for_job();
    if (table_->size() == 0) return;
    Job job;
    job.folder = folder_;
    job.first = table_first_;
    job.last = durable;
    job.table = table_.get();
    job.run();
    if (!job.made) throw StoreFailure{"cannot seal the message index: " + job.failure};
    table_ = std::make_unique<Table>();
    runs_.push_back(job.made);
    table_first_ = Sequence{durable.value() + 1};
    manifest_changed_ = true;
}

} // namespace pointhouse::ledger
