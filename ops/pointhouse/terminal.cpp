#include "terminal.hpp"

#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace pointhouse::ops {

Terminal::Terminal() : shows_progress_{::isatty(STDERR_FILENO) == 1} {}

Terminal::~Terminal()
{
    wipe_progress();
}

void Terminal::progress(std::string_view line)
{
    if (!shows_progress_) return;
    std::cerr << "\r\x1b[K" << line << std::flush;
    has_progress_ = true;
}

void Terminal::print(std::string_view text)
{
    wipe_progress();
    std::cout << text << std::flush;
    if (!std::cout) throw gateway::Interrupted{"nobody reads the output"};
}

int Terminal::finish(const gateway::CommandResult& result)
{
    print(result.output);
    std::cerr << result.complaint << std::flush;
    return result.exit_code;
}

void Terminal::wipe_progress()
{
    if (has_progress_) std::cerr << "\r\x1b[K" << std::flush;
    has_progress_ = false;
}

} // namespace pointhouse::ops
