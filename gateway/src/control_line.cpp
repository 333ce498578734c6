#include "control_line.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pointhouse::gateway {

namespace {

constexpr std::chrono::milliseconds turn{100}; // how late a stop may be seen
constexpr std::chrono::seconds write_patience{30};

} // namespace

LineSocket::~LineSocket()
{
    ::close(descriptor_);
}

bool LineSocket::wait(
    short events, std::chrono::milliseconds patience, const std::atomic<bool>* stopping) const
{
    const auto end = std::chrono::steady_clock::now() + patience;
    while (stopping == nullptr || !*stopping) {
        pollfd waiting{.fd = descriptor_, .events = events, .revents = 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(turn.count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
        if (std::chrono::steady_clock::now() >= end) return false;
    }
    return false;
}

std::optional<std::string> LineSocket::read_line(
    std::size_t line_bytes_max,
    std::chrono::milliseconds patience,
    const std::atomic<bool>* stopping)
{
    std::size_t searched = 0;
    while (true) {
        const auto end = read_.find('\n', searched);
        if (end != std::string::npos) {
            std::string line = read_.substr(0, end);
            read_.erase(0, end + 1);
            return line;
        }
        searched = read_.size();
        if (searched > line_bytes_max || !wait(POLLIN, patience, stopping)) return std::nullopt;
        std::array<char, 16'384> part{};
        const ssize_t size = ::recv(descriptor_, part.data(), part.size(), 0);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return std::nullopt;
        read_.append(part.data(), static_cast<std::size_t>(size));
    }
}

bool LineSocket::write_line(std::string_view line, const std::atomic<bool>* stopping)
{
    std::string bytes{line};
    bytes += '\n';
    std::string_view rest = bytes;
    while (!rest.empty()) {
        if (!wait(POLLOUT, write_patience, stopping)) return false;
        const ssize_t size =
            ::send(descriptor_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (size < 0) return false;
        rest.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

} // namespace pointhouse::gateway
