#pragma once

#include <cstdio>
#include <cstdlib>

#include <boost/assert/source_location.hpp>

namespace pointhouse::ledger {

/// Stops the process when one of our own promises is broken. On in every build
/// type: a wrong ledger is worse than a stopped one. Never call it on input.
inline void invariant(
    bool holds, const char* promise, boost::source_location where = BOOST_CURRENT_LOCATION)
{
    if (holds) [[likely]]
        return;
    std::fprintf(stderr, "%s:%u: broken invariant: %s\n", where.file_name(), where.line(), promise);
    std::abort();
}

} // namespace pointhouse::ledger
