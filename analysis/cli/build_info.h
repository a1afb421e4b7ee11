// SPDX-License-Identifier: GPL-2.0-or-later
// What this program was built from and with. The values are CMake's.
#pragma once

#include <string>
#include <string_view>

namespace dyetrace::cli {

struct BuildInfo {
    std::string_view version;      ///< of dyetrace
    std::string_view ns3_version;  ///< empty: built without ns-3
    bool with_gui = false;         ///< dyetrace-viewer was built beside it
    bool with_host = false;        ///< eppcd was built beside it
};
extern const BuildInfo build_info;

/// "dyetrace 0.1.0", and a line each of what it was built with and without.
[[nodiscard]] std::string version_line();

}  // namespace dyetrace::cli
