#include "ledger/house_record.hpp"

#include <array>
#include <fmt/format.h>
#include <utility>

#include "head_file.hpp"
#include "ledger/invariant.hpp"
#include "sha256.hpp"

namespace pointhouse::ledger {
namespace {

// The database refuses to change or delete what was recorded; the chain shows it when somebody
// goes around the database.
constexpr std::string_view schema = R"sql(
CREATE TABLE IF NOT EXISTS house_record (
    sequence BIGINT NOT NULL PRIMARY KEY CHECK (sequence >= 1),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    content TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS house_record_is_never_changed BEFORE UPDATE ON house_record
BEGIN SELECT RAISE(ABORT, 'the house record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS house_record_is_never_deleted BEFORE DELETE ON house_record
BEGIN SELECT RAISE(ABORT, 'the house record is append-only'); END;
)sql";

std::string hexadecimal(const Digest& digest)
{
    std::string text;
    for (const std::byte byte : digest)
        fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

// Every field is preceded by its length, so that no two entries have the same bytes.
Digest chained_hash(const Digest& previous, const HouseEntry& entry)
{
    Sha256 sha256;
    sha256.update(previous);
    const auto add = [&sha256](std::string_view field) {
        const std::string length = fmt::format("{}:", field.size());
        sha256.update(std::as_bytes(std::span{length}));
        sha256.update(std::as_bytes(std::span{field}));
    };
    add(std::to_string(entry.sequence.value()));
    add(std::to_string(micros_of(entry.at)));
    add(entry.kind);
    add(entry.actor);
    add(entry.content);
    return sha256.finish();
}

struct LoadedRecord {
    std::vector<HouseEntry> entries;
    std::optional<std::string> fault;
};

LoadedRecord load(Transaction& transaction)
{
    LoadedRecord loaded;
    Digest previous{};
    constexpr std::string_view sql =
        "SELECT sequence, at, kind, actor, content, hash FROM house_record ORDER BY sequence";
    transaction.for_each(sql, {}, [&](const Row& row) {
        if (loaded.fault) return;
        const auto expected = loaded.entries.size() + 1;
        try {
            HouseEntry entry{
                .sequence =
                    HouseSequence{static_cast<std::uint64_t>(std::get<std::int64_t>(row.at(0)))},
                .at = time_of_micros(std::get<std::int64_t>(row.at(1))),
                .kind = std::get<std::string>(row.at(2)),
                .actor = std::get<std::string>(row.at(3)),
                .content = std::get<std::string>(row.at(4))};
            entry.hash = chained_hash(previous, entry);
            const bool is_sound = entry.sequence.value() == expected &&
                                  hexadecimal(entry.hash) == std::get<std::string>(row.at(5));
            if (!is_sound) {
                loaded.fault = fmt::format("house record, entry {}: its chain is broken", expected);
                return;
            }
            previous = entry.hash;
            loaded.entries.push_back(std::move(entry));
        } catch (const std::bad_variant_access&) {
            loaded.fault =
                fmt::format("house record, entry {}: a value has another type", expected);
        }
    });
    return loaded;
}

/// What a record lacks that once was there, as its head file says; none: nothing.
std::optional<std::string> lost_since(
    const std::optional<Head>& head, std::span<const HouseEntry> entries)
{
    if (!head || head->house.is_none()) return std::nullopt;
    const std::uint64_t reached = head->house.value();
    if (reached > entries.size())
        return fmt::format(
            "house record: it ends at entry {}, but it once reached {}", entries.size(), reached);
    if (entries[reached - 1].hash != head->hash)
        return fmt::format("house record, entry {}: it is not the one it once was", reached);
    return std::nullopt;
}

std::optional<Head> head_in(const std::filesystem::path& folder)
{
    return folder.empty() ? std::nullopt : read_head(folder);
}

} // namespace

HouseRecord::HouseRecord(Store& store, std::filesystem::path head_folder)
    : store_{store}, head_folder_{std::move(head_folder)}
{
    const auto head = head_in(head_folder_);
    LoadedRecord loaded;
    store_.transact([&](Transaction& transaction) {
        transaction.script(schema);
        loaded = load(transaction);
    });
    if (loaded.fault) throw StoreFailure{*loaded.fault};
    if (const auto lost = lost_since(head, loaded.entries)) throw StoreFailure{*lost};
    entries_ = std::move(loaded.entries);
    if (!entries_.empty()) write_head_file(entries_.back());
}

// An entry is durable whether its mark is or not: where the disk is full, the next one marks both.
void HouseRecord::write_head_file(const HouseEntry& last) const
{
    if (head_folder_.empty()) return;
    try {
        std::filesystem::create_directories(head_folder_);
        write_head(head_folder_, {.last = {}, .hash = last.hash, .house = last.sequence});
    } catch (const StoreFailure&) {
        return;
    } catch (const std::filesystem::filesystem_error&) {
        return;
    }
}

const HouseEntry& HouseRecord::append(
    Time at, std::string_view kind, std::string_view actor, std::string_view content)
{
    HouseEntry entry{
        .sequence = HouseSequence{entries_.size() + 1},
        .at = at,
        .kind = std::string{kind},
        .actor = std::string{actor},
        .content = std::string{content}};
    entry.hash = chained_hash(entries_.empty() ? Digest{} : entries_.back().hash, entry);
    if (!is_holding()) write_or_look({&entry, 1}, entries_.size());
    entries_.push_back(std::move(entry));
    return entries_.back();
}

void HouseRecord::write(std::span<const HouseEntry> entries)
{
    store_.transact([&](Transaction& transaction) {
        constexpr std::string_view sql =
            "INSERT INTO house_record (sequence, at, kind, actor, content, hash)"
            " VALUES ($1, $2, $3, $4, $5, $6)";
        for (const HouseEntry& entry : entries) {
            const std::string hash = hexadecimal(entry.hash);
            const std::array<Parameter, 6> parameters{
                static_cast<std::int64_t>(entry.sequence.value()),
                micros_of(entry.at),
                std::string_view{entry.kind},
                std::string_view{entry.actor},
                std::string_view{entry.content},
                std::string_view{hash}};
            transaction.run(sql, parameters);
        }
    });
    write_head_file(entries.back());
}

void HouseRecord::write_or_look(std::span<const HouseEntry> entries, std::size_t durable)
{
    try {
        write(entries);
    } catch (const StoreFailure&) {
        read_again(durable);
        throw;
    }
}

void HouseRecord::hold()
{
    invariant(!is_holding(), "what is held is written or dropped before more is");
    held_from_ = entries_.size();
}

void HouseRecord::write_held()
{
    invariant(is_holding(), "what is written was held");
    const std::size_t from = *std::exchange(held_from_, std::nullopt);
    if (from == entries_.size()) return;
    write_or_look(std::span{entries_}.subspan(from), from);
}

void HouseRecord::drop_held()
{
    invariant(is_holding(), "what is dropped was held");
    entries_.resize(*std::exchange(held_from_, std::nullopt));
}

// After a commit whose outcome is unknown the store is asked what it has.
void HouseRecord::read_again(std::size_t durable)
{
    entries_.resize(durable);
    try {
        LoadedRecord loaded;
        store_.read([&](Transaction& transaction) { loaded = load(transaction); });
        if (!loaded.fault && loaded.entries.size() > durable) entries_ = std::move(loaded.entries);
    } catch (const StoreFailure&) {
        // It cannot be asked now; the next append finds its place taken, is refused, and looks.
        return;
    }
}

HouseSequence HouseRecord::head() const
{
    return HouseSequence{entries_.size()};
}

std::optional<std::string> HouseRecord::first_fault(
    Store& store, const std::filesystem::path& head_folder)
{
    const auto head = head_in(head_folder); // first: the record only grows
    LoadedRecord loaded;
    store.read([&](Transaction& transaction) { loaded = load(transaction); });
    return loaded.fault ? loaded.fault : lost_since(head, loaded.entries);
}

} // namespace pointhouse::ledger
