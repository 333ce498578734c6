#pragma once

#include "gateway/operator_route.hpp"

namespace pointhouse::ops {

/// The commands that operators may give over the wire: `pointhouse settle draft 2026-06` is `POST
/// /v1/operator/settle/draft` with `{"window":"2026-06"}`. A route is the command itself, with
/// typed parameters in the place of a typed line; who acts is the operator of the certificate, so
/// that two people are two certificates, and there is no --as-both.
[[nodiscard]] gateway::OperatorRoutes operator_routes();

} // namespace pointhouse::ops
