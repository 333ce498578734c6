#include "files.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace pointhouse::certs {
namespace {

constexpr std::size_t file_bytes_max = 1024UL * 1024;

class File {
public:
    File(const std::filesystem::path& path, int flags, mode_t mode = 0)
        : path_{path}, descriptor_{::open(path.c_str(), flags | O_CLOEXEC, mode)}
    {
        if (descriptor_ < 0) fail("open");
    }
    ~File() { ::close(descriptor_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void write(std::string_view content)
    {
        while (!content.empty()) {
            const auto count = ::write(descriptor_, content.data(), content.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail("write");
            content.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    void sync()
    {
        if (::fsync(descriptor_) != 0) fail("sync");
    }

    [[nodiscard]] mode_t mode() const
    {
        struct stat status{};
        if (::fstat(descriptor_, &status) != 0) fail("look at");
        return status.st_mode & 07777U;
    }

    [[nodiscard]] std::string read() const
    {
        std::string content;
        std::array<char, 4096> buffer{};
        for (;;) {
            const auto count = ::read(descriptor_, buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail("read");
            if (count == 0) return content;
            content.append(buffer.data(), static_cast<std::size_t>(count));
            if (content.size() > file_bytes_max) {
                throw CertificateFailure{fmt::format("{} is too large", path_.string())};
            }
        }
    }

private:
    [[noreturn]] void fail(std::string_view verb) const
    {
        const auto reason = std::generic_category().message(errno);
        throw CertificateFailure{fmt::format("cannot {} {}: {}", verb, path_.string(), reason)};
    }

    std::filesystem::path path_;
    int descriptor_;
};

} // namespace

void write_file(
    const std::filesystem::path& file, std::string_view content, mode_t mode, std::string_view tag)
{
    auto temporary = file;
    temporary += fmt::format(".{}.new", tag);
    {
        File out{temporary, O_WRONLY | O_CREAT | O_EXCL, mode};
        out.write(content);
        out.sync();
    }
    std::error_code error;
    std::filesystem::rename(temporary, file, error);
    if (error) {
        throw CertificateFailure{
            fmt::format("cannot put {} in place: {}", file.string(), error.message())};
    }
    File{file.parent_path(), O_RDONLY | O_DIRECTORY}.sync();
}

std::string read_file(const std::filesystem::path& file)
{
    return File{file, O_RDONLY}.read();
}

std::string read_private_file(const std::filesystem::path& file)
{
    const File in{file, O_RDONLY};
    const auto mode = in.mode();
    if ((mode & 077U) != 0) {
        throw CertificateFailure{fmt::format(
            "key file {} is open to others (mode {:04o}): chmod 0400 it, and replace the key if "
            "someone may have read it",
            file.string(),
            mode)};
    }
    return in.read();
}

} // namespace pointhouse::certs
