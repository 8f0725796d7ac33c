# Tests of the CUDA backend's own parts, where it is built.
if(TARGET gpuvet_cuda_kernels)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_test.cpp)
  target_sources(gpuvet_device_tests PRIVATE ${sources})
  get_property(blackwell GLOBAL PROPERTY GPUVET_CUDA_BLACKWELL)
  set(objects $<TARGET_OBJECTS:gpuvet_cuda_kernels> $<TARGET_OBJECTS:gpuvet_cuda_matrix_kernels>)
  target_compile_definitions(gpuvet_device_tests PRIVATE GPUVET_CUDA_OBJECTS="$<JOIN:${objects},$<COMMA>>"
                                                         GPUVET_CUDA_BLACKWELL=${blackwell})
endif()
