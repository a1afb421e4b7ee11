// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/plot.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "analysis/report/gnuplot.h"

namespace dyetrace::report {
namespace {

/// A single-quoted text of gnuplot: nothing inside is expanded, a quote is doubled, and lines cannot end in
/// it.
std::string quoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'') result += '\'';
        result += c == '\n' || c == '\r' ? ' ' : c;
    }
    return result + "'";
}

std::string_view style_of(Shape shape) {
    switch (shape) {
        case Shape::Line: return "lines";
        case Shape::LinesAndPoints: return "linespoints pointtype 7 pointsize 0.4";
        case Shape::Steps: return "steps";
    }
    return "lines";
}

struct Range {
    double low = 0;
    double high = 1;
};

/// Of the values, with room above them for the names of the markers.
Range value_range(const Plot& plot) {
    std::optional<Range> range;
    for (const Series& series : plot.series) {
        for (const Point& point : series.points) {
            if (!range) range = Range{point.y, point.y};
            range->low = std::min(range->low, point.y);
            range->high = std::max(range->high, point.y);
        }
    }
    if (!range) return {};
    if (plot.y_top > 0) range->high = std::min(range->high, plot.y_top);
    if (plot.y_from_zero) range->low = std::min(range->low, 0.0);
    const double span = range->high > range->low ? range->high - range->low : 1.0;
    const double below = plot.y_from_zero && range->low == 0.0 ? 0.0 : 0.05 * span;
    return {range->low - below, range->high + 0.45 * span};
}

/// Markers that are close in time would write over each other: each takes the next of a few rows.
std::string markers_script(const Plot& plot) {
    constexpr std::size_t rows = 4;
    std::string script;
    for (std::size_t i = 0; i < plot.markers.size(); ++i) {
        const Marker& marker = plot.markers[i];
        const double height = 0.96 - 0.075 * static_cast<double>(i % rows);
        const bool at_right = marker.x > 0.75 * plot.x_max;  // there the text stands left of its line
        script += fmt::format(
            "set arrow from {0:.9g}, graph 0 to {0:.9g}, graph 1 nohead linecolor rgb {1} dashtype 2\n",
            marker.x, quoted(marker.colour));
        script += fmt::format(
            "set label {} at {:.9g}, graph {:.3f} {} offset character {}, 0 textcolor rgb {} front\n",
            quoted(marker.label), marker.x, height, at_right ? "right" : "left", at_right ? -0.6 : 0.6,
            quoted(marker.colour));
    }
    return script;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
}

/// Takes the names of gnuplot's elements away that a browser would show as tooltips.
void remove_titles(std::string& svg) {
    constexpr std::string_view end = "</title>";
    for (std::size_t at = 0; (at = svg.find("<title>", at)) != std::string::npos;) {
        const std::size_t stop = svg.find(end, at);
        if (stop == std::string::npos) return;
        svg.erase(at, stop + end.size() - at);
    }
}

}  // namespace

std::string gnuplot_script(const Plot& plot) {
    std::string script;
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        script += fmt::format("$data{} << END\n", i);
        for (const Point& point : plot.series[i].points)
            script += fmt::format("{:.9g} {:.9g}\n", point.x, point.y);
        script += "END\n";
    }
    const Range range = value_range(plot);
    script += fmt::format(
        "set terminal svg size 960,330 dynamic noenhanced name {} font 'sans-serif,13' linewidth 1\n"
        "set xlabel 'time, s'\nset ylabel {}\n"
        "set xrange [0:{:.9g}]\nset yrange [{:.9g}:{:.9g}]\n"
        "set border 3 linecolor rgb '#888888'\nset tics nomirror textcolor rgb '#444444'\n"
        "set lmargin 10\nset rmargin 2\nset grid ytics linecolor rgb '#e4e4e4' linetype 1\n"
        "set key outside top right horizontal textcolor rgb '#333333'\n",
        quoted(plot.id), quoted(plot.y_label), plot.x_max > 0 ? plot.x_max : 1.0, range.low, range.high);
    script += markers_script(plot);
    script += "plot ";
    bool first = true;
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        const Series& series = plot.series[i];
        if (series.points.empty()) continue;
        script += fmt::format("{}$data{} using 1:2 with {} linecolor rgb {} linewidth {:.2g} title {}",
                              first ? "" : ", \\\n     ", i, style_of(series.shape), quoted(series.colour),
                              series.width, quoted(series.title));
        first = false;
    }
    // A plot of nothing still has axes and markers.
    if (first) script += "1/0 notitle";
    return script + "\n";
}

std::string draw_svg(const Plot& plot) {
    std::string svg = run_gnuplot(gnuplot_script(plot));
    const std::size_t begin = svg.find("<svg");
    if (begin == std::string::npos) throw PlotError("gnuplot drew nothing for '" + plot.title + "'");
    svg.erase(0, begin);
    remove_titles(svg);
    // Several pictures share the page: the ids of one must not be another's.
    for (const std::string_view id : {"gp", "gnuplot_canvas", "textbox", "greybox"}) {
        replace_all(svg, fmt::format("id='{}", id), fmt::format("id='{}-{}", plot.id, id));
        replace_all(svg, fmt::format("id=\"{}", id), fmt::format("id=\"{}-{}", plot.id, id));
        replace_all(svg, fmt::format("'#{}", id), fmt::format("'#{}-{}", plot.id, id));
        replace_all(svg, fmt::format("url(#{}", id), fmt::format("url(#{}-{}", plot.id, id));
    }
    return svg;
}

}  // namespace dyetrace::report
