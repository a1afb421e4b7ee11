// SPDX-License-Identifier: GPL-2.0-or-later
// Where playback stands. Reads no clock: whoever has one says how much time went by.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gui/model/time_mapping.h"

namespace dyetrace::viewer {

class PlaybackClock {
  public:
    static constexpr double speed_min = 1e-6;
    static constexpr double speed_max = 1e3;

    explicit PlaybackClock(TimeRange range = {}) : range_(range), now_ns_(range.begin_ns) {}

    [[nodiscard]] TimeRange range() const { return range_; }
    [[nodiscard]] std::int64_t now_ns() const { return now_ns_; }
    [[nodiscard]] bool playing() const { return playing_; }
    /// Seconds of the run per second of the viewer; negative plays backwards.
    [[nodiscard]] double speed() const { return speed_; }

    /// At the end (backwards: at the beginning) it starts over, as every player does.
    void play();
    void pause() { playing_ = false; }
    void toggle() { playing_ ? pause() : play(); }
    /// The sign is the direction; its size is kept within the bounds above. 0 is ignored.
    void set_speed(double speed);
    /// Scrub; outside of the run it stops at its border. Playing goes on from there.
    void seek(std::int64_t t_ns);

    /// So much wall time went by. Stops at the end of the run.
    void advance(std::int64_t wall_ns);

    /// To the next moment of `sorted_ns` after now (before now); false and no change where there is none.
    /// Pauses, so that one sees what one stepped to.
    bool step_forward(std::span<const std::int64_t> sorted_ns);
    bool step_backward(std::span<const std::int64_t> sorted_ns);

  private:
    TimeRange range_;
    std::int64_t now_ns_ = 0;
    double speed_ = 1.0;
    double rest_ns_ = 0;  ///< less than a nanosecond, so that slow motion does not lose time
    bool playing_ = false;
};

/// 1, 2 and 5 times each power of ten from 10^`first` to 10^`last`, rising.
[[nodiscard]] std::vector<double> round_speeds(int first, int last);

/// The fastest of the round speeds at which the whole run takes at least about `wall_seconds`.
[[nodiscard]] double comfortable_speed(TimeRange range, double wall_seconds);

}  // namespace dyetrace::viewer
