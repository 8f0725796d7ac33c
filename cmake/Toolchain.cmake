# Warnings, ccache, a fast linker: what every target shares.
find_program(GPUVET_CCACHE ccache)
if(GPUVET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers hide what a file includes; these let ccache serve such files all the same.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_ctime,include_file_mtime
                                  ${GPUVET_CCACHE})
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
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
