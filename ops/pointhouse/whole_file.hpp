#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace pointhouse::ops {

/// A file that readers see whole or not at all: it is written beside its place and moved there at
/// the end. A link is followed; a device or a pipe is written to as it is. What is not finished
/// leaves nothing. All throw CommandFailure with the system's reason. Any thread, one at a time.
class WholeFile {
public:
    enum class Readers : std::uint8_t { everybody, owner };
    explicit WholeFile(std::filesystem::path file, Readers readers = Readers::everybody);
    ~WholeFile();
    WholeFile(const WholeFile&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;

    void write(std::string_view text);
    /// All that was written is with the system: after it only the move can fail.
    void flush();
    void finish();

private:
    [[noreturn]] void fail() const;

    std::filesystem::path file_;
    std::filesystem::path written_; // beside it; the same: a device
    std::ofstream stream_;
    bool is_finished_ = false;
};

void write_whole(const std::filesystem::path& file, std::string_view text);
/// The same, readable by its owner alone.
void write_text(const std::filesystem::path& file, std::string_view text);

} // namespace pointhouse::ops
