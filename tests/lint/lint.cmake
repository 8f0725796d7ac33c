# ctest -L lint: what holds for the sources themselves. clang-tidy takes minutes, so it runs only in
# scripts/lint (ctest -C slow -L slow).
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(gpuvet_lint name)
  add_test(NAME lint.${name} COMMAND ${ARGN})
  set_tests_properties(lint.${name} PROPERTIES LABELS lint SKIP_RETURN_CODE 77)
endfunction()

set(lint ${CMAKE_SOURCE_DIR}/tests/lint)
set(layers ${CMAKE_SOURCE_DIR}/tools/check_layers.py)
gpuvet_lint(layers ${Python3_EXECUTABLE} ${layers} ${CMAKE_SOURCE_DIR})
gpuvet_lint(layers_checker ${Python3_EXECUTABLE} ${layers} --test)
gpuvet_lint(size ${Python3_EXECUTABLE} ${lint}/files.py size ${CMAKE_SOURCE_DIR})
gpuvet_lint(words ${Python3_EXECUTABLE} ${lint}/files.py words ${CMAKE_SOURCE_DIR})
gpuvet_lint(format sh ${lint}/format.sh ${CMAKE_SOURCE_DIR})
gpuvet_lint(shell sh ${lint}/shell.sh ${CMAKE_SOURCE_DIR} $<TARGET_FILE:gpuvet_cli>)
gpuvet_lint(self_contained_headers
  ${Python3_EXECUTABLE} ${lint}/compiling.py headers ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})

gpuvet_lint(gpu_check_table ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/gpu_check_table.py --test)

add_test(NAME lint.tidy CONFIGURATIONS slow
  COMMAND ${Python3_EXECUTABLE} ${lint}/compiling.py tidy ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
set_tests_properties(lint.tidy PROPERTIES LABELS slow SKIP_RETURN_CODE 77 TIMEOUT 3600)
