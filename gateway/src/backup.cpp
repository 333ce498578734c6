#include "gateway/backup.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/evp.h>

#include "house_files.hpp"
#include "house_stores.hpp"

namespace pointhouse::gateway {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::string_view manifest_name = "MANIFEST.json";
constexpr std::int64_t manifest_format = 1;
constexpr std::size_t copy_bytes = std::size_t{1} << 20U;

/// An open file. What is deleted meanwhile can still be read.
class OpenFile {
public:
    OpenFile(const fs::path& file, int flags, unsigned mode = 0)
        : file_{file},
          descriptor_{::open(file.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode))}
    {
        if (descriptor_ < 0) fail("open");
    }
    ~OpenFile()
    {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    OpenFile(OpenFile&& other) noexcept
        : file_{std::move(other.file_)}, descriptor_{std::exchange(other.descriptor_, -1)}
    {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    OpenFile& operator=(OpenFile&&) = delete;

    [[nodiscard]] unsigned mode() const
    {
        struct stat status = {};
        if (::fstat(descriptor_, &status) != 0) fail("look at");
        return status.st_mode & 0777U;
    }
    /// Hands all bytes to `part`, from the start.
    template <class Part>
    void read_all(const Part& part) const
    {
        std::string bytes(copy_bytes, '\0');
        off_t offset = 0;
        while (true) {
            const ssize_t size = ::pread(descriptor_, bytes.data(), bytes.size(), offset);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) fail("read");
            if (size == 0) return;
            part(std::string_view{bytes}.substr(0, static_cast<std::size_t>(size)));
            offset += size;
        }
    }
    void write(std::string_view bytes) const
    {
        while (!bytes.empty()) {
            const ssize_t size = ::write(descriptor_, bytes.data(), bytes.size());
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) fail("write");
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
    }
    void make_durable() const
    {
        if (::fsync(descriptor_) != 0) fail("keep");
    }

private:
    [[noreturn]] void fail(std::string_view action) const
    {
        throw HouseFailure{fmt::format(
            "{}: cannot {}: {}", file_.string(), action, std::generic_category().message(errno))};
    }

    fs::path file_;
    int descriptor_;
};

struct DigestDeleter {
    void operator()(EVP_MD_CTX* digest) const noexcept { EVP_MD_CTX_free(digest); }
};

std::string sha256_of(const OpenFile& file)
{
    const std::unique_ptr<EVP_MD_CTX, DigestDeleter> digest{EVP_MD_CTX_new()};
    bool is_sound = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1;
    file.read_all([&](std::string_view part) {
        is_sound = is_sound && EVP_DigestUpdate(digest.get(), part.data(), part.size()) == 1;
    });
    std::array<unsigned char, 32> hash{};
    is_sound = is_sound && EVP_DigestFinal_ex(digest.get(), hash.data(), nullptr) == 1;
    if (!is_sound) throw HouseFailure{"the digest of a file could not be computed"};
    std::string text;
    for (const unsigned byte : hash) text += fmt::format("{:02x}", byte);
    return text;
}

void make_folder_durable(const fs::path& folder)
{
    OpenFile{folder, O_RDONLY | O_DIRECTORY}.make_durable();
}

void make_private_folder(const fs::path& folder)
{
    if (fs::exists(folder) && (!fs::is_directory(folder) || !fs::is_empty(folder)))
        throw HouseFailure{folder.string() + " is not empty"};
    fs::create_directories(folder);
    fs::permissions(folder, fs::perms::owner_all);
}

void copy_file(const OpenFile& from, const fs::path& to)
{
    const OpenFile copy{to, O_WRONLY | O_CREAT | O_EXCL, from.mode()};
    from.read_all([&copy](std::string_view part) { copy.write(part); });
    copy.make_durable();
}

/// Folders hold keys: each is its owner's alone, but where the original was opened to others.
void make_parents(const fs::path& root, const fs::path& name)
{
    fs::path folder = root;
    for (const auto& part : name.parent_path()) {
        folder /= part;
        if (fs::create_directory(folder)) fs::permissions(folder, fs::perms::owner_all);
    }
}

bool is_within(const fs::path& inner, const fs::path& outer)
{
    const auto whole = fs::weakly_canonical(inner);
    const auto folder = fs::weakly_canonical(outer);
    return std::ranges::mismatch(folder, whole).in1 == folder.end();
}

} // namespace

struct HouseSnapshot::State {
    struct File {
        fs::path name;
        OpenFile file;
    };
    std::unique_ptr<StoreSnapshot> stores;
    std::vector<File> files;
    fs::path root; // of the house
    ledger::Sequence head;

    void add_file(const HouseFolder& folder, const fs::path& file)
    {
        if (!fs::exists(file)) return;
        files.push_back(
            {.name = fs::relative(file, folder.root), .file = OpenFile{file, O_RDONLY}});
    }
    void add_tree(const HouseFolder& folder, const fs::path& tree)
    {
        for (const auto& entry : fs::recursive_directory_iterator{tree})
            if (entry.is_regular_file()) add_file(folder, entry.path());
    }
};

HouseSnapshot::HouseSnapshot(House& house) : state_{std::make_unique<State>()}
{
    const auto& folder = house.folder();
    state_->root = folder.root;
    // The stores exist once they have been opened.
    static_cast<void>(house.identity_store());
    static_cast<void>(house.books());
    const auto reader = house.open_reader();
    ledger::JournalState journal;
    {
        // Of several shards no commit is halfway between them.
        const auto between_commits = house.hold_messages();
        journal = reader->state();
        state_->stores = house.snapshot_stores();
    }
    state_->head = journal.head;
    for (const auto& run : journal.index_runs)
        state_->add_file(folder, folder.ledger() / "index" / run.name);
    state_->add_file(folder, folder.ledger() / "head");
    state_->add_file(folder, folder.config());
    state_->add_file(folder, folder.clock());
    state_->add_tree(folder, folder.keys());
    state_->add_tree(folder, folder.certificates());
}

HouseSnapshot::~HouseSnapshot() = default;

void HouseSnapshot::write_to(const fs::path& backup, Console& console) const
{
    if (is_within(backup, state_->root))
        throw HouseFailure{fmt::format("{} lies within the house", backup.string())};
    make_private_folder(backup);
    auto names = state_->stores->write_to(
        backup, [&console](std::string_view line) { console.progress(line); });
    for (const auto& file : state_->files) {
        make_parents(backup, file.name);
        copy_file(file.file, backup / file.name);
        names.push_back(file.name);
    }

    json::array listed;
    for (const auto& name : names) {
        console.progress("digest of " + name.string());
        const OpenFile copy{backup / name, O_RDONLY};
        copy.make_durable();
        listed.push_back(
            {{"path", name.string()},
             {"bytes", fs::file_size(backup / name)},
             {"mode", fmt::format("{:04o}", copy.mode())},
             {"sha256", sha256_of(copy)}});
        make_folder_durable((backup / name).parent_path());
    }
    const json::object manifest{
        {"format", manifest_format},
        {"made_at", ledger::format_time(ledger::SystemClock{}.now())},
        {"head", state_->head.value()},
        {"files", listed}};
    write_new_file(backup / manifest_name, json::serialize(manifest) + "\n", 0400);
    make_folder_durable(backup);
}

namespace {

std::string_view text_of(const json::value& file, std::string_view key)
{
    const auto* const object = file.if_object();
    const auto* const value = object == nullptr ? nullptr : object->if_contains(key);
    if (value == nullptr || !value->is_string())
        throw HouseFailure{"the manifest does not name every file with its digest"};
    return value->get_string();
}

/// Every file of a manifest, checked against what is in the folder.
std::vector<fs::path> checked_files(const fs::path& backup, Console& console)
{
    boost::system::error_code error;
    const auto manifest = json::parse(read_small_file(backup / manifest_name), error);
    const auto* const listed =
        error || !manifest.is_object() ? nullptr : manifest.get_object().if_contains("files");
    if (listed == nullptr || !listed->is_array())
        throw HouseFailure{(backup / manifest_name).string() + " is not a backup's manifest"};

    std::vector<fs::path> names;
    std::set<fs::path> known{manifest_name};
    for (const auto& file : listed->get_array()) {
        const fs::path name{text_of(file, "path")};
        if (name.is_absolute() || name != name.lexically_normal() ||
            name.string().starts_with(".."))
            throw HouseFailure{fmt::format("the manifest names a strange path, {}", name.string())};
        console.progress("checking " + name.string());
        const OpenFile copy{backup / name, O_RDONLY | O_NOFOLLOW};
        if (sha256_of(copy) != text_of(file, "sha256"))
            throw HouseFailure{
                fmt::format("{} is not what was backed up", (backup / name).string())};
        names.push_back(name);
        known.insert(name);
    }
    for (const auto& entry : fs::recursive_directory_iterator{backup}) {
        const auto name = fs::relative(entry.path(), backup);
        if (!entry.is_directory() && !known.contains(name))
            throw HouseFailure{
                fmt::format("{} does not belong to the backup", entry.path().string())};
    }
    return names;
}

} // namespace

std::string copy_backup(
    const fs::path& backup, const fs::path& data, const std::string& store, Console& console)
try {
    const bool was_there = fs::exists(data);
    if (is_within(data, backup))
        throw HouseFailure{fmt::format("{} lies within the backup", data.string())};
    const auto names = checked_files(backup, console);
    auto config = read_config(backup / HouseFolder{}.config());
    if (!store.empty()) config.store = store;
    make_private_folder(data);
    try {
        for (const auto& name : names) {
            if (is_part_of_database(name)) continue;
            console.progress("restoring " + name.string());
            make_parents(data, name);
            copy_file(OpenFile{backup / name, O_RDONLY | O_NOFOLLOW}, data / name);
            make_folder_durable((data / name).parent_path());
        }
        if (!store.empty()) set_store(HouseFolder{data}.config(), store);
        load_house_stores(
            backup, config.store, [&console](std::string_view line) { console.progress(line); });
    } catch (...) {
        for (const auto& entry : fs::directory_iterator{data}) fs::remove_all(entry);
        if (!was_there) fs::remove(data);
        throw;
    }
    return config.store;
} catch (const fs::filesystem_error& error) {
    throw HouseFailure{error.what()};
}

void discard_house(const fs::path& data, const std::string& store)
{
    for (const auto& entry : fs::directory_iterator{data}) fs::remove_all(entry);
    discard_house_stores(store);
}

} // namespace pointhouse::gateway
