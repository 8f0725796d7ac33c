# The program as its users run it. Each file is one test; python3 drives it.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
file(GLOB cli_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.py)
foreach(file IN LISTS cli_tests)
  get_filename_component(name ${file} NAME_WE)
  string(REPLACE test_ "" name ${name})
  add_test(NAME cli.${name} COMMAND ${Python3_EXECUTABLE} ${file})
  set_tests_properties(cli.${name} PROPERTIES LABELS cli SKIP_RETURN_CODE 77
    ENVIRONMENT "GPUVET=$<TARGET_FILE:gpuvet_cli>;GPUVET_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
endforeach()
