# The backends of src/device. Each is a folder; which are built depends on what the machine has, and
# what is left out has a stand-in that says so (src/device/without).
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/device/host/*.cpp ${CMAKE_SOURCE_DIR}/src/device/sim/*.cpp)
file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/device/host/*.hpp ${CMAKE_SOURCE_DIR}/src/device/sim/*.hpp)
target_sources(gpuvet_device PRIVATE ${sources})
target_sources(gpuvet_device PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${headers})
include(Cuda)
gpuvet_find_cuda(cuda)
if(cuda)
  gpuvet_add_cuda()
else()
  target_sources(gpuvet_device PRIVATE ${CMAKE_SOURCE_DIR}/src/device/without/cuda.cpp)
endif()
find_package(Threads REQUIRED)
target_link_libraries(gpuvet_device PUBLIC Threads::Threads)

# Inner loops of matrix products: vectorised, and each file for one kind of vector unit; which of them
# runs is decided on the machine. The common precompiled header was not compiled for these flags.
set(host ${CMAKE_SOURCE_DIR}/src/device/host)
set_source_files_properties(${host}/matrix_plain.cpp ${host}/numbers.cpp ${host}/speed.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS -O3)
set_source_files_properties(${host}/matrix_avx2.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                            COMPILE_OPTIONS "-O3;-mavx2;-mfma;-ffp-contract=fast")
set_source_files_properties(${host}/matrix_avx512.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                            COMPILE_OPTIONS "-O3;-mavx512f;-mfma;-mprefer-vector-width=512;-ffp-contract=fast")

# Vector kernels of the host: one source for each instruction set; the program chooses when it runs.
find_path(HIGHWAY_INCLUDE hwy/highway.h REQUIRED)
set(simd ${CMAKE_SOURCE_DIR}/src/device/host/simd)
function(gpuvet_simd name)
  add_library(gpuvet_simd_${name} OBJECT ${simd}/kernels.cpp)
  target_include_directories(gpuvet_simd_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(gpuvet_simd_${name} PRIVATE GPUVET_SIMD=${name})
  # Always optimised: without it, a debug build would time function calls.
  target_compile_options(gpuvet_simd_${name} PRIVATE -O3 ${ARGN})
  target_link_libraries(gpuvet_simd_${name} PRIVATE gpuvet_warnings)
  target_sources(gpuvet_device PRIVATE $<TARGET_OBJECTS:gpuvet_simd_${name}>)
endfunction()
gpuvet_simd(baseline)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  gpuvet_simd(avx2 -mavx2 -mfma -mbmi -mbmi2 -mf16c -maes -mpclmul -mprefer-vector-width=256)
  gpuvet_simd(avx512 -mavx2 -mfma -mbmi -mbmi2 -mf16c -maes -mpclmul -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd)
  target_sources(gpuvet_device PRIVATE ${simd}/choose_x86.cpp)
else()
  target_sources(gpuvet_device PRIVATE ${simd}/choose_baseline.cpp)
endif()

# MPI, opened at run time: the program itself starts without.
find_package(MPI COMPONENTS CXX QUIET)
if(MPI_CXX_FOUND)
  add_library(gpuvet_mpi MODULE ${CMAKE_SOURCE_DIR}/src/device/mpi/mpi.cpp)
  set_target_properties(gpuvet_mpi PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_include_directories(gpuvet_mpi PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_include_directories(gpuvet_mpi SYSTEM PRIVATE ${MPI_CXX_INCLUDE_DIRS})
  target_link_libraries(gpuvet_mpi PRIVATE ${MPI_CXX_LIBRARIES} tl::expected gpuvet_warnings)
  install(TARGETS gpuvet_mpi LIBRARY DESTINATION lib/gpuvet)
else()
  message(STATUS "MPI was not found: collectives run in one process")
endif()
