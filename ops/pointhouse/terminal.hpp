#pragma once

#include "gateway/command.hpp"

namespace pointhouse::ops {

/// The person at the keyboard: results on standard output, progress on standard error, and that
/// only when it is a terminal.
class Terminal final : public gateway::Console {
public:
    Terminal();
    ~Terminal() override;
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void progress(std::string_view line) override;
    void print(std::string_view text) override;
    /// Writes what is left to say; returns the exit code.
    int finish(const gateway::CommandResult& result);

private:
    void wipe_progress();

    bool shows_progress_;
    bool has_progress_ = false;
};

} // namespace pointhouse::ops
