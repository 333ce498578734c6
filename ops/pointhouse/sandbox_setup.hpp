#pragma once

#include <memory>

#include "command_line.hpp"
#include "replay.hpp"

namespace pointhouse::ops {

/// `replay --data DIR --setup`: makes the sandbox house in DIR ready for a file's partners and
/// serves it, in this process, for as long as the replay lasts.
class SandboxSetup final : public HouseSetup {
public:
    explicit SandboxSetup(std::filesystem::path data);
    ~SandboxSetup() override;
    SandboxSetup(const SandboxSetup&) = delete;
    SandboxSetup& operator=(const SandboxSetup&) = delete;

    ServedHouse start(
        std::span<const std::string> partners,
        const std::string& currency,
        ledger::Time first) override;
    void stop() override;

private:
    struct State;
    std::filesystem::path data_;
    std::unique_ptr<State> state_;
};

/// Registers a partner that the house does not know with the standard tariff, and issues a
/// certificate when it has no valid one. The house's thread.
void ensure_standard_partner(
    gateway::House& house, const std::string& id, const std::string& display_name);

} // namespace pointhouse::ops
