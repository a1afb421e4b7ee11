# SPDX-License-Identifier: GPL-2.0-or-later
# Which rooms can be built here. Sets DYETRACE_HAVE_{STORE,NS3,GUI,HOST} and says what is left out and why.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
find_package(Boost 1.74 REQUIRED)

find_package(SQLiteCpp QUIET)
set(DYETRACE_HAVE_STORE ${SQLiteCpp_FOUND})

# dyetrace_room(<ROOM> <found> <what is missing>)
function(dyetrace_room room found missing)
  set(have OFF)
  if(DYETRACE_WITH_${room} STREQUAL "OFF")
    message(STATUS "dyetrace: without ${room} (DYETRACE_WITH_${room}=OFF)")
  elseif(found)
    set(have ON)
  elseif(DYETRACE_WITH_${room} STREQUAL "ON")
    message(FATAL_ERROR "dyetrace: DYETRACE_WITH_${room}=ON, but ${missing} is not installed")
  else()
    message(STATUS "dyetrace: without ${room}: ${missing} is not installed")
  endif()
  set(DYETRACE_HAVE_${room} ${have} PARENT_SCOPE)
endfunction()

if(NOT DYETRACE_WITH_NS3 STREQUAL "OFF")
  find_package(ns3 QUIET)
endif()
if(NOT DYETRACE_WITH_GUI STREQUAL "OFF")
  find_package(Qt6 QUIET COMPONENTS Core Gui Widgets)
endif()
dyetrace_room(NS3 "${ns3_FOUND}" "ns-3 (libns3-dev and ns3)")
dyetrace_room(GUI "${Qt6_FOUND}" "Qt 6 (qt6-base-dev)")
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(linux ON)
endif()
dyetrace_room(HOST "${linux}" "Linux")
