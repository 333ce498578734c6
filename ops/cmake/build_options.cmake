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
