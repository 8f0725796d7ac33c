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
# Optimised, g++ 12 takes std::string's own buffer for uninitialised or too small (GCC bugs 105329,
# 105651, 105562).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13 AND NOT CMAKE_BUILD_TYPE STREQUAL Debug)
  target_compile_options(gpuvet_warnings INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(GPUVET_WERROR)
  target_compile_options(gpuvet_warnings INTERFACE -Werror)
endif()
