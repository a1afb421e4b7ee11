# SPDX-License-Identifier: GPL-2.0-or-later
# Writes what links what to <build>/link-edges.txt, for the test of arrows. One target a line, fields apart by '|':
#   target | type | folder | source;source... | linked;linked...

function(dyetrace_targets_below folder out)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder ${subfolders})
    dyetrace_targets_below(${subfolder} below)
    list(APPEND targets ${below})
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

function(dyetrace_write_link_edges)
  dyetrace_targets_below(${PROJECT_SOURCE_DIR} targets)
  set(lines "")
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "UTILITY")
      continue()
    endif()
    get_target_property(folder ${target} SOURCE_DIR)
    get_target_property(sources ${target} SOURCES)
    # LINK_LIBRARIES has the public and the private ones; an interface library has only the other property.
    set(property LINK_LIBRARIES)
    if(type STREQUAL "INTERFACE_LIBRARY")
      set(property INTERFACE_LINK_LIBRARIES)
    endif()
    get_target_property(linked ${target} ${property})
    file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${folder})
    string(APPEND lines "${target}|${type}|${folder}|${sources}|${linked}\n")
  endforeach()
  file(WRITE ${PROJECT_BINARY_DIR}/link-edges.txt "${lines}")
endfunction()

# At the very end of the configuration, when every target is there.
cmake_language(DEFER DIRECTORY ${PROJECT_SOURCE_DIR} CALL dyetrace_write_link_edges)
