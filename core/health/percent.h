// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdio>
#include <string>

namespace dyetrace::health {

/// Of a share: "4.88%"
inline std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g%%", 100 * share);
    return text;
}

}  // namespace dyetrace::health
