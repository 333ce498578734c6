#include "replay_progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace pointhouse::ops {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t bar_cells = 30;
constexpr auto terminal_interval = 100ms;
constexpr auto plain_interval = 5s;

std::string remaining(double seconds)
{
    const auto whole = std::llround(std::min(seconds, 359'999.0));
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

} // namespace

std::string progress_line(
    std::string_view place,
    std::uint64_t done,
    std::uint64_t total,
    std::chrono::duration<double> elapsed)
{
    const std::uint64_t of = std::max<std::uint64_t>(total, 1);
    const std::uint64_t cells = bar_cells * std::min(done, of) / of;
    const double rate = elapsed.count() > 0 ? static_cast<double>(done) / elapsed.count() : 0;
    const double left = static_cast<double>(total - std::min(done, total));
    return fmt::format(
        "{}  [{:#<{}}{:.<{}}] {:>3} %  {}/{}  {:.0f}/s  {}",
        place,
        "",
        cells,
        "",
        bar_cells - cells,
        100 * std::min(done, of) / of,
        done,
        total,
        rate,
        done >= total ? "in " + remaining(elapsed.count())
                      : "left " + (rate > 0 ? remaining(left / rate) : "-:--"));
}

Progress::Progress(std::uint64_t total)
    : total_{total}, terminal_{::isatty(STDERR_FILENO) == 1}, begun_{Clock::now()},
      next_{begun_ + (terminal_ ? Clock::duration{0} : Clock::duration{plain_interval})}
{}

void Progress::update(std::uint64_t done, std::string_view place)
{
    const auto now = Clock::now();
    if (now < next_) return;
    next_ =
        now + (terminal_ ? Clock::duration{terminal_interval} : Clock::duration{plain_interval});
    show(done, place);
}

void Progress::finish(std::uint64_t done, std::string_view place)
{
    show(done, place);
    if (terminal_) std::fputc('\n', stderr);
}

void Progress::show(std::uint64_t done, std::string_view place) const
{
    const auto line = progress_line(place, done, total_, Clock::now() - begun_);
    // "erase to the end of the line" keeps a shorter line from showing the tail of a longer one.
    fmt::print(stderr, "{}{}{}", terminal_ ? "\r" : "", line, terminal_ ? "\x1b[K" : "\n");
    std::fflush(stderr);
}

} // namespace pointhouse::ops
