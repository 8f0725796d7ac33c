# The program on a machine that is no container and no simulation: a guest that QEMU emulates, with
# tables, switches, adapter and management controller. About 15 s, minutes where the machine is busy, so
# it starts first.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
add_test(NAME guest COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_guest.py)
set_tests_properties(guest PROPERTIES LABELS guest SKIP_RETURN_CODE 77 TIMEOUT 900 COST 60
  ENVIRONMENT "GPUVET=$<TARGET_FILE:gpuvet_cli>;GPUVET_GUEST_CACHE=${CMAKE_BINARY_DIR}/guest")
