# SPDX-License-Identifier: GPL-2.0-or-later
# One way to define a room's library, so that standard, warnings and include root are the same everywhere.

# Inside an ns-3 source tree PROJECT_SOURCE_DIR is ns-3's.
get_filename_component(DYETRACE_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

# ccache where there is one; nothing depends on it. An ns-3 tree puts it before the compiler by itself.
if(NOT CMAKE_CXX_COMPILER_LAUNCHER AND NOT COMMAND build_lib)
  find_program(DYETRACE_CCACHE ccache)
  mark_as_advanced(DYETRACE_CCACHE)
  if(DYETRACE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${DYETRACE_CCACHE})
  endif()
endif()

add_library(dyetrace_warnings INTERFACE)
target_compile_options(dyetrace_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # A false alarm about `"a" + std::string` (GCC bug 105651).
  target_compile_options(dyetrace_warnings INTERFACE -Wno-restrict)
endif()

set(DYETRACE_SANITIZE "" CACHE STRING "Sanitizers for everything, e.g. address,undefined")
set(DYETRACE_SANITIZE_NOT "" CACHE STRING "Checks of these that are left out, e.g. null,alignment")
if(DYETRACE_SANITIZE)
  add_compile_options(-fsanitize=${DYETRACE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(DYETRACE_SANITIZE_NOT)
    add_compile_options(-fno-sanitize=${DYETRACE_SANITIZE_NOT})
  endif()
  add_link_options(-fsanitize=${DYETRACE_SANITIZE})
endif()

# What a target whose headers are precompiled needs besides: or ccache cannot tell what was read.
function(dyetrace_precompiled target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()

# dyetrace_add_library(<target> SOURCES <file>... [PUBLIC <library>...] [PRIVATE <library>...])
function(dyetrace_add_library target)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${target} STATIC ${ARG_SOURCES})
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON DISABLE_PRECOMPILE_HEADERS ON)
  target_include_directories(${target} PUBLIC ${DYETRACE_ROOT})
  # Nobody replaces a function of these at run time; compilers that fear so do not inline what is position independent.
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} dyetrace_warnings)
endfunction()

# dyetrace_add_program(<name> SOURCES <file>... LIBRARIES <library>...)
function(dyetrace_add_program target)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${target} ${ARG_SOURCES})
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_include_directories(${target} PRIVATE ${DYETRACE_ROOT})
  target_link_libraries(${target} PRIVATE ${ARG_LIBRARIES} dyetrace_warnings)
endfunction()
