#pragma once

#include <memory>
#include <string>

#include "gateway/command.hpp"
#include "gateway/house.hpp"
#include "gateway/operator_route.hpp"

namespace pointhouse::gateway {

/// Where a house serves: HOST:PORT, port 0 for any free one. Empty: as its configuration says.
struct ServeOptions {
    std::string listen;
    std::string admin;
    bool stops_on_signals = true; // SIGTERM and SIGINT
};

/// A house that is open for its partners: the listener, the admin listener and the control socket,
/// on one loop and one thread, the house's.
class Server {
public:
    /// Recovers the ledger and listens; connections wait until run(). Throws HouseFailure,
    /// std::runtime_error when an address or certificate cannot be used.
    Server(
        House& house,
        const ServeOptions& options,
        CommandInterpreter interpreter,
        OperatorRoutes operators = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::string admin_url() const;

    /// Serves until stop() or a signal, then drains: what has been received is answered.
    void run();
    /// Any thread.
    void stop();

private:
    class State;
    std::unique_ptr<State> state_;
};

} // namespace pointhouse::gateway
