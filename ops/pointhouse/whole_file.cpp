#include "whole_file.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <system_error>
#include <utility>

#include "commands.hpp"

namespace pointhouse::ops {

namespace fs = std::filesystem;

WholeFile::WholeFile(fs::path file, Readers readers) : file_{std::move(file)}
{
    std::error_code ignored;
    const fs::file_status status = fs::status(file_, ignored);
    if (fs::is_directory(status))
        throw CommandFailure{fmt::format("cannot write {}: it is a folder", file_.string())};
    const bool is_device = fs::exists(status) && !fs::is_regular_file(status);
    if (fs::is_symlink(fs::symlink_status(file_, ignored)) && !is_device)
        file_ = fs::weakly_canonical(file_);
    written_ = is_device ? file_ : fs::path{file_}.concat(".unfinished");
    errno = 0;
    stream_.open(written_, std::ios::binary | std::ios::trunc);
    if (!stream_) {
        is_finished_ = true; // nothing to remove
        fail();
    }
    if (readers == Readers::owner && !is_device)
        fs::permissions(written_, fs::perms::owner_read | fs::perms::owner_write, ignored);
}

WholeFile::~WholeFile()
{
    std::error_code ignored;
    if (!is_finished_ && written_ != file_) fs::remove(written_, ignored);
}

void WholeFile::write(std::string_view text)
{
    stream_ << text;
    if (!stream_) fail();
}

void WholeFile::flush()
{
    stream_ << std::flush;
    if (!stream_) fail();
}

void WholeFile::finish()
{
    flush();
    stream_.close();
    if (!stream_) fail();
    if (written_ != file_) {
        std::error_code error;
        fs::rename(written_, file_, error);
        if (error)
            throw CommandFailure{
                fmt::format("cannot write {}: {}", file_.string(), error.message())};
    }
    is_finished_ = true;
}

void WholeFile::fail() const
{
    throw CommandFailure{fmt::format(
        "cannot write {}: {}",
        file_.string(),
        errno != 0 ? std::generic_category().message(errno) : "the system does not say why")};
}

void write_whole(const fs::path& file, std::string_view text)
{
    WholeFile whole{file};
    whole.write(text);
    whole.finish();
}

void write_text(const fs::path& file, std::string_view text)
{
    WholeFile whole{file, WholeFile::Readers::owner};
    whole.write(text);
    whole.finish();
}

} // namespace pointhouse::ops
