#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "desk.hpp"
#include "exchange.hpp"
#include "gateway/operator_route.hpp"
#include "router.hpp"

namespace pointhouse::gateway {

/// The requests of operators that the one who runs the house interprets: reads their parameters,
/// has them done at the desk, answers. On the I/O thread.
class OperatorDesk {
public:
    OperatorDesk(Desk& desk, OperatorRoutes requests);

    /// For the guard and the router.
    [[nodiscard]] std::span<const Route> routes() const { return routes_; }

    /// True: it was answered at once; else the desk finishes the exchange. Pre: the caller is an
    /// operator.
    [[nodiscard]] bool begin(Exchange& exchange);

private:
    void finish_waiting(const std::string& message_id);

    Desk& desk_;
    OperatorRoutes requests_;
    std::vector<Route> routes_;
    /// Message ids of requests that are under way, and the same requests sent once more meanwhile:
    /// they are answered as the first was.
    std::map<std::string, std::vector<Exchange*>, std::less<>> under_way_;
};

/// The description of all routes: that of every house, with those of this house's operators.
[[nodiscard]] std::string openapi_with(
    std::string_view document, std::span<const OperatorRoute> routes);

} // namespace pointhouse::gateway
