// SPDX-License-Identifier: GPL-2.0-or-later
// The one moment that every view shows.
#pragma once

#include <QObject>
#include <cstdint>
#include <vector>

#include "gui/model/playback_clock.h"

namespace dyetrace::viewer {

/// A PlaybackClock that tells. It has no timer: the window calls `advance` when it can draw again.
class Playhead : public QObject {
    Q_OBJECT
  public:
    explicit Playhead(QObject* parent = nullptr) : QObject(parent) {}

    /// A new run: paused at its beginning.
    void set_run(TimeRange range);
    /// What `step_forward` and `step_backward` stop at, sorted.
    void set_moments(std::vector<std::int64_t> moments_ns) { moments_ns_ = std::move(moments_ns); }

    [[nodiscard]] const PlaybackClock& clock() const { return clock_; }
    [[nodiscard]] std::int64_t now_ns() const { return clock_.now_ns(); }

    void play();
    void pause();
    void toggle();
    void set_speed(double speed);
    void seek(std::int64_t t_ns);
    /// By so much; pauses, as every step does.
    void nudge(std::int64_t by_ns);
    bool step_forward();
    bool step_backward();
    void advance(std::int64_t wall_ns);

  Q_SIGNALS:
    void moved(qint64 t_ns);
    void playing_changed(bool playing);
    void speed_changed(double speed);
    void range_changed();

  private:
    /// Does `action` and tells what it changed.
    template <class Action>
    auto tell_after(Action action);

    PlaybackClock clock_;
    std::vector<std::int64_t> moments_ns_;
};

}  // namespace dyetrace::viewer
