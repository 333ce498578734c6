#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "gateway/command.hpp"

namespace pointhouse::gateway {

/// The door for commands on a serving house: a socket of mode 0600 in the data folder, and only for
/// processes of the same user. One JSON line each way and progress in between:
///
///     → {"arguments":["partner","list",…],"folder":"/home/anna"}
///     ← {"progress":"journal: 12.0 %"}        any number
///     ← {"output":"…"}                        any number
///     ← {"result":"…","complaint":"…","exit":0}
///
/// Each connection has a thread of its own, at most `connections_max`; so long work blocks nobody.
class ControlSocket {
public:
    /// Runs the first step of a command on the house's thread and waits for it. Any thread. Throws
    /// Interrupted when the house stops.
    using Begin = std::function<CommandStep(const CommandRequest&)>;
    /// Runs a later step of a command on the house's thread.
    using Proceed = std::function<CommandStep(const NextStep&)>;

    static constexpr std::size_t connections_max = 16;

    /// Listens at once. Replaces a socket that a dead process left. Throws HouseFailure.
    ControlSocket(std::filesystem::path path, Begin begin, Proceed proceed = {});
    /// Interrupts what is under way and waits for it.
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

private:
    struct Connection {
        std::thread thread;
        std::atomic<bool> is_over = false;
    };

    void accept_connections();
    void serve(int descriptor);
    void join_finished(bool all);

    std::filesystem::path path_;
    Begin begin_;
    Proceed proceed_;
    int listening_ = -1;
    std::atomic<bool> stopping_ = false;
    std::list<Connection> connections_; // the accepting thread's
    std::thread accepting_;
};

} // namespace pointhouse::gateway
