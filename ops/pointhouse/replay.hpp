#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "ledger/time.hpp"

namespace pointhouse::ops {

/// Where a house serves, and the folder that holds ca.pem and <partner>/{cert,key}.pem.
struct ServedHouse {
    std::string url;
    std::filesystem::path certificates;
};

/// What `replay --data DIR --setup` needs of the house in DIR. Called on the caller's thread;
/// throws std::exception with words for the person at the terminal.
class HouseSetup {
public:
    virtual ~HouseSetup() = default;
    /// Registers the partners that the house does not know with the standard tariff (an empty house
    /// takes `currency`, and its clock starts at `first`, because an enrolment has no time of its
    /// own), issues the certificates that are missing, and serves on a free port of 127.0.0.1 with
    /// the message clock.
    virtual ServedHouse start(
        std::span<const std::string> partners, const std::string& currency, ledger::Time first) = 0;
    /// Stops what `start` started, cleanly.
    virtual void stop() = 0;
};

struct ReplayOptions {
    std::filesystem::path file; // CSV as in CONTRACT.md, "Files"; may be gzipped
    std::string url;            // of a serving house; empty with `setup`
    std::filesystem::path certificates;
    HouseSetup* setup = nullptr;
    std::optional<std::int64_t> redeem_at; // rule R(T)
    bool json = false;                     // the summary as JSON on standard output
};

/// Sends the rows of a file as real messages: the purchase rows of a basket at a partner become one
/// accrual, its return rows one clawback, its redemption rows one redemption by value; offers are
/// counted and skipped. Under rule R(T) returns and redemptions are skipped, too. A member whose
/// first message is not an accrual is enrolled first.
///
/// Messages go in order per member, month by month. Progress goes to standard error, the summary to
/// standard output. Safe to run again after an interruption: what was booked is answered again and
/// counted as such. Returns the exit code: 0 when every message was booked, 1 when one was refused
/// or the house could not be reached. Throws std::runtime_error for a file that is not in the form
/// (naming the line), or certificates that cannot be read.
int run_replay(const ReplayOptions& options);

} // namespace pointhouse::ops
