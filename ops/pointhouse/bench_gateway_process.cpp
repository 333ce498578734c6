#include "bench_gateway_process.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "client/channel.hpp"

namespace pointhouse::ops {
namespace {

using namespace std::chrono_literals;
namespace filesystem = std::filesystem;

constexpr auto stop_time_max = 20s;
constexpr auto start_time_max = 20'000ms;

std::string read_file(const filesystem::path& file)
{
    std::ostringstream content;
    content << std::ifstream{file}.rdbuf();
    return content.str();
}

std::system_error system_failure(const std::string& what)
{
    return std::system_error{errno, std::generic_category(), what};
}

/// In the new process, between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* arguments, int log, pid_t parent)
{
    // The child must not outlive a bench that was killed.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execv(arguments[0], arguments);
    ::_exit(127);
}

/// Waits until a house or nginx answers over TLS.
void wait_until_answering(const client::Endpoint& endpoint, const client::Credentials& caller)
{
    client::Loop loop;
    client::Channel channel{loop, endpoint, caller, {.give_up_after = start_time_max}};
    bool answered = false;
    std::string failure;
    channel.send(
        client::format_request(
            endpoint, {.method = "GET", .target = "/v1/echo", .media_type = {}, .body = {}}),
        [&](const client::Answer& answer) {
            answered = true;
            if (answer.status != 200) {
                failure = fmt::format("status {} {}", answer.status, answer.failure);
            }
        });
    while (!answered) loop.run_once(20ms);
    if (!failure.empty()) throw std::runtime_error{"the server does not answer: " + failure};
}

} // namespace

TemporaryFolder::TemporaryFolder()
{
    std::string name = "/tmp/pointhouse-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw system_failure(name);
    path_ = name;
}

TemporaryFolder::~TemporaryFolder()
{
    std::error_code ignored; // a folder under /tmp that stays harms no one
    filesystem::remove_all(path_, ignored);
}

ChildProcess::ChildProcess(
    const std::vector<std::string>& command, const std::filesystem::path& log)
{
    auto owned = command;
    std::vector<char*> arguments;
    arguments.reserve(owned.size() + 1);
    for (auto& argument : owned) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    const int output = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0) throw system_failure(log);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) become(arguments.data(), output, parent);
    ::close(output);
    if (pid_ < 0) throw system_failure("fork");
}

// NOLINTNEXTLINE(bugprone-exception-escape): a child of ours can be waited for
ChildProcess::~ChildProcess()
{
    if (!is_running()) return;
    ::kill(pid_, SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + stop_time_max;
    while (is_running() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(10ms);
    }
    if (!is_running()) return;
    ::kill(pid_, SIGKILL);
    wait();
}

int ChildProcess::wait()
{
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
        if (errno != EINTR) throw system_failure("waitpid");
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool ChildProcess::is_running()
{
    if (pid_ < 0) return false;
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ > 0;
}

double ChildProcess::cpu_seconds() const
{
    // The name in parentheses may hold blanks; utime and stime are the 12th and 13th field after
    // it.
    const auto stat = read_file(fmt::format("/proc/{}/stat", pid_));
    std::istringstream fields{stat.substr(stat.rfind(')') + 1)};
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    std::int64_t user = 0;
    std::int64_t system = 0;
    fields >> user >> system;
    return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::int64_t ChildProcess::resident_kib() const
{
    std::istringstream status{read_file(fmt::format("/proc/{}/status", pid_))};
    for (std::string word; status >> word;) {
        std::int64_t kib = 0;
        if (word == "VmRSS:" && status >> kib) return kib;
    }
    return 0;
}

void run_to_end(const std::vector<std::string>& command, const std::filesystem::path& log)
{
    if (ChildProcess{command, log}.wait() == 0) return;
    auto said = read_file(log);
    if (said.size() > 2000) said.erase(0, said.size() - 2000);
    throw std::runtime_error{fmt::format("{} {}: {}", command.at(0), command.at(1), said)};
}

std::uint16_t free_port()
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) throw system_failure("a free port");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const bool bound =
        ::bind(socket, generic, size) == 0 && ::getsockname(socket, generic, &size) == 0;
    ::close(socket);
    if (!bound) throw system_failure("a free port");
    return ntohs(address.sin_port);
}

BenchServer start_house(
    const std::filesystem::path& executable,
    const std::filesystem::path& folder,
    const std::string& store,
    int partners)
{
    const auto program = executable.string();
    const auto data = (folder / "house").string();
    const auto log = folder / "house.log";
    run_to_end({program, "init", "--data", data, "--store", store}, log);
    for (int partner = 1; partner <= partners; ++partner) {
        const auto id = fmt::format("b{}", partner);
        run_to_end({program, "partner", "add", id, "--standard", "--data", data}, log);
        run_to_end({program, "cert", "issue", id, "--data", data}, log);
    }
    BenchServer server{.endpoint = {.host = "127.0.0.1", .port = free_port()}, .process = nullptr};
    server.process = std::make_unique<ChildProcess>(
        std::vector<std::string>{
            program,
            "serve",
            "--data",
            data,
            "--listen",
            fmt::format("127.0.0.1:{}", server.endpoint.port),
            "--admin",
            fmt::format("127.0.0.1:{}", free_port())},
        log);
    wait_until_answering(server.endpoint, bench_callers(folder, 1).front());
    return server;
}

BenchServer start_nginx(const std::filesystem::path& nginx, const std::filesystem::path& folder)
{
    const auto home = folder / "nginx";
    filesystem::create_directory(home);
    BenchServer server{.endpoint = {.host = "127.0.0.1", .port = free_port()}, .process = nullptr};
    const auto certificates = folder / "house" / "certs";
    std::ofstream{home / "nginx.conf"} << fmt::format(
        R"(daemon off;
master_process off;
pid {0}/pid;
error_log {0}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_max_body_size 8m;
    client_body_temp_path {0}/body;
    proxy_temp_path {0}/proxy;
    fastcgi_temp_path {0}/fastcgi;
    uwsgi_temp_path {0}/uwsgi;
    scgi_temp_path {0}/scgi;
    server {{
        listen 127.0.0.1:{1} ssl;
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        ssl_certificate {2}/house/cert.pem;
        ssl_certificate_key {2}/house/key.pem;
        ssl_client_certificate {2}/ca.pem;
        ssl_verify_client on;
        ssl_verify_depth 2;
        location / {{ return 200; }}
    }}
}}
)",
        home.string(),
        server.endpoint.port,
        certificates.string());
    server.process = std::make_unique<ChildProcess>(
        std::vector<std::string>{
            nginx.string(), "-p", home.string(), "-c", (home / "nginx.conf").string()},
        home / "log");
    wait_until_answering(server.endpoint, bench_callers(folder, 1).front());
    return server;
}

std::vector<client::Credentials> bench_callers(const std::filesystem::path& folder, int partners)
{
    std::vector<client::Credentials> callers;
    for (int partner = 1; partner <= partners; ++partner) {
        callers.push_back(
            client::credentials_in(folder / "house" / "certs", fmt::format("b{}", partner)));
    }
    return callers;
}

} // namespace pointhouse::ops
