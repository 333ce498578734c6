# Flags for our own targets only; dependencies keep theirs.
set(POINTHOUSE_SANITIZE "" CACHE STRING "e.g. address,undefined or thread")

add_library(pointhouse_build_options INTERFACE)
target_compile_options(pointhouse_build_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wswitch-enum -Werror)
if(POINTHOUSE_SANITIZE)
  # GCC warns (-Wtsan) about fences inside Asio that it cannot instrument.
  target_compile_options(pointhouse_build_options INTERFACE
    -fsanitize=${POINTHOUSE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(pointhouse_build_options INTERFACE -fsanitize=${POINTHOUSE_SANITIZE})
endif()

# The hot path crosses many small sources. In a release build by Clang their objects hold both machine code, which the
# tests link fast, and what the linker needs to optimize the executable as a whole.
set(POINTHOUSE_RELEASE_BY_CLANG "$<AND:$<CXX_COMPILER_ID:Clang>,$<CONFIG:RelWithDebInfo>>")
function(optimize_across_sources target)
  target_compile_options(${target} PRIVATE "$<${POINTHOUSE_RELEASE_BY_CLANG}:-O3;-flto=thin;-ffat-lto-objects>")
endfunction()
function(link_across_sources target)
  target_link_options(${target} PRIVATE "$<${POINTHOUSE_RELEASE_BY_CLANG}:-fuse-ld=lld-19;-Wl,--fat-lto-objects>")
endfunction()
