#pragma once

#include <expected>
#include <string>

namespace pointhouse::settlement {

/// Why an act of settlement is refused, in words for the person who gave the command.
struct RegisterFault {
    std::string reason;
};

template <class T>
using Registered = std::expected<T, RegisterFault>;

/// What an accepted act appends to the house's record.
struct NewEntry {
    std::string kind;
    std::string content; // JSON
};

} // namespace pointhouse::settlement
