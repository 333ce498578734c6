#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/command.hpp"
#include "gateway/media_type.hpp"

namespace pointhouse::gateway {

/// What a parameter of a request may say.
enum class ParameterForm : std::uint8_t {
    text,       // up to 1000 bytes, no control characters
    message_id, // of a partner's message
    integer,    // 64 bits
    flag,       // true or false
    window,     // a month, 2026-06
    day,        // 2026-06-30
};

/// A named value of a request: of its JSON body, or of its query where it has no JSON body.
struct Parameter {
    std::string_view name{};
    ParameterForm form = ParameterForm::text;
    bool is_required = true;
    std::string_view description{};
};

/// Values by name, in the form that their parameter asks for: "12", "true", "2026-06".
using ParameterValues = std::map<std::string, std::string, std::less<>>;

/// A request that only operators may make and that the one who runs the house interprets. What is
/// read has GET; what acts has POST, a file or a JSON object as its body.
struct OperatorRoute {
    bool is_act = false;
    std::string_view path{};
    std::string_view summary{};
    std::vector<Parameter> parameters{};
    MediaType file = MediaType::none; // of the body; none: a JSON object has the parameters
    /// What the answer may be, by `Accept`; the first where it does not say.
    std::vector<MediaType> answers{MediaType::json};

    /// Sent again it is answered as the first time.
    [[nodiscard]] bool has_message_id() const
    {
        return std::ranges::any_of(parameters, [](const Parameter& each) {
            return each.form == ParameterForm::message_id;
        });
    }
};

/// One such request, understood.
struct OperatorRequest {
    std::size_t route = 0; // its place among the routes that the server was given
    std::string operator_name{};
    ParameterValues values{};
    std::string_view file{}; // the body, where the route takes one; there until it is answered
    MediaType answer = MediaType::json;
};

/// Runs the first step of an operator's request, on the house's thread. The result's output is the
/// body of the answer.
using OperatorInterpreter = std::function<CommandStep(House&, const OperatorRequest&)>;

/// What requests of operators mean to the one who runs the house. The routes must outlive it.
struct OperatorRoutes {
    std::span<const OperatorRoute> routes{};
    OperatorInterpreter interpret{};
};

} // namespace pointhouse::gateway
