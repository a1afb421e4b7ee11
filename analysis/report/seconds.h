// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace dyetrace::report {

/// Of the nanoseconds that the store keeps.
[[nodiscard]] constexpr double seconds(std::int64_t ns) {
    return static_cast<double>(ns) / 1e9;
}

}  // namespace dyetrace::report
