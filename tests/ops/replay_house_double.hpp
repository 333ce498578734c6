#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "replay.hpp"

namespace pointhouse::ops {

/// A message as the double took it.
struct TakenMessage {
    std::string partner; // from the certificate
    std::string target;
    std::string message_id;
    std::string member;
    std::string occurred_at;
};

/// A house for tests of its clients: real mutual TLS 1.3 on a free port of 127.0.0.1, and behind it
/// balances and first answers in memory, no rules. It can be told to misbehave. Thread-safe.
class HouseDouble {
public:
    /// What to do with a request, by its number (from 1).
    enum class Mood : std::uint8_t {
        answer,
        drop_before,  // close without booking
        drop_after,   // book, then close without an answer
        overloaded,   // 503, nothing booked
        limited,      // 429, nothing booked
        last_answer,  // answer, with Connection: close
        byte_by_byte, // answer, slowly
        refuse,       // 422
        silent,       // book, and never answer on this connection
    };
    using Moods = std::function<Mood(std::uint64_t)>;

    HouseDouble(const std::vector<std::string>& partners, Moods moods);
    ~HouseDouble();
    HouseDouble(const HouseDouble&) = delete;
    HouseDouble& operator=(const HouseDouble&) = delete;

    [[nodiscard]] ServedHouse served() const;
    /// What was booked, in order, each once.
    [[nodiscard]] std::vector<TakenMessage> taken() const;
    [[nodiscard]] std::uint64_t requests() const;
    [[nodiscard]] std::uint64_t connections() const;

private:
    struct Server;
    std::unique_ptr<Server> server_;
};

} // namespace pointhouse::ops
