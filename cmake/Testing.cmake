# SPDX-License-Identifier: GPL-2.0-or-later
# One way to define a test, so that names, data, time limits and skips are the same everywhere.
#
# A test runs in the source root and finds its data below DYETRACE_TEST_DATA_DIR (tests/data). A skip is never silent:
# GTEST_SKIP(), or exit status 77 of a program or script, is shown as "Skipped" in ctest's closing lines.

include(GoogleTest)

# Tests of a sanitized build carry its name, so that both can stand in one ctest run.
set(DYETRACE_TEST_PREFIX "" CACHE STRING "Put before the name of each test, e.g. asan/")
set(DYETRACE_TEST_TIMEOUT_S 300)

# What takes longest to compile of most tests is GoogleTest's headers: they are read once, and by all with the same flags. Sanitized,
# a test is compiled in two thirds of the time without optimization; what is under test keeps its own.
function(dyetrace_test_flags target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1> -fPIC)  # -fPIC: as Qt wants it of its users
  if(DYETRACE_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
  dyetrace_precompiled(${target})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow)  # false alarms about std::string
  endif()
endfunction()
file(WRITE ${CMAKE_BINARY_DIR}/tests/headers.cpp "")
add_library(dyetrace_test_headers OBJECT ${CMAKE_BINARY_DIR}/tests/headers.cpp)
target_compile_features(dyetrace_test_headers PRIVATE cxx_std_20)
set_target_properties(dyetrace_test_headers PROPERTIES CXX_EXTENSIONS OFF)
target_link_libraries(dyetrace_test_headers PRIVATE GTest::gmock GTest::gtest dyetrace_warnings)
dyetrace_test_flags(dyetrace_test_headers)
target_precompile_headers(dyetrace_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>)

function(dyetrace_test_target target)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  dyetrace_add_program(${target} SOURCES ${ARG_SOURCES} LIBRARIES ${ARG_LIBRARIES})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/bin)
  target_compile_definitions(${target} PRIVATE
    DYETRACE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    DYETRACE_TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data"
    DYETRACE_PROGRAM_DIR="${CMAKE_BINARY_DIR}/bin")
endfunction()

# dyetrace_add_test(NAME <target> SOURCES <file>... [LIBRARIES <library>...] [LABEL <label>] [TIMEOUT <seconds>] [SERIAL])
# A GoogleTest program; each of its cases is a test of ctest. Its main() is GoogleMock's. Sanitized, the whole program is one test: most
# cases take less time than such a process takes to start. The plain build shows that each can run by itself, and says what is skipped.
# LABEL: the default is the first folder below tests/. SERIAL: its cases never run beside another test.
function(dyetrace_add_test)
  cmake_parse_arguments(ARG "SERIAL" "NAME;LABEL;TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
  dyetrace_test_target(${ARG_NAME} SOURCES ${ARG_SOURCES} LIBRARIES ${ARG_LIBRARIES} GTest::gmock_main GTest::gmock GTest::gtest)
  dyetrace_test_flags(${ARG_NAME})
  target_precompile_headers(${ARG_NAME} REUSE_FROM dyetrace_test_headers)
  if(DYETRACE_SANITIZE)
    dyetrace_register_test(${ARG_NAME} "${ARG_LABEL}" "${ARG_TIMEOUT}" "${ARG_SERIAL}" "" ${ARG_NAME} --gtest_brief=1)
  else()
    dyetrace_test_properties(properties "${ARG_LABEL}" "${ARG_TIMEOUT}" "${ARG_SERIAL}")
    gtest_discover_tests(${ARG_NAME} TEST_PREFIX "${DYETRACE_TEST_PREFIX}" WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
      DISCOVERY_TIMEOUT 120 PROPERTIES ${properties})
  endif()
endfunction()

# dyetrace_add_program_test(NAME <target> SOURCES <file>... [LIBRARIES ...] [ENVIRONMENT <NAME=value>...] [LABEL <label>] [TIMEOUT ...] [SERIAL])
# A test program with a main() of its own (Qt Test, a TestSuite of ns-3); it is one test of ctest.
function(dyetrace_add_program_test)
  cmake_parse_arguments(ARG "SERIAL" "NAME;LABEL;TIMEOUT" "SOURCES;LIBRARIES;ENVIRONMENT" ${ARGN})
  dyetrace_test_target(${ARG_NAME} SOURCES ${ARG_SOURCES} LIBRARIES ${ARG_LIBRARIES})
  dyetrace_test_flags(${ARG_NAME})
  dyetrace_register_test(${ARG_NAME} "${ARG_LABEL}" "${ARG_TIMEOUT}" "${ARG_SERIAL}" "${ARG_ENVIRONMENT}" ${ARG_NAME})
endfunction()

# dyetrace_add_script_test(NAME <name> COMMAND <command>... [ENVIRONMENT ...] [LABEL <label>] [TIMEOUT ...] [SERIAL])
# A command that succeeds or fails. COMMAND may name a target and use generator expressions.
function(dyetrace_add_script_test)
  cmake_parse_arguments(ARG "SERIAL" "NAME;LABEL;TIMEOUT" "COMMAND;ENVIRONMENT" ${ARGN})
  dyetrace_register_test(${ARG_NAME} "${ARG_LABEL}" "${ARG_TIMEOUT}" "${ARG_SERIAL}" "${ARG_ENVIRONMENT}" ${ARG_COMMAND})
endfunction()

function(dyetrace_register_test name label timeout serial environment)
  add_test(NAME ${DYETRACE_TEST_PREFIX}${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  dyetrace_test_properties(properties "${label}" "${timeout}" "${serial}")
  set_tests_properties(${DYETRACE_TEST_PREFIX}${name} PROPERTIES ${properties} SKIP_RETURN_CODE 77 ENVIRONMENT "${environment}")
endfunction()

# dyetrace_require_tests(<folder below tests/>): an error unless a test was defined there or further below.
function(dyetrace_require_tests folder)
  get_property(tested GLOBAL PROPERTY DYETRACE_TESTED_FOLDERS)
  list(FILTER tested INCLUDE REGEX "^${folder}(/|$)")
  if(NOT tested)
    message(FATAL_ERROR "dyetrace: ${folder} has no tests: tests/${folder}/CMakeLists.txt defines none")
  endif()
endfunction()

# Sets <out> to the properties that every test has, as a list of names and values.
function(dyetrace_test_properties out label timeout serial)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
  set_property(GLOBAL APPEND PROPERTY DYETRACE_TESTED_FOLDERS ${folder})
  if(NOT label)
    file(RELATIVE_PATH label ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
    string(REGEX REPLACE "/.*" "" label "${label}")
  endif()
  if(NOT timeout)
    set(timeout ${DYETRACE_TEST_TIMEOUT_S})
  endif()
  if(NOT serial)
    set(serial OFF)
  endif()
  set(${out} LABELS ${label} TIMEOUT ${timeout} RUN_SERIAL ${serial} PARENT_SCOPE)
endfunction()
