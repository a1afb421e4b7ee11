// SPDX-License-Identifier: GPL-2.0-or-later
// How bad is a loss rate? A few classes, the same on the map, in the lanes and in the legend.
#pragma once

#include <QString>
#include <array>
#include <cstddef>
#include <cstdint>

namespace dyetrace::viewer {

/// Packets over some stretch of time.
struct Loss {
    std::int64_t sent = 0;
    std::int64_t lost = 0;  ///< net, sent - received; below 0 where packets counted as lost arrived later

    constexpr bool operator==(const Loss&) const = default;
    constexpr Loss& operator+=(const Loss& other) {
        sent += other.sent;
        lost += other.lost;
        return *this;
    }
    /// lost / sent; 0 where nothing was sent or more was received than sent.
    [[nodiscard]] constexpr double rate() const {
        return sent > 0 && lost > 0 ? static_cast<double>(lost) / static_cast<double>(sent) : 0.0;
    }
};

enum class LossClass { NotMeasured, TooFew, None, Trace, Low, Medium, High, Severe, Extreme };
inline constexpr std::size_t loss_class_count = 9;

/// With fewer packets one lost packet would look like a disaster.
inline constexpr std::int64_t packets_min = 50;

/// Where Trace, Low, ... Severe end. A factor of about 3.3 each, placed so that the round rates people inject
/// and talk of (0.1%, 0.3%, 1%, 3%) are in the middle of a class and do not flicker between two.
inline constexpr std::array<double, 5> loss_class_ends{0.0005, 0.002, 0.007, 0.02, 0.07};

[[nodiscard]] LossClass loss_class(const Loss& loss);
/// "0.7-2%", as the legend says it.
[[nodiscard]] QString to_text(LossClass c);

}  // namespace dyetrace::viewer
