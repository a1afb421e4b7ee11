# SPDX-License-Identifier: GPL-2.0-or-later
# dyetrace as ns-3's own module `dyetrace`, from contrib/dyetrace of a source tree with CMake (ns-3.36 and later): link or copy the
# whole repository there, and ./ns3 configure finds it. The engine is a static C++20 library inside the module's shared one, so that
# programs that use the module stay with ns-3's language.

include(${CMAKE_CURRENT_LIST_DIR}/Library.cmake)
# ns-3 may turn warnings into errors, and its compilers are not only ours.
set_target_properties(dyetrace_warnings PROPERTIES INTERFACE_COMPILE_OPTIONS "")

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(SODIUM QUIET IMPORTED_TARGET libsodium)
endif()
find_package(Boost 1.74 QUIET)
if(NOT TARGET PkgConfig::SODIUM OR NOT Boost_FOUND)
  message(STATUS "dyetrace: left out, since libsodium (libsodium-dev) or Boost (libboost-graph-dev) is not installed")
  return()
endif()

add_subdirectory(core)

file(GLOB sources RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ns3-module/model/*.cc ns3-module/helper/*.cc)
file(GLOB tests RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ns3-module/test/*.cc)
file(GLOB all_headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ns3-module/model/*.h ns3-module/helper/*.h)
# A public header shows nothing of core; one that does is the module's own.
foreach(header ${all_headers})
  file(STRINGS ${header} shown REGEX "#include \"core/")
  if(NOT shown)
    list(APPEND headers ${header})
  endif()
endforeach()

# The module's sources use the engine's headers, so they are C++20 at least; its public headers need no more than C++17. ns-3's
# precompiled headers are in its own language and cannot be used here.
if(CMAKE_CXX_STANDARD LESS 20)
  set(CMAKE_CXX_STANDARD 20)
endif()
build_lib(
  LIBNAME dyetrace
  SOURCE_FILES ${sources}
  HEADER_FILES ${headers}
  LIBRARIES_TO_LINK ${libcore} ${libnetwork}
  TEST_SOURCES ${tests}
  IGNORE_PCH)

# After build_lib, which would hand everything on to the module's users: the engine is nobody else's business. The module's target is
# libdyetrace up to ns-3.42, dyetrace from then on.
foreach(target libdyetrace dyetrace libdyetrace-obj libdyetrace-test)
  if(TARGET ${target})
    target_include_directories(${target} PRIVATE ${DYETRACE_ROOT})
    set_target_properties(${target} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
  endif()
endforeach()
foreach(target libdyetrace dyetrace)
  if(TARGET ${target})
    target_link_libraries(${target} PRIVATE dyetrace_eppc dyetrace_health)
  endif()
endforeach()
