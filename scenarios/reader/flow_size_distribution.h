// SPDX-License-Identifier: GPL-2.0-or-later
// How large flows are: a published distribution, read from a file.
//
// The file has one point a line, bytes and the percentage of flows that are at most that large, and comments
// after
// '#'. The first point is at 0 %, the last at 100 %; between points the distribution function is linear.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/reader/diagnostics.h"

namespace dyetrace::scenario {

/// A piecewise linear distribution function of flow sizes.
class FlowSizeDistribution {
  public:
    struct Point {
        double bytes = 0;
        double cumulative = 0;  ///< probability of a flow of at most `bytes`, [0, 1]
        bool operator==(const Point&) const = default;
    };
    static constexpr std::size_t most_points = 10'000;
    static constexpr double most_bytes = 1e15;

    /// Empty; only `points()` may be called.
    FlowSizeDistribution() = default;
    /// At least two points, cumulative from 0 to 1, neither falling, no two equal: an assertion otherwise.
    explicit FlowSizeDistribution(std::vector<Point> points);
    /// Reads the text of a file; adds every error to `diagnostics`. Empty where there was one.
    static FlowSizeDistribution parse(std::string_view file, std::string_view text, Diagnostics& diagnostics);

    [[nodiscard]] const std::vector<Point>& points() const { return points_; }
    /// The size below which a share `u` of the flows is; `u` in [0, 1). Of a uniform `u`, a sample.
    [[nodiscard]] double quantile(double u) const;
    [[nodiscard]] double mean_bytes() const;

  private:
    std::vector<Point> points_;
};

}  // namespace dyetrace::scenario
