// SPDX-License-Identifier: GPL-2.0-or-later
// A plot over time as data, and its picture drawn by gnuplot.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dyetrace::report {

struct Point {
    double x = 0;
    double y = 0;
};

enum class Shape { Line, LinesAndPoints, Steps };

struct Series {
    std::string title;
    std::string colour;  ///< "#rrggbb"
    Shape shape = Shape::Line;
    double width = 1.6;
    std::vector<Point> points;  ///< by x
};

/// A moment, drawn as a vertical line with its name beside.
struct Marker {
    double x = 0;
    std::string label;
    std::string colour;
};

struct Plot {
    std::string id;     ///< letters only; unique in the page, since it prefixes the ids inside the picture
    std::string title;  ///< for the caption; not in the picture
    std::string y_label;
    double x_max = 0;          ///< of the time axis, in seconds
    bool y_from_zero = false;  ///< the axis begins at 0 (or below, where values do)
    double y_top = 0;  ///< where above 0: values beyond leave the picture, so that the others can be seen
    std::vector<Series> series = {};
    std::vector<Marker> markers = {};
};

/// gnuplot is not installed, or did not draw.
class PlotError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// What gnuplot is told. The same plot gives the same script.
[[nodiscard]] std::string gnuplot_script(const Plot& plot);

/// The plot as an `svg` element to be put into a page. Throws `PlotError`.
[[nodiscard]] std::string draw_svg(const Plot& plot);

}  // namespace dyetrace::report
