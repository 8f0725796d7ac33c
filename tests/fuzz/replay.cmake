# ctest -L fuzz_replay: what fuzzing found, or could have, goes through the same targets in every build.
include(${CMAKE_CURRENT_LIST_DIR}/targets.cmake)

add_library(gpuvet_fuzz_replay OBJECT ${gpuvet_fuzz_dir}/replay_main.cpp)
target_link_libraries(gpuvet_fuzz_replay PRIVATE gpuvet_warnings)
foreach(kind IN LISTS gpuvet_importers ITEMS bundle condition)
  gpuvet_fuzz_program(fuzz_replay_${kind} ${kind} gpuvet_fuzz_replay)
  add_test(NAME fuzz_replay.${kind} COMMAND fuzz_replay_${kind} ${gpuvet_fuzz_dir}/corpus/${kind})
  set_tests_properties(fuzz_replay.${kind} PROPERTIES LABELS fuzz_replay)
endforeach()
