# gpuvet_catalogue_data: data/ parsed and packed while building, so that one binary is the whole
# program and starts without reading TOML.
add_executable(gpuvet_pack_catalogue ${CMAKE_SOURCE_DIR}/tools/pack_catalogue.cpp)
target_link_libraries(gpuvet_pack_catalogue PRIVATE gpuvet_catalogue gpuvet_warnings)

file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/data/*.toml)
set(output ${CMAKE_BINARY_DIR}/generated/catalogue_data.cpp)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
add_custom_command(
  OUTPUT ${output}
  COMMAND gpuvet_pack_catalogue ${CMAKE_SOURCE_DIR}/data ${output}
  DEPENDS gpuvet_pack_catalogue ${files}
  COMMENT "Packing data/"
  VERBATIM)
add_library(gpuvet_catalogue_data STATIC ${output})
target_link_libraries(gpuvet_catalogue_data PUBLIC gpuvet_catalogue)
