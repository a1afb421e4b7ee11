// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/flow_size_distribution.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/base/result.h"
#include "scenarios/reader/words.h"

namespace dyetrace::scenario {
namespace {

std::optional<double> read_number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

/// Reads a file line by line, and keeps what is needed to tell errors.
class Parser {
  public:
    Parser(std::string_view file, std::string_view text, Diagnostics& diagnostics)
        : source_(file, text), diagnostics_(diagnostics) {}

    std::vector<FlowSizeDistribution::Point> run() {
        for (std::uint32_t number = 1; number <= source_.line_count(); ++number)
            read_line(number);
        if (points_.size() < 2) {
            complain({}, {"a distribution has at least two points, of 0 % and of 100 %",
                          "one point a line: bytes, percent"});
        } else {
            check_ends();
        }
        return bad_ ? std::vector<FlowSizeDistribution::Point>{} : std::move(points_);
    }

  private:
    void complain(const Place& place, Problem problem) {
        bad_ = true;
        diagnostics_.add(source_.at(place, Severity::Error, std::move(problem)));
    }

    void read_line(std::uint32_t number) {
        const std::vector<Word> words = words_of(source_.line(number));
        if (words.empty()) return;
        if (words.size() != 2) {
            const Word& odd = words.size() == 1 ? words[0] : words[2];
            return complain(
                place_of(number, odd),
                {"a line has two numbers: bytes, and the percentage of flows that are at most that large",
                 ""});
        }
        const auto bytes = read_number(words[0].text);
        const auto percent = read_number(words[1].text);
        if (!bytes)
            complain(place_of(number, words[0]),
                     {fmt::format("\"{}\" is not a number of bytes", words[0].text), ""});
        if (!percent)
            complain(place_of(number, words[1]),
                     {fmt::format("\"{}\" is not a percentage", words[1].text), ""});
        if (bytes && percent) add_point(number, words, {*bytes, *percent / 100});
    }

    void add_point(std::uint32_t line, const std::vector<Word>& words, FlowSizeDistribution::Point point) {
        if (point.bytes < 0 || point.bytes > FlowSizeDistribution::most_bytes) {
            return complain(
                place_of(line, words[0]),
                {fmt::format("{} bytes is not from 0 to {}", words[0].text, FlowSizeDistribution::most_bytes),
                 ""});
        }
        if (point.cumulative < 0 || point.cumulative > 1) {
            return complain(place_of(line, words[1]),
                            {fmt::format("{} % is not from 0 to 100", words[1].text), ""});
        }
        if (points_.size() == FlowSizeDistribution::most_points) {
            if (!too_many_)
                complain(place_of(line, words[0]), {fmt::format("more than {} points", points_.size()), ""});
            too_many_ = true;
            return;
        }
        if (!points_.empty()) {
            const auto& last = points_.back();
            if (point.bytes < last.bytes) {
                complain(place_of(line, words[0]),
                         {fmt::format("{} bytes comes after {}; sizes rise from line to line", words[0].text,
                                      last.bytes),
                          ""});
            }
            if (point.cumulative < last.cumulative) {
                complain(place_of(line, words[1]),
                         {fmt::format("{} % comes after {} %; percentages rise from line to line",
                                      words[1].text, last.cumulative * 100),
                          ""});
            }
            if (point == last)
                complain(place_of(line, words[0]), {"the same point again", "remove one of the two"});
        }
        points_.push_back(point);
        lines_.push_back({place_of(line, words[0]), place_of(line, words[1])});
    }

    void check_ends() {
        if (points_.front().cumulative != 0) {
            complain(lines_.front().percent,
                     {"the first point is not at 0 %", "begin with the smallest size and 0"});
        }
        if (points_.back().cumulative != 1) {
            complain(lines_.back().percent,
                     {"the last point is not at 100 %", "end with the largest size and 100"});
        }
        if (points_.back().bytes == 0) complain(lines_.back().bytes, {"all flows are empty", ""});
    }

    struct Places {
        Place bytes;
        Place percent;
    };
    SourceText source_;
    Diagnostics& diagnostics_;
    std::vector<FlowSizeDistribution::Point> points_;
    std::vector<Places> lines_;
    bool bad_ = false;
    bool too_many_ = false;
};

}  // namespace

FlowSizeDistribution::FlowSizeDistribution(std::vector<Point> points) : points_(std::move(points)) {
    DYETRACE_ASSERT(points_.size() >= 2);
    DYETRACE_ASSERT(points_.front().cumulative == 0 && points_.back().cumulative == 1);
    for (std::size_t i = 1; i < points_.size(); ++i) {
        DYETRACE_ASSERT(points_[i].bytes >= points_[i - 1].bytes);
        DYETRACE_ASSERT(points_[i].cumulative >= points_[i - 1].cumulative);
        DYETRACE_ASSERT(points_[i] != points_[i - 1]);
    }
}

FlowSizeDistribution FlowSizeDistribution::parse(std::string_view file, std::string_view text,
                                                 Diagnostics& diagnostics) {
    auto points = Parser(file, text, diagnostics).run();
    return points.empty() ? FlowSizeDistribution() : FlowSizeDistribution(std::move(points));
}

double FlowSizeDistribution::quantile(double u) const {
    DYETRACE_ASSERT(u >= 0 && u < 1 && !points_.empty());
    // The first point above u: there is one, as the last is at 1, and one before it, as the first is at 0.
    const auto above =
        std::upper_bound(points_.begin(), points_.end(), u,
                         [](double value, const Point& point) { return value < point.cumulative; });
    const auto below = above - 1;
    const double share = (u - below->cumulative) / (above->cumulative - below->cumulative);
    return below->bytes + share * (above->bytes - below->bytes);
}

double FlowSizeDistribution::mean_bytes() const {
    double mean = 0;
    for (std::size_t i = 1; i < points_.size(); ++i) {
        // Within a segment sizes are uniform.
        mean += (points_[i].cumulative - points_[i - 1].cumulative) *
                (points_[i].bytes + points_[i - 1].bytes) / 2;
    }
    return mean;
}

}  // namespace dyetrace::scenario
