#include "head_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <system_error>
#include <unistd.h>

#include "byte_codec.hpp"
#include "ledger/store.hpp"
#include "sha256.hpp"

namespace pointhouse::ledger {
namespace {

constexpr std::string_view magic = "PHHEAD01";
constexpr std::size_t body_bytes = 8 + 8 + 32 + 8;
constexpr std::size_t file_bytes = body_bytes + 32;

std::filesystem::path path_in(const std::filesystem::path& folder)
{
    return folder / "head";
}

} // namespace

void write_head(const std::filesystem::path& folder, const Head& head)
{
    std::array<std::byte, file_bytes> bytes{};
    ByteWriter out{bytes.data()};
    out.bytes(std::as_bytes(std::span{magic}));
    out.fixed(head.last.value());
    out.bytes(head.hash);
    out.fixed(head.house.value());
    Sha256 sha256;
    out.bytes(sha256.of(std::span{bytes}.first(body_bytes)));

    const std::filesystem::path unfinished = folder / "head.unfinished";
    const int file = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool is_written = file >= 0 && ::write(file, bytes.data(), bytes.size()) ==
                                             static_cast<ssize_t>(bytes.size());
    const int error = errno;
    if (file >= 0) ::close(file);
    if (!is_written || std::rename(unfinished.c_str(), path_in(folder).c_str()) != 0)
        throw StoreFailure{fmt::format(
            "cannot write {}: {}",
            path_in(folder).string(),
            std::generic_category().message(is_written ? errno : error))};
}

std::optional<Head> read_head(const std::filesystem::path& folder)
{
    std::ifstream file{path_in(folder), std::ios::binary};
    if (!file) return std::nullopt;
    std::array<char, file_bytes + 1> text{};
    file.read(text.data(), text.size());
    const auto bytes = std::as_bytes(std::span{text}.first(file_bytes));
    Sha256 sha256;
    const Digest check = sha256.of(bytes.first(body_bytes));
    const bool is_head = file.gcount() == static_cast<std::streamsize>(file_bytes) &&
                         std::memcmp(bytes.data(), magic.data(), magic.size()) == 0 &&
                         std::memcmp(bytes.data() + body_bytes, check.data(), check.size()) == 0;
    if (!is_head) throw StoreFailure{fmt::format("{} is damaged", path_in(folder).string())};
    ByteReader in{bytes.subspan(magic.size())};
    Head head;
    head.last = Sequence{in.fixed<std::uint64_t>()};
    std::memcpy(head.hash.data(), in.bytes(head.hash.size()).data(), head.hash.size());
    head.house = HouseSequence{in.fixed<std::uint64_t>()};
    return head;
}

} // namespace pointhouse::ledger
