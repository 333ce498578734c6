#pragma once

#include <string>

#include "exchange.hpp"

namespace google::protobuf {
class Message;
}

namespace pointhouse::gateway {

/// Answers with what settlement writes as JSON, an object: in Protobuf as `form`, the message of
/// the same names (gateway/proto/pointhouse/v1/settlement.proto), else as it is. Does not finish
/// the exchange. Throws std::logic_error when the form lacks a field: that costs the answer, not
/// the house.
void answer_report(
    Exchange& exchange, int status, std::string json, google::protobuf::Message& form);

} // namespace pointhouse::gateway
