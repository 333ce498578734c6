#include "house_files.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <toml++/toml.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "house_stores.hpp"

namespace pointhouse::gateway {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& file, std::string_view what)
{
    throw HouseFailure{fmt::format("{}: {}", file.string(), what)};
}

[[noreturn]] void fail_with_errno(const fs::path& file, std::string_view action)
{
    fail(file, fmt::format("cannot {}: {}", action, std::generic_category().message(errno)));
}

void write_all(int descriptor, std::string_view bytes, const fs::path& file)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail_with_errno(file, "write");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string text_setting(const toml::node& node, const fs::path& file, std::string_view key)
{
    const auto value = node.value<std::string>();
    if (!value) fail(file, fmt::format("{} must be a text in quotes", key));
    return *value;
}

std::vector<std::string> text_list(
    const toml::node& node, const fs::path& file, std::string_view key)
{
    const auto* const list = node.as_array();
    if (list == nullptr) fail(file, fmt::format("{} must be a list of texts", key));
    std::vector<std::string> texts;
    for (const auto& item : *list) texts.push_back(text_setting(item, file, key));
    return texts;
}

// A key is followed by the first bytes of its SHA-256, so that a changed byte is found before the
// key is used. Houses of before have none.
constexpr std::size_t key_check_bytes = 8;

std::string check_of_key(std::string_view key)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
    return {reinterpret_cast<const char*>(digest.data()), key_check_bytes};
}

template <std::size_t size>
void read_key(const fs::path& file, std::array<std::byte, size>& key)
{
    require_private(file);
    std::string bytes = read_small_file(file);
    if (bytes.size() != size && bytes.size() != size + key_check_bytes)
        fail(file, fmt::format("a key of {} bytes is expected here", size));
    const std::string_view check = std::string_view{bytes}.substr(size);
    if (!check.empty() && check != check_of_key(std::string_view{bytes}.substr(0, size)))
        fail(file, "the key is not what it was when it was made; restore it from a backup");
    std::memcpy(key.data(), bytes.data(), size);
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

void make_key(const fs::path& file, std::size_t size)
{
    std::string bytes(size, '\0');
    auto* const first = reinterpret_cast<unsigned char*>(bytes.data());
    if (RAND_bytes(first, static_cast<int>(size)) != 1)
        fail(file, "the system's random source failed");
    bytes += check_of_key(bytes);
    write_new_file(file, bytes, 0400);
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

} // namespace

std::string read_small_file(const fs::path& file)
{
    std::ifstream stream{file, std::ios::binary};
    if (!stream) fail(file, "cannot be read");
    std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
    if (stream.bad()) fail(file, "cannot be read");
    return bytes;
}

void write_new_file(const fs::path& file, std::string_view bytes, unsigned mode)
{
    const int descriptor =
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode));
    if (descriptor < 0) fail_with_errno(file, "make");
    write_all(descriptor, bytes, file);
    const bool is_durable = ::fsync(descriptor) == 0;
    if (::close(descriptor) != 0 || !is_durable) fail_with_errno(file, "keep");
}

HouseConfig read_config(const fs::path& file)
{
    HouseConfig config;
    toml::table table;
    try {
        table = toml::parse(read_small_file(file));
    } catch (const toml::parse_error& error) {
        fail(file, fmt::format("line {}: {}", error.source().begin.line, error.description()));
    }
    for (const auto& [name, node] : table) {
        const std::string_view key = name.str();
        if (key == "store") {
            config.store = text_setting(node, file, key);
            if (!is_store_name(config.store))
                fail(file, "store must be \"sqlite\" or a URL, \"postgres://…\"");
        } else if (key == "listen") {
            config.listen = text_setting(node, file, key);
        } else if (key == "admin") {
            config.admin = text_setting(node, file, key);
        } else if (key == "hosts") {
            config.hosts = text_list(node, file, key);
        } else if (key == "cached_members_max") {
            const auto count = node.value_exact<std::int64_t>();
            if (!count || *count < 1) fail(file, "cached_members_max must be a number from 1");
            config.cached_members_max = *count;
        } else {
            fail(file, fmt::format("\"{}\" is not a setting", key));
        }
    }
    return config;
}

void set_store(const fs::path& file, const std::string& store)
{
    std::istringstream lines{read_small_file(file)};
    std::string text;
    for (std::string line; std::getline(lines, line);)
        text += line.starts_with("store =") ? fmt::format("store = \"{}\"\n", store) : line + "\n";
    fs::remove(file);
    write_new_file(file, text, is_postgres(store) ? 0600 : 0644);
}

void write_config(const fs::path& file, const HouseConfig& config)
{
    // What was decided at the founding (currency, time zone, kind of house) is in the house's
    // record.
    write_new_file(
        file,
        fmt::format(
            "# What may change between two starts. Currency, time zone and the kind of house\n"
            "# were decided by `pointhouse init` and stand in the house's own record.\n"
            "store = \"{}\"\n"
            "listen = \"{}\"  # the partners' side, mutual TLS\n"
            "admin = \"{}\"   # health, readiness and metrics, plain HTTP: keep it on this "
            "machine\n"
            "hosts = []                   # further names and addresses it is reached under\n"
            "cached_members_max = {}      # members kept in memory\n",
            config.store,
            config.listen,
            config.admin,
            config.cached_members_max),
        is_postgres(config.store) ? 0600 : 0644); // the address may hold a password
}

void require_private(const fs::path& file)
{
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0) fail_with_errno(file, "read the key");
    if ((status.st_mode & 0077U) != 0)
        fail(
            file,
            "others may read this key; the house does not start. chmod 0400, and ask who did");
}

void make_keys(const fs::path& folder)
{
    if (::mkdir(folder.c_str(), 0700) != 0) fail_with_errno(folder, "make the folder");
    const ledger::LedgerKeys sizes;
    make_key(folder / "identity.key", sizes.identity.size());
    make_key(folder / "content.key", sizes.content.size());
    make_key(folder / "fingerprint.key", sizes.fingerprint.size());
    make_key(folder / "wire.key", std::tuple_size_v<decltype(read_wire_key(folder))>);
}

ledger::LedgerKeys read_ledger_keys(const fs::path& folder)
{
    ledger::LedgerKeys keys;
    read_key(folder / "identity.key", keys.identity);
    read_key(folder / "content.key", keys.content);
    read_key(folder / "fingerprint.key", keys.fingerprint);
    return keys;
}

std::array<std::byte, 16> read_wire_key(const fs::path& folder)
{
    std::array<std::byte, 16> key{};
    read_key(folder / "wire.key", key);
    return key;
}

std::optional<ClockKind> remembered_clock(const fs::path& file)
{
    if (!fs::exists(file)) return std::nullopt;
    const std::string text = read_small_file(file);
    if (text == "system\n") return ClockKind::system;
    if (text == "messages\n") return ClockKind::messages;
    fail(file, R"(must say "system" or "messages")");
}

void remember_clock(const fs::path& file, ClockKind kind)
{
    const fs::path fresh = fs::path{file}.concat(".new");
    fs::remove(fresh);
    write_new_file(fresh, kind == ClockKind::system ? "system\n" : "messages\n", 0644);
    fs::rename(fresh, file);
}

Lease::Lease(const fs::path& file)
{
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) fail_with_errno(file, "open");
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {
        const std::string process = fmt::format("{}\n", ::getpid());
        if (::ftruncate(descriptor_, 0) == 0) write_all(descriptor_, process, file);
        return;
    }
    const bool is_held = errno == EWOULDBLOCK;
    std::array<char, 24> holder{};
    const ssize_t size = ::pread(descriptor_, holder.data(), holder.size() - 1, 0);
    ::close(descriptor_);
    if (!is_held) fail_with_errno(file, "lock");
    std::string_view name{holder.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    while (name.ends_with('\n')) name.remove_suffix(1);
    throw LeaseHeld{fmt::format(
        "{} is in use by another process ({}); one process works on a house at a time",
        file.parent_path().string(),
        name.empty() ? "unknown" : name)};
}

Lease::~Lease()
{
    ::close(descriptor_);
}

} // namespace pointhouse::gateway
