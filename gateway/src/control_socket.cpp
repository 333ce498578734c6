#include "control_socket.hpp"

#include <cerrno>
#include <cstring>
#include <exception>
#include <fmt/format.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "control_line.hpp"
#include "gateway/control_client.hpp"
#include "gateway/house.hpp"
#include "log.hpp"

namespace pointhouse::gateway {

namespace json = boost::json;

namespace {

constexpr std::size_t request_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t answer_bytes_max = std::size_t{256} << 20U;
constexpr std::chrono::seconds request_patience{5};
// The first step may wait for the commit that is under way, and long work speaks now and then.
constexpr std::chrono::minutes answer_patience{10};
constexpr std::size_t output_part_bytes = std::size_t{64} << 10U;
constexpr int accept_turn_ms = 100;

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action)
{
    throw HouseFailure{fmt::format(
        "{}: cannot {}: {}", path.string(), action, std::generic_category().message(errno))};
}

sockaddr_un address_of(const std::filesystem::path& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path.string();
    if (name.size() >= sizeof address.sun_path)
        throw HouseFailure{fmt::format(
            "{}: too long for a socket ({} bytes at most); use a shorter path to the house",
            name,
            sizeof address.sun_path - 1)};
    std::memcpy(address.sun_path, name.data(), name.size());
    return address;
}

bool is_same_user(int descriptor)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == ::geteuid();
}

/// A command's words on their way through the socket.
class SocketConsole final : public Console {
public:
    SocketConsole(LineSocket& socket, const std::atomic<bool>& stopping)
        : socket_{socket}, stopping_{stopping}
    {}

    void progress(std::string_view line) override { send({{"progress", line}}); }
    void print(std::string_view text) override
    {
        while (!text.empty()) {
            send({{"output", text.substr(0, output_part_bytes)}});
            text.remove_prefix(std::min(text.size(), output_part_bytes));
        }
    }
    void finish(const CommandResult& result)
    {
        print(result.output);
        send({{"result", ""}, {"complaint", result.complaint}, {"exit", result.exit_code}});
    }

private:
    void send(const json::object& line)
    {
        if (stopping_) throw Interrupted{"the house stops"};
        if (!socket_.write_line(json::serialize(line), &stopping_))
            throw Interrupted{"nobody listens any more"};
    }

    LineSocket& socket_;
    const std::atomic<bool>& stopping_;
};

std::optional<CommandRequest> read_request(const std::string& line)
{
    boost::system::error_code error;
    const auto value = json::parse(line, error);
    if (error || !value.is_object()) return std::nullopt;
    CommandRequest request;
    const auto* const arguments = value.get_object().if_contains("arguments");
    const auto* const folder = value.get_object().if_contains("folder");
    if (arguments == nullptr || !arguments->is_array()) return std::nullopt;
    for (const auto& argument : arguments->get_array()) {
        if (!argument.is_string()) return std::nullopt;
        request.arguments.emplace_back(argument.get_string());
    }
    if (folder != nullptr && folder->is_string())
        request.folder = std::string{folder->get_string()};
    return request;
}

CommandResult run_command(CommandStep step, const ControlSocket::Proceed& proceed, Console& console)
{
    while (true) {
        if (const auto* const result = std::get_if<CommandResult>(&step)) return *result;
        auto end = std::get<LongWork>(step)(console);
        if (const auto* const result = std::get_if<CommandResult>(&end)) return *result;
        step = proceed(std::get<NextStep>(end));
    }
}

CommandResult run_command(
    const CommandRequest& request,
    const ControlSocket::Begin& begin,
    const ControlSocket::Proceed& proceed,
    Console& console)
{
    try {
        return run_command(begin(request), proceed, console);
    } catch (const Interrupted&) {
        throw;
    } catch (const std::exception& failure) {
        return {.exit_code = 1, .complaint = fmt::format("pointhouse: {}\n", failure.what())};
    }
}

} // namespace

ControlSocket::ControlSocket(std::filesystem::path path, Begin begin, Proceed proceed)
    : path_{std::move(path)}, begin_{std::move(begin)}, proceed_{std::move(proceed)}
{
    const auto address = address_of(path_);
    // The lease is ours, so nobody serves on what a dead process left here.
    ::unlink(path_.c_str());
    listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listening_ < 0) fail(path_, "make a socket");
    const auto* const name = reinterpret_cast<const sockaddr*>(&address);
    // The data folder is 0700, so nobody gets in between the two calls.
    if (::bind(listening_, name, sizeof address) != 0 || ::chmod(path_.c_str(), 0600) != 0 ||
        ::listen(listening_, static_cast<int>(connections_max)) != 0) {
        const int reason = errno;
        ::close(listening_);
        errno = reason;
        fail(path_, "listen");
    }
    accepting_ = std::thread{[this] { accept_connections(); }};
}

ControlSocket::~ControlSocket()
{
    stopping_ = true;
    accepting_.join();
    ::close(listening_);
    ::unlink(path_.c_str());
}

void ControlSocket::accept_connections()
{
    while (!stopping_) {
        pollfd waiting{.fd = listening_, .events = POLLIN, .revents = 0};
        const int ready = ::poll(&waiting, 1, accept_turn_ms);
        join_finished(false);
        // Beyond the limit they wait in the kernel's queue.
        if (ready <= 0 || connections_.size() >= connections_max) {
            if (ready > 0) std::this_thread::sleep_for(std::chrono::milliseconds{accept_turn_ms});
            continue;
        }
        const int descriptor = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
        if (descriptor < 0) continue;
        auto& connection = connections_.emplace_back();
        connection.thread = std::thread{[this, descriptor, &connection] {
            serve(descriptor);
            connection.is_over = true;
        }};
    }
    join_finished(true);
}

void ControlSocket::join_finished(bool all)
{
    for (auto connection = connections_.begin(); connection != connections_.end();) {
        if (!all && !connection->is_over) {
            ++connection;
            continue;
        }
        connection->thread.join();
        connection = connections_.erase(connection);
    }
}

void ControlSocket::serve(int descriptor)
{
    LineSocket socket{descriptor};
    if (!is_same_user(descriptor)) {
        log_event(LogLevel::warning, "control_refused", {{LogField::reason, "another user"}});
        return;
    }
    const auto line = socket.read_line(request_bytes_max, request_patience, &stopping_);
    if (!line) return;
    SocketConsole console{socket, stopping_};
    try {
        const auto request = read_request(*line);
        if (!request) {
            console.finish({.exit_code = 2, .complaint = "not a request\n"});
            return;
        }
        const auto result = run_command(*request, begin_, proceed_, console);
        const auto exit = std::to_string(result.exit_code);
        const std::string_view name =
            request->arguments.empty() ? std::string_view{} : request->arguments.front();
        log_event(LogLevel::info, "command", {{LogField::command, name}, {LogField::exit, exit}});
        console.finish(result);
    } catch (const std::exception& failure) {
        log_event(LogLevel::warning, "command_ended", {{LogField::reason, failure.what()}});
    }
}

std::optional<CommandResult> ask_serving_house(
    const std::filesystem::path& path, const CommandRequest& request, Console& console)
{
    const auto address = address_of(path);
    LineSocket socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (socket.descriptor() < 0) fail(path, "make a socket");
    const auto* const name = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket.descriptor(), name, sizeof address) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
        fail(path, "reach the serving house");
    }
    json::array arguments;
    for (const auto& argument : request.arguments) arguments.emplace_back(argument);
    const json::object asked{{"arguments", arguments}, {"folder", request.folder.string()}};
    if (!socket.write_line(json::serialize(asked))) fail(path, "ask the serving house");

    while (const auto line = socket.read_line(answer_bytes_max, answer_patience)) {
        // Output may be cut inside a character of several bytes.
        const auto answer = json::parse(*line, {}, {.allow_invalid_utf8 = true}).as_object();
        if (const auto* const progress = answer.if_contains("progress")) {
            console.progress(progress->as_string());
        } else if (const auto* const output = answer.if_contains("output")) {
            console.print(output->as_string());
        } else {
            return CommandResult{
                .exit_code = static_cast<int>(answer.at("exit").as_int64()),
                .output = std::string{answer.at("result").as_string()},
                .complaint = std::string{answer.at("complaint").as_string()}};
        }
    }
    throw HouseFailure{"the serving house broke off; ask again what became of the command"};
}

} // namespace pointhouse::gateway
