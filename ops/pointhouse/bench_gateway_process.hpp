#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "client/endpoint.hpp"

namespace pointhouse::ops {

/// A folder under /tmp that goes with the object.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A process that this one started; it ends with the object (SIGTERM, and SIGKILL after a while),
/// and with this process, however that ends.
class ChildProcess {
public:
    /// Output goes to `log`. Throws std::system_error when it cannot be started.
    ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& log);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// Waits for its end: the exit code, or 128 and the signal.
    int wait();
    [[nodiscard]] bool is_running();
    /// What it has used of the CPU so far, in seconds, user and system.
    [[nodiscard]] double cpu_seconds() const;
    /// Resident memory, in KiB.
    [[nodiscard]] std::int64_t resident_kib() const;

private:
    pid_t pid_ = -1;
};

/// Runs to its end. Throws std::runtime_error with the end of the log when that is not well.
void run_to_end(const std::vector<std::string>& command, const std::filesystem::path& log);

/// A port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] std::uint16_t free_port();

/// Something that serves over TLS in a process of its own.
struct BenchServer {
    client::Endpoint endpoint;
    std::unique_ptr<ChildProcess> process;
};

/// A fresh house with partners "b1", "b2", … in `folder`/house, serving. `executable` is this
/// program.
[[nodiscard]] BenchServer start_house(
    const std::filesystem::path& executable,
    const std::filesystem::path& folder,
    const std::string& store,
    int partners);

/// nginx with one worker that answers 200 to everything, over mutual TLS with the house's
/// certificates.
[[nodiscard]] BenchServer start_nginx(
    const std::filesystem::path& nginx, const std::filesystem::path& folder);

/// The partners' certificates in the house that start_house made.
[[nodiscard]] std::vector<client::Credentials> bench_callers(
    const std::filesystem::path& folder, int partners);

} // namespace pointhouse::ops
