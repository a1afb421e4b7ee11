// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/playback_clock.h"

#include <algorithm>
#include <cmath>

namespace dyetrace::viewer {
namespace {

// Of ten: the clock's own bounds.
constexpr int slowest_power = -6;
constexpr int fastest_power = 3;

}  // namespace

void PlaybackClock::play() {
    const bool forward = speed_ > 0;
    if (forward && now_ns_ == range_.end_ns) seek(range_.begin_ns);
    if (!forward && now_ns_ == range_.begin_ns) seek(range_.end_ns);
    playing_ = true;
}

void PlaybackClock::set_speed(double speed) {
    if (speed == 0 || !std::isfinite(speed)) return;
    speed_ = std::copysign(std::clamp(std::abs(speed), speed_min, speed_max), speed);
}

void PlaybackClock::seek(std::int64_t t_ns) {
    now_ns_ = range_.clamp(t_ns);
    rest_ns_ = 0;
}

void PlaybackClock::advance(std::int64_t wall_ns) {
    if (!playing_) return;
    const double moved = static_cast<double>(wall_ns) * speed_ + rest_ns_;
    // A laptop that wakes up after a night asks for more than there is.
    const double room = static_cast<double>(range_.length_ns()) + 1;
    const double whole = std::trunc(std::clamp(moved, -room, room));
    const auto reached = now_ns_ + static_cast<std::int64_t>(whole);
    rest_ns_ = std::clamp(moved - whole, -1.0, 1.0);
    const bool at_border = speed_ > 0 ? reached >= range_.end_ns : reached <= range_.begin_ns;
    now_ns_ = range_.clamp(reached);
    if (at_border) {
        playing_ = false;
        rest_ns_ = 0;
    }
}

bool PlaybackClock::step_forward(std::span<const std::int64_t> sorted_ns) {
    const auto next = std::upper_bound(sorted_ns.begin(), sorted_ns.end(), now_ns_);
    if (next == sorted_ns.end() || *next > range_.end_ns) return false;
    pause();
    seek(*next);
    return true;
}

bool PlaybackClock::step_backward(std::span<const std::int64_t> sorted_ns) {
    const auto next = std::lower_bound(sorted_ns.begin(), sorted_ns.end(), now_ns_);
    if (next == sorted_ns.begin() || *std::prev(next) < range_.begin_ns) return false;
    pause();
    seek(*std::prev(next));
    return true;
}

std::vector<double> round_speeds(int first, int last) {
    std::vector<double> speeds;
    for (int power = first; power <= last; ++power) {
        for (const double digit : {1.0, 2.0, 5.0})
            speeds.push_back(digit * std::pow(10.0, power));
    }
    return speeds;
}

double comfortable_speed(TimeRange range, double wall_seconds) {
    const double exact = static_cast<double>(range.length_ns()) * 1e-9 / wall_seconds;
    double best = PlaybackClock::speed_min;
    for (const double speed : round_speeds(slowest_power, fastest_power)) {
        // 1.001: 3 * 0.1 / 0.3 should count as 1.
        if (speed <= exact * 1.001) best = speed;
    }
    return std::min(best, PlaybackClock::speed_max);
}

}  // namespace dyetrace::viewer
