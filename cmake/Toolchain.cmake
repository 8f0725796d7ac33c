# Warnings, ccache, a fast linker: what every target shares.
find_program(GPUVET_CCACHE ccache)
if(GPUVET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${GPUVET_CCACHE})
endif()

find_program(GPUVET_LLD ld.lld)
if(GPUVET_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_library(gpuvet_warnings INTERFACE)
target_compile_options(gpuvet_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(GPUVET_WERROR)
  target_compile_options(gpuvet_warnings INTERFACE -Werror)
endif()
