// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/playhead.h"

#include <QScopeGuard>

namespace dyetrace::viewer {

template <class Action>
auto Playhead::tell_after(Action action) {
    const PlaybackClock before = clock_;
    const auto tell = qScopeGuard([&] {
        if (before.now_ns() != clock_.now_ns()) Q_EMIT moved(clock_.now_ns());
        if (before.playing() != clock_.playing()) Q_EMIT playing_changed(clock_.playing());
        if (before.speed() != clock_.speed()) Q_EMIT speed_changed(clock_.speed());
    });
    return action();
}

void Playhead::set_run(TimeRange range) {
    pause();
    const double speed = clock_.speed();
    clock_ = PlaybackClock(range);
    clock_.set_speed(speed);
    Q_EMIT range_changed();
    Q_EMIT moved(clock_.now_ns());
}

void Playhead::play() {
    tell_after([&] { clock_.play(); });
}
void Playhead::pause() {
    tell_after([&] { clock_.pause(); });
}
void Playhead::toggle() {
    tell_after([&] { clock_.toggle(); });
}
void Playhead::set_speed(double speed) {
    tell_after([&] { clock_.set_speed(speed); });
}
void Playhead::seek(std::int64_t t_ns) {
    tell_after([&] { clock_.seek(t_ns); });
}
void Playhead::nudge(std::int64_t by_ns) {
    tell_after([&] {
        clock_.pause();
        clock_.seek(clock_.now_ns() + by_ns);
    });
}
bool Playhead::step_forward() {
    return tell_after([&] { return clock_.step_forward(moments_ns_); });
}
bool Playhead::step_backward() {
    return tell_after([&] { return clock_.step_backward(moments_ns_); });
}
void Playhead::advance(std::int64_t wall_ns) {
    tell_after([&] { clock_.advance(wall_ns); });
}

}  // namespace dyetrace::viewer
