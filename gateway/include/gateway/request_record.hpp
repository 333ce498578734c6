#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/house_record.hpp"

namespace pointhouse::gateway {

/// What the house's record knows of an operator's request that may be sent again.
struct RequestOutcome {
    std::string digest{}; // of what it asked for
    /// The proposal that it made, or that waited for the same already; none: there was none.
    ledger::HouseSequence prepared{};
    /// It asked for permission: the act itself comes when the request is sent again.
    bool is_permission = false;
    ledger::HouseSequence approved{}; // the proposal that it put in force
    bool is_answered = false;
    /// The first answer. None of a request that was answered: it is made again, the same.
    std::optional<std::string> answer{};
};

/// The requests of operators by message id, over the whole house: a fold over the entries that came
/// of them, which say so (`request`), and over their answers (`request_answered`). One thread.
class RequestRecord {
public:
    /// Takes one entry; what came of no request is passed over. Throws std::exception when an entry
    /// cannot be read.
    void apply(const ledger::HouseEntry& entry);

    /// Null: no request has this id, or nothing came of it.
    [[nodiscard]] const RequestOutcome* find(std::string_view message_id) const;

private:
    std::map<std::string, RequestOutcome, std::less<>> outcomes_;
};

} // namespace pointhouse::gateway
