# What most sources include from outside the project is compiled once for a target, not once for each source. Only the
# release presets do it; under the others each source proves that it includes what it uses.
set(POINTHOUSE_STANDARD_HEADERS
  <algorithm> <array> <chrono> <cstdint> <expected> <fstream> <functional> <map> <memory> <optional> <set>
  <span> <sstream> <string> <string_view> <vector> <fmt/format.h>)

# precompile_headers(TARGET [HEADER...])     the standard ones and those named
function(precompile_headers target)
  target_precompile_headers(${target} PRIVATE ${POINTHOUSE_STANDARD_HEADERS} ${ARGN})
  # Without the time of their making in them ccache knows them again.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
endfunction()
