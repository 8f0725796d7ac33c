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
set_source_files_properties(${host}/matrix_plain.cpp ${host}/numbers.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS -O3)
set_source_files_properties(${host}/matrix_avx2.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                            COMPILE_OPTIONS "-O3;-mavx2;-mfma;-ffp-contract=fast")
set_source_files_properties(${host}/matrix_avx512.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                            COMPILE_OPTIONS "-O3;-mavx512f;-mfma;-mprefer-vector-width=512;-ffp-contract=fast")
