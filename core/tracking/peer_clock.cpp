// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/peer_clock.h"

#include <limits>

namespace dyetrace::tracking {
namespace {

constexpr std::int64_t kBillion = 1'000'000'000;

/// ppb of a duration, rounded up. Within a window, 2^34 ns, times 10^6 ppb.
std::int64_t ppb_of(std::int64_t ppb, std::int64_t ns) {
    return (ppb * ns + kBillion - 1) / kBillion;
}

Duration saturating_sum(Duration one, Duration other) {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(one.ns, other.ns, &sum)) return {sum};
    return {one.ns < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max()};
}

}  // namespace

PeerClock::PeerClock(const ClockModelConfig& config)
    : model_(config), window_(config.slot * std::int64_t{config.slots}), stamp_error_(config.stamp_error) {}

void PeerClock::on_forward(Time sent, Duration raw, Time now) {
    feed(now);
    model_.on_forward(sent, raw, now);
    draw(now);
}

void PeerClock::on_reverse(Duration raw, Time now) {
    feed(now);
    model_.on_reverse(now, raw, now);
    draw(now);
}

/// In the order of time: what came before a step must not be told after it.
void PeerClock::feed(Time now) {
    feed_at_ = now + kFeedInterval;
    if (!has_best_) return;
    has_best_ = false;
    model_.on_reverse(best_at_, best_raw_, now);
    draw(now);
}

void PeerClock::draw(Time now) {
    line_ = model_.estimate(now);
    drawn_at_ = now;
}

std::optional<ClockEstimate> PeerClock::estimate(Time t) const {
    if (!line_) return std::nullopt;
    const Duration since = clocks_difference(t, drawn_at_);
    const Duration apart = since.ns < 0 ? clocks_difference(drawn_at_, t) : since;
    if (apart > window_) return std::nullopt;
    ClockEstimate estimate = *line_;
    // Cut toward zero, and so off by less than one ns, which the bound takes in.
    estimate.offset = saturating_sum(estimate.offset, {estimate.drift_ppb * since.ns / kBillion});
    if (apart.ns > 0)
        estimate.bound = saturating_sum(estimate.bound, {ppb_of(estimate.drift_bound_ppb, apart.ns) + 1});
    return estimate;
}

std::optional<CorrectedDelay> PeerClock::corrected_reverse(Duration raw, Time received) const {
    const auto theta = estimate(received);
    if (!theta) return std::nullopt;
    return CorrectedDelay{saturating_sum(raw, theta->offset), saturating_sum(theta->bound, stamp_error_)};
}

}  // namespace dyetrace::tracking
