#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace pointhouse::ops {

/// A bar with rate and remaining time on standard error; where that is no terminal, a plain line
/// now and then. Cheap to call often.
class Progress {
public:
    explicit Progress(std::uint64_t total);
    /// So much is done, at this place ("2016-05").
    void update(std::uint64_t done, std::string_view place);
    /// The last state stays on the screen.
    void finish(std::uint64_t done, std::string_view place);

private:
    using Clock = std::chrono::steady_clock;
    void show(std::uint64_t done, std::string_view place) const;

    std::uint64_t total_;
    bool terminal_;
    Clock::time_point begun_;
    Clock::time_point next_;
};

/// The line that Progress shows; `elapsed` since the start.
[[nodiscard]] std::string progress_line(
    std::string_view place,
    std::uint64_t done,
    std::uint64_t total,
    std::chrono::duration<double> elapsed);

} // namespace pointhouse::ops
