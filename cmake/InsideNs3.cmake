# SPDX-License-Identifier: GPL-2.0-or-later
# dyetrace as ns-3's own module `dyetrace`, from contrib/dyetrace of a source tree with CMake (ns-3.36 and later): clone, link or copy
# the whole repository there, and ./ns3 configure finds it. The engine is a static C++20 library inside the module's shared one, so
# that programs that use the module stay with ns-3's language. What was tried, and how, is in docs/ns3.md.
#
# DYETRACE_NS3_MODULES, the modules of ns-3 that ours needs, comes from the CMakeLists.txt above, and so does DYETRACE_NS3_MPI.

include(${CMAKE_CURRENT_LIST_DIR}/Library.cmake)
# ns-3 may turn warnings into errors, and its compilers are not only ours.
set_target_properties(dyetrace_warnings PROPERTIES INTERFACE_COMPILE_OPTIONS "")

# What is missing leaves the module out, in words; ns-3 builds all the same.
function(dyetrace_missing out)
  set(missing "")
  if(NOT cxx_std_20 IN_LIST CMAKE_CXX_COMPILE_FEATURES)
    list(APPEND missing "a compiler with C++20 (this is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION})")
  endif()
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(SODIUM QUIET IMPORTED_TARGET GLOBAL libsodium)
  endif()
  if(NOT TARGET PkgConfig::SODIUM)
    list(APPEND missing "libsodium with its pkg-config file (Debian: libsodium-dev pkg-config)")
  endif()
  find_package(Boost 1.74 QUIET)
  if(NOT Boost_FOUND)
    list(APPEND missing "Boost's headers, 1.74 or later (Debian: libboost-dev libboost-graph-dev)")
  endif()
  foreach(module ${DYETRACE_NS3_MODULES})
    string(REGEX REPLACE "^lib" "" name ${module})
    if(NOT name IN_LIST ns3-all-enabled-modules)
      list(APPEND missing "ns-3's module ${name}, which this configuration leaves out")
    endif()
  endforeach()
  if(NS3_STATIC OR NS3_MONOLIB)
    # Both put the modules' objects into one library, and know nothing of an engine below one of them.
    list(APPEND missing "a build with a shared library for each module (not NS3_STATIC or NS3_MONOLIB)")
  endif()
  set(${out} "${missing}" PARENT_SCOPE)
endfunction()
dyetrace_missing(missing)
if(missing)
  list(JOIN missing "; " missing)
  message(STATUS "dyetrace: left out, since it needs ${missing}")
  return()
endif()
add_subdirectory(core)

file(GLOB sources RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ns3-module/model/*.cc ns3-module/helper/*.cc)
file(GLOB tests RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ns3-module/test/*.cc)
file(GLOB examples RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ns3-module/examples/*.cc)
file(GLOB all_headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ns3-module/model/*.h ns3-module/helper/*.h)

# A public header shows nothing of core, itself or by what it includes; all others are the module's own.
set(shows_core "core/")
set(headers "")
while(NOT headers STREQUAL all_headers)
  if(headers)
    set(all_headers ${headers})
  endif()
  set(headers "")
  foreach(header ${all_headers})
    file(STRINGS ${header} shown REGEX "#include [<\"](ns3/)?(${shows_core})")
    if(shown)
      get_filename_component(name ${header} NAME)
      string(APPEND shows_core "|${name}")
    else()
      list(APPEND headers ${header})
    endif()
  endforeach()
endwhile()

# More than one rank only where ns-3 has its engine for that (NS3_MPI, ./ns3 configure --enable-mpi). Its target comes after ours.
set(mpi "")
if(ENABLE_MPI AND mpi IN_LIST ns3-all-enabled-modules)
  set(mpi ${DYETRACE_NS3_MPI})
endif()

# The module's sources use the engine's headers, so they are C++20 at least; its public headers need no more than C++17, and examples,
# which are a user's programs, stay with ns-3's language. ns-3's precompiled headers are in that and cannot be used here.
set(ns3_standard ${CMAKE_CXX_STANDARD})
if(CMAKE_CXX_STANDARD LESS 20)
  set(CMAKE_CXX_STANDARD 20)
endif()
build_lib(
  LIBNAME dyetrace
  SOURCE_FILES ${sources}
  HEADER_FILES ${headers}
  LIBRARIES_TO_LINK ${DYETRACE_NS3_MODULES} ${mpi}
  TEST_SOURCES ${tests}
  IGNORE_PCH)

# After build_lib, which would hand everything on to the module's users: the engine is nobody else's business. The module's targets are
# libdyetrace and libdyetrace-test up to ns-3.42, dyetrace and dyetrace-test from then on.
foreach(target libdyetrace dyetrace libdyetrace-obj libdyetrace-test dyetrace-test)
  if(TARGET ${target})
    target_include_directories(${target} PRIVATE ${DYETRACE_ROOT})
    set_target_properties(${target} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
    if(mpi)
      target_compile_definitions(${target} PRIVATE DYETRACE_HAVE_MPI)
    endif()
  endif()
endforeach()
foreach(target libdyetrace dyetrace)
  if(TARGET ${target})
    target_link_libraries(${target} PRIVATE dyetrace_eppc dyetrace_health)
  endif()
endforeach()
# Tests look at what is inside packets, also by functions that the module has no use for. Without PRIVATE, as build_lib links them. They
# compare sizes with plain numbers, inside templates of ns-3's test.h, where a compiler takes the numbers for ints.
foreach(target libdyetrace-test dyetrace-test)
  if(TARGET ${target})
    target_link_libraries(${target} dyetrace_eppc dyetrace_health)
    target_compile_options(${target} PRIVATE -Wno-sign-compare)
  endif()
endforeach()

if(ENABLE_EXAMPLES)
  set(CMAKE_CXX_STANDARD ${ns3_standard})
  set(BLIB_LIBNAME dyetrace)  # what build_lib_example links the example with
  foreach(example ${examples})
    get_filename_component(name ${example} NAME_WE)
    # Some need modules that ours does not, and name them in their second line.
    file(STRINGS ${example} needed REGEX "^// ns-3 modules: ")
    string(REPLACE "// ns-3 modules: " "" needed "${needed}")
    string(REPLACE " " ";" needed "${needed}")
    set(libraries ${DYETRACE_NS3_MODULES})
    set(missing "")
    foreach(module ${needed})
      if(module IN_LIST ns3-all-enabled-modules)
        list(APPEND libraries ${lib${module}})
      else()
        list(APPEND missing ${module})
      endif()
    endforeach()
    if(missing)
      message(STATUS "dyetrace: without the example ${name}, which needs ns-3's modules ${missing} enabled too")
    else()
      build_lib_example(NAME ${name} SOURCE_FILES ${example} LIBRARIES_TO_LINK ${libraries})
    endif()
  endforeach()
endif()
