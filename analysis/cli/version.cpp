// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include "analysis/cli/build_info.h"

namespace dyetrace::cli {

std::string version_line() {
    std::string with, without;
    const auto add = [&](bool have, const std::string& name) {
        std::string& list = have ? with : without;
        if (!list.empty()) list += ", ";
        list += name;
    };
    const bool ns3 = !build_info.ns3_version.empty();
    add(ns3, ns3 ? fmt::format("ns-3 {}", build_info.ns3_version) : "ns-3");
    add(build_info.with_gui, "viewer");
    add(build_info.with_host, "host daemon");
    std::string line = fmt::format("dyetrace {}", build_info.version);
    if (!with.empty()) line += "\nbuilt with: " + with;
    if (!without.empty()) line += "\nbuilt without: " + without;
    return line;
}

}  // namespace dyetrace::cli
