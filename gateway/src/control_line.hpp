#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pointhouse::gateway {

/// A stream socket that carries lines, owned. Blocking, with a limit on everything. One thread.
class LineSocket {
public:
    explicit LineSocket(int descriptor) : descriptor_{descriptor} {}
    ~LineSocket();
    LineSocket(const LineSocket&) = delete;
    LineSocket& operator=(const LineSocket&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// The next line without its end. None: the other side closed, the line is longer than
    /// `line_bytes_max`, nothing came for `patience`, or `stopping` became true.
    [[nodiscard]] std::optional<std::string> read_line(
        std::size_t line_bytes_max,
        std::chrono::milliseconds patience,
        const std::atomic<bool>* stopping = nullptr);
    /// False: the other side has gone or does not read.
    [[nodiscard]] bool write_line(
        std::string_view line, const std::atomic<bool>* stopping = nullptr);

private:
    [[nodiscard]] bool wait(
        short events, std::chrono::milliseconds patience, const std::atomic<bool>* stopping) const;

    int descriptor_;
    std::string read_;
};

} // namespace pointhouse::gateway
