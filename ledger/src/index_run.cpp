#include "index_run.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "ledger/invariant.hpp"
#include "sha256.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::array<char, 8> magic{'P', 'H', 'I', 'X', '0', '0', '0', '2'};
constexpr std::uint64_t words_per_line = 8; // one cache line: 512 bits
constexpr std::uint64_t keys_per_line = 32; // 16 bits a key: about 0.1 % false positives
constexpr int probes = 7;

__extension__ using UnsignedWide = unsigned __int128;

struct RunHeader {
    std::array<char, 8> magic;
    std::uint64_t first;
    std::uint64_t last;
    std::uint64_t entries;
    std::uint64_t filter_lines;
    std::array<std::uint64_t, 3> reserved;
};
static_assert(sizeof(RunHeader) == 64);

std::uint64_t filter_lines_for(std::uint64_t entries)
{
    return entries / keys_per_line + 1;
}

std::uint64_t bytes_for(std::uint64_t entries)
{
    return sizeof(RunHeader) + filter_lines_for(entries) * words_per_line * 8 + entries * 16;
}

// The fingerprint is random already: its high half picks the line, its low half the bits.
std::uint64_t line_of(std::uint64_t fingerprint, std::uint64_t lines)
{
    return static_cast<std::uint64_t>((UnsignedWide{fingerprint} * lines) >> 64);
}

template <class Visit>
bool for_each_bit(std::uint64_t fingerprint, Visit visit)
{
    std::uint64_t bits = fingerprint * 0x9e3779b97f4a7c15;
    for (int probe = 0; probe < probes; ++probe, bits >>= 9)
        if (!visit((bits & 511) / 64, std::uint64_t{1} << (bits & 63))) return false;
    return true;
}

// What was read or written of a mapped file stays in the system's cache, and no longer counts as
// this process's memory. A whole run would be hundreds of megabytes.
constexpr std::size_t piece = std::size_t{4} << 20;

void let_go(std::span<std::byte> mapped)
{
    ::madvise(mapped.data(), mapped.size(), MADV_DONTNEED);
}

Digest hash_of(std::span<std::byte> mapped)
{
    Sha256 sha256;
    for (std::size_t at = 0; at < mapped.size(); at += piece) {
        const auto part = mapped.subspan(at, std::min(piece, mapped.size() - at));
        sha256.update(part);
        let_go(part);
    }
    return sha256.finish();
}

class File {
public:
    File(const std::filesystem::path& path, int flags) : handle_{::open(path.c_str(), flags, 0600)}
    {}
    ~File()
    {
        if (handle_ >= 0) ::close(handle_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int handle() const { return handle_; }

private:
    int handle_;
};

[[noreturn]] void fail(const std::filesystem::path& path, const char* doing)
{
    throw StoreFailure{
        fmt::format("{} {}: {}", doing, path.string(), std::generic_category().message(errno))};
}

/// A file of fixed size, mapped to be written. Its space is taken at once, because a disk that is
/// full would otherwise kill the process at a write to memory. It starts as zeros.
class MappedOutput {
public:
    MappedOutput(const std::filesystem::path& path, std::size_t bytes)
        : path_{path}, file_{path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC}
    {
        if (file_.handle() < 0) fail(path_, "cannot create");
        errno = ::posix_fallocate(file_.handle(), 0, static_cast<off_t>(bytes));
        if (errno != 0) fail(path_, "no space for");
        void* mapped =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.handle(), 0);
        if (mapped == MAP_FAILED) fail(path_, "cannot map");
        mapped_ = {static_cast<std::byte*>(mapped), bytes};
    }
    ~MappedOutput() { ::munmap(mapped_.data(), mapped_.size()); }
    MappedOutput(const MappedOutput&) = delete;
    MappedOutput& operator=(const MappedOutput&) = delete;

    [[nodiscard]] std::span<std::byte> bytes() { return mapped_; }
    /// Piece by piece: a long queue of writes would make every commit wait behind it.
    void sync() const
    {
        constexpr std::size_t queue = std::size_t{1} << 20;
        constexpr unsigned all =
            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
        for (std::size_t at = 0; at < mapped_.size(); at += queue)
            if (::sync_file_range(file_.handle(), static_cast<off_t>(at), queue, all) != 0)
                fail(path_, "cannot sync");
        if (::fsync(file_.handle()) != 0) fail(path_, "cannot sync");
    }

private:
    std::filesystem::path path_;
    File file_;
    std::span<std::byte> mapped_;
};

void sync_folder(const std::filesystem::path& folder)
{
    const File file{folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC};
    if (file.handle() < 0 || ::fsync(file.handle()) != 0) fail(folder, "cannot sync");
}

} // namespace

std::shared_ptr<const IndexRunFile> IndexRunFile::open(
    const std::filesystem::path& folder, const IndexRun& run)
{
    const File file{folder / run.name, O_RDONLY | O_CLOEXEC};
    struct stat status{};
    if (file.handle() < 0 || ::fstat(file.handle(), &status) != 0) return nullptr;
    if (static_cast<std::uint64_t>(status.st_size) != bytes_for(run.entries)) return nullptr;
    const auto size = static_cast<std::size_t>(status.st_size);
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.handle(), 0);
    if (mapped == MAP_FAILED) return nullptr;

    std::shared_ptr<IndexRunFile> opened{new IndexRunFile};
    opened->mapped_ = {static_cast<std::byte*>(mapped), size};
    if (hash_of(opened->mapped_) != run.hash) return nullptr;
    RunHeader header{};
    std::memcpy(&header, mapped, sizeof header);
    const bool is_the_one = header.magic == magic && header.first == run.first.value() &&
                            header.last == run.last.value() && header.entries == run.entries &&
                            header.filter_lines == filter_lines_for(run.entries);
    if (!is_the_one) return nullptr;
    opened->run_ = run;
    opened->filter_lines_ = header.filter_lines;
    const auto* filter = static_cast<const std::uint64_t*>(mapped) + sizeof(RunHeader) / 8;
    const std::size_t words = header.filter_lines * words_per_line;
    opened->filter_ = {
        static_cast<std::uint64_t*>(opened->memory_.allocate(words * 8, alignof(std::uint64_t))),
        words};
    for (std::size_t at = 0; at < words; at += piece / 8) {
        std::copy_n(filter + at, std::min(piece / 8, words - at), opened->filter_.data() + at);
        opened->release_entries();
    }
    opened->fingerprints_ = filter + words;
    opened->sequences_ = opened->fingerprints_ + run.entries;
    ::madvise(mapped, size, MADV_RANDOM);
    return opened;
}

IndexRunFile::~IndexRunFile()
{
    if (!mapped_.empty()) ::munmap(mapped_.data(), mapped_.size());
}

void IndexRunFile::prefetch(std::uint64_t fingerprint) const
{
    __builtin_prefetch(&filter_[line_of(fingerprint, filter_lines_) * words_per_line]);
}

void IndexRunFile::release_entries() const
{
    let_go(mapped_);
}

bool IndexRunFile::find(std::uint64_t fingerprint, std::vector<Sequence>& found) const
{
    const std::uint64_t* line = &filter_[line_of(fingerprint, filter_lines_) * words_per_line];
    const bool may_hold = for_each_bit(fingerprint, [&](std::uint64_t word, std::uint64_t bit) {
        return (line[word] & bit) != 0;
    });
    if (!may_hold) return false;

    // Fingerprints are uniform, so the place is known up to a few hundred; widen until it is
    // enclosed.
    const std::uint64_t guess = line_of(fingerprint, run_.entries);
    std::uint64_t low = guess;
    std::uint64_t high = guess;
    for (std::uint64_t step = 64; low > 0 && fingerprints_[low] >= fingerprint; step *= 2)
        low = low > step ? low - step : 0;
    for (std::uint64_t step = 64; high < run_.entries && fingerprints_[high] <= fingerprint;
         step *= 2)
        high = std::min(run_.entries, high + step);
    const auto [from, to] =
        std::equal_range(fingerprints_ + low, fingerprints_ + high, fingerprint);
    for (const auto* at = from; at != to; ++at) found.emplace_back(sequences_[at - fingerprints_]);
    return true;
}

IndexRun write_index_run(
    const std::filesystem::path& folder,
    Sequence first,
    Sequence last,
    std::uint64_t count,
    const std::function<IndexEntry()>& next)
{
    const std::uint64_t lines = filter_lines_for(count);
    const std::string name = fmt::format("{:020}-{:020}.run", first.value(), last.value());
    const std::filesystem::path unfinished = folder / (name + ".unfinished");
    MappedOutput output{unfinished, bytes_for(count)};
    auto* const words = reinterpret_cast<std::uint64_t*>(output.bytes().data());
    const RunHeader header{
        .magic = magic,
        .first = first.value(),
        .last = last.value(),
        .entries = count,
        .filter_lines = lines,
        .reserved = {}};
    std::memcpy(words, &header, sizeof header);
    std::uint64_t* const filter = words + sizeof header / 8;
    std::uint64_t* const fingerprints = filter + lines * words_per_line;
    std::uint64_t* const sequences = fingerprints + count;
    constexpr std::uint64_t entries_per_piece = piece / sizeof(IndexEntry);
    for (std::uint64_t place = 0; place < count; ++place) {
        if (place % entries_per_piece == 0) let_go(output.bytes()); // in order, the filter too
        const IndexEntry entry = next();
        fingerprints[place] = entry.fingerprint;
        sequences[place] = entry.sequence.value();
        std::uint64_t* const line = filter + line_of(entry.fingerprint, lines) * words_per_line;
        for_each_bit(entry.fingerprint, [&](std::uint64_t word, std::uint64_t bit) {
            line[word] |= bit;
            return true;
        });
    }

    output.sync();
    IndexRun run{
        .name = name,
        .first = first,
        .last = last,
        .entries = count,
        .hash = hash_of(output.bytes())};
    std::filesystem::rename(unfinished, folder / name);
    sync_folder(folder);
    return run;
}

} // namespace pointhouse::ledger
