// SPDX-License-Identifier: GPL-2.0-or-later
// Time on a horizontal axis: which pixel a moment has, and which moment a pixel.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace dyetrace::viewer {

/// A stretch of time; `end_ns` is not before `begin_ns`.
struct TimeRange {
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;

    constexpr bool operator==(const TimeRange&) const = default;
    [[nodiscard]] constexpr std::int64_t length_ns() const { return end_ns - begin_ns; }
    [[nodiscard]] constexpr std::int64_t clamp(std::int64_t t_ns) const {
        return std::clamp(t_ns, begin_ns, end_ns);
    }
};

/// `visible` laid over the pixels from `left` to `left + width`. A plain value; zooming gives a new one.
struct TimeMapping {
    /// Nobody can point more finely than this, and doubles hold it over days of run.
    static constexpr std::int64_t span_ns_min = 1'000;

    TimeRange visible{0, 1};
    double left = 0;
    double width = 1;

    bool operator==(const TimeMapping&) const = default;

    [[nodiscard]] double ns_per_pixel() const { return static_cast<double>(span_ns()) / width; }
    [[nodiscard]] double to_pixel(std::int64_t t_ns) const {
        return left + static_cast<double>(t_ns - visible.begin_ns) * width / static_cast<double>(span_ns());
    }
    /// Not clamped: a pixel left of the axis is a moment before it.
    [[nodiscard]] std::int64_t to_time(double pixel) const {
        return visible.begin_ns + std::llround((pixel - left) * ns_per_pixel());
    }

    /// `factor` > 1 shows less. The moment under `anchor_pixel` stays there as far as `bounds` allow.
    [[nodiscard]] TimeMapping zoomed(double factor, double anchor_pixel, TimeRange bounds) const {
        const auto limit = std::max(span_ns_min, bounds.length_ns());
        const auto wanted = std::llround(static_cast<double>(span_ns()) / factor);
        const auto span = std::clamp<std::int64_t>(wanted, span_ns_min, limit);
        const double share = std::clamp((anchor_pixel - left) / width, 0.0, 1.0);
        const auto begin = to_time(left + share * width) - std::llround(share * static_cast<double>(span));
        return within({begin, begin + span}, bounds);
    }

    /// Moved by so many pixels: positive shows later moments.
    [[nodiscard]] TimeMapping panned(double pixels, TimeRange bounds) const {
        const auto by = std::llround(pixels * ns_per_pixel());
        return within({visible.begin_ns + by, visible.end_ns + by}, bounds);
    }

    /// `range` shifted into `bounds`, and cut where it is longer.
    [[nodiscard]] TimeMapping within(TimeRange range, TimeRange bounds) const {
        const auto span = std::min(range.length_ns(), std::max(span_ns_min, bounds.length_ns()));
        const auto latest = std::max(bounds.begin_ns, bounds.end_ns - span);
        const auto begin = std::clamp(range.begin_ns, bounds.begin_ns, latest);
        return {{begin, begin + span}, left, width};
    }

  private:
    [[nodiscard]] std::int64_t span_ns() const { return std::max<std::int64_t>(1, visible.length_ns()); }
};

/// The smallest of 1, 2, 5, 10, 20, ... that is not below `least`.
inline std::int64_t round_step(double least) {
    std::int64_t power = 1;
    while (power < 1'000'000'000'000'000'000 / 10) {
        for (const int digit : {1, 2, 5}) {
            if (static_cast<double>(power * digit) >= least) return power * digit;
        }
        power *= 10;
    }
    return power;
}

/// Round moments at least `spacing` pixels apart, from left to right, and the step between them.
struct TimeTicks {
    std::int64_t step_ns = 1;
    std::vector<std::int64_t> at_ns;
};

inline TimeTicks time_ticks(const TimeMapping& mapping, double spacing) {
    TimeTicks ticks{.step_ns = round_step(spacing * mapping.ns_per_pixel()), .at_ns = {}};
    const auto step = ticks.step_ns;
    auto first = mapping.visible.begin_ns / step * step;
    if (first < mapping.visible.begin_ns) first += step;
    for (auto t = first; t <= mapping.visible.end_ns; t += step)
        ticks.at_ns.push_back(t);
    return ticks;
}

}  // namespace dyetrace::viewer
