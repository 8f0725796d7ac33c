# gpuvet_room(NAME DEPENDS rooms… LIBRARIES targets…): src/NAME/*.cpp as one static library that
# other rooms include as "NAME/x.hpp". The headers are compiled on their own in the tests' build
# (all_verify_interface_header_sets), so that each can be included first.
function(gpuvet_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.hpp)
  add_library(gpuvet_${name} STATIC ${sources})
  target_sources(gpuvet_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src
                                       FILES ${headers})
  list(TRANSFORM ROOM_DEPENDS PREPEND gpuvet_)
  target_link_libraries(gpuvet_${name} PUBLIC ${ROOM_DEPENDS} ${ROOM_LIBRARIES}
                                       PRIVATE gpuvet_warnings)
  # Core compiles the standard headers and fmt's once for all rooms. Files still include what they use: lint.self_contained_headers checks it.
  if(name STREQUAL core)
    target_precompile_headers(gpuvet_core PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.hpp)
  else()
    target_precompile_headers(gpuvet_${name} REUSE_FROM gpuvet_core)
  endif()
endfunction()

# gpuvet_embed(ROOM DIR): the .toml files of DIR as string literals in ROOM, for texts that are read
# only when somebody asks for one.
function(gpuvet_embed room dir)
  file(GLOB files CONFIGURE_DEPENDS ${dir}/*.toml)
  set(output ${CMAKE_BINARY_DIR}/generated/${room}_data.cpp)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DROOT=${dir} -DOUTPUT=${output} -P ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    COMMENT "Embedding ${dir}"
    VERBATIM)
  target_sources(gpuvet_${room} PRIVATE ${output})
endfunction()
