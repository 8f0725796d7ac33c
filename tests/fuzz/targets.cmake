# The fuzz targets, shared by the libFuzzer build (CMakeLists.txt) and the replay of the corpus in the
# ordinary tests (replay.cmake). One program serves all importers: GPUVET_FUZZ_KIND names the one it
# feeds. Every importer that src/ingest/all.cpp lists gets a run of its own.
set(gpuvet_fuzz_dir ${CMAKE_CURRENT_LIST_DIR})
set(importer_list ${CMAKE_SOURCE_DIR}/src/ingest/all.cpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${importer_list})
file(STRINGS ${importer_list} gpuvet_importers REGEX "^Importer [a-z0-9_]+\\(\\);")
list(TRANSFORM gpuvet_importers REPLACE "^Importer ([a-z0-9_]+)\\(\\);.*" "\\1")

# gpuvet_fuzz_program(NAME TARGET what to link with…): fuzz_<TARGET>.cpp as a program.
function(gpuvet_fuzz_program name target)
  add_executable(${name} ${gpuvet_fuzz_dir}/fuzz_${target}.cpp)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE gpuvet_ingest gpuvet_catalogue gpuvet_warnings ${ARGN})
endfunction()
