// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/clock_model.h"

#include <algorithm>

#include "core/base/result.h"

// Sizes, so that nothing overflows: times and raw delays are inside +-2^62 ns, slots of one window less than
// 2^47 ns apart, a slope is at most 2^-10 (2^30 units). The greatest product is 2^63 * 2^40. Divisions round
// outward, so an interval is never narrower than the exact one; a slope's 2^-40 over a window of 2^33 ns is
// 0.01 ns.

namespace dyetrace::tracking {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kRangeNs = std::int64_t{1} << 62;
constexpr std::int64_t kSlopeUnits = std::int64_t{1} << 40;
/// A point takes another's place in its slot where it narrows the interval by more than this. At a drift
/// bound of 5 ppm, packets of equal delays do so each 3 ms, not each time.
constexpr std::int64_t kWorthwhileNs = 16;
constexpr std::int64_t kBillion = 1'000'000'000;

bool in_range(std::int64_t ns) {
    return ns > -kRangeNs && ns < kRangeNs;
}

/// Precondition of both: divisor > 0.
Wide floor_div(Wide value, Wide divisor) {
    const Wide quotient = value / divisor;
    return quotient * divisor > value ? quotient - 1 : quotient;
}
Wide ceil_div(Wide value, Wide divisor) {
    return -floor_div(-value, divisor);
}

std::uint32_t ring_position(std::int64_t slot, std::size_t slots) {
    const auto size = static_cast<std::int64_t>(slots);
    return static_cast<std::uint32_t>((slot % size + size) % size);
}

std::int64_t saturated(Wide value) {
    return static_cast<std::int64_t>(std::clamp<Wide>(value, std::numeric_limits<std::int64_t>::min(),
                                                      std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

std::string_view ClockModelConfig::fault() const {
    const auto within = [](Duration value, Duration least, Duration most) {
        return value >= least && value <= most;
    };
    constexpr Duration kSecond = Duration::seconds(1);
    if (!within(slot, Duration::microseconds(1), Duration::seconds(60))) return "slot";
    if (slots < 2 || slots > 1024) return "slots";
    if (drift_ppb_max < 1 || drift_ppb_max > 900'000) return "drift_ppb_max";
    if (!within(stamp_error, {}, kSecond)) return "stamp_error";
    if (!within(flight_max, {}, Duration::seconds(60))) return "flight_max";
    if (!within(forward_minimum, {}, kSecond)) return "forward_minimum";
    if (!within(reverse_minimum, {}, kSecond)) return "reverse_minimum";
    return {};
}

ClockModel::ClockModel(const ClockModelConfig& config)
    : config_(config),
      slope_limit_(static_cast<std::int64_t>(ceil_div(Wide{config.drift_ppb_max} * kSlopeUnits, kBillion))),
      slots_(config.slots),
      slopes_(all_slopes()) {
    DYETRACE_ASSERT(config.fault().empty());
}

Duration ClockModel::settling_time() const {
    // Two slots more, since our own clock may have gone back by so much.
    return config_.slot * (std::int64_t{config_.slots} + 2) + config_.flight_max;
}

void ClockModel::take(Direction direction, std::int64_t at_ns, std::int64_t raw_ns, std::int64_t now_ns) {
    if (!in_range(at_ns) || !in_range(raw_ns) || !in_range(now_ns)) {
        ++refused_.out_of_range;
        return;
    }
    advance(now_ns);
    if (at_ns > now_ns) {
        ++refused_.from_the_future;
        return;
    }
    if (at_ns < accept_from_ns_) {
        ++refused_.before_step;
        return;
    }
    const std::int64_t slot = slot_of(at_ns);
    if (slot <= head_ - static_cast<std::int64_t>(slots_.size())) {
        ++refused_.too_old;
        return;
    }
    const Duration minimum = direction == kForward ? config_.forward_minimum : config_.reverse_minimum;
    const Point point{at_ns, raw_ns - minimum.ns + config_.stamp_error.ns};
    Point& kept = slots_[position_of(slot)].points[direction];
    // One that binds no more leaves the line of the greatest slope feasible, and so contradicts nothing.
    if (kept.exists() && !binds_more(direction, point, kept)) return;
    const Slopes slopes = narrowed(slopes_, direction, point);
    if (!slopes.possible()) {
        restart(now_ns, step_size(direction, point));
        return;
    }
    kept = point;
    slopes_ = slopes;
    find_tangents();
}

/// Moves the window so that it ends with the slot of `now_ns`.
void ClockModel::advance(std::int64_t now_ns) {
    const std::int64_t slot = slot_of(now_ns);
    if (!started_) {
        started_ = true;
        move_head(slot);
    } else if (slot > head_) {
        bool lost = false;
        const std::int64_t count =
            std::min<std::int64_t>(slot - head_, static_cast<std::int64_t>(slots_.size()));
        for (std::int64_t i = 0; i < count; ++i) {
            Slot& expired = slots_[position_of(slot - i)];
            lost = lost || expired.points[kForward].exists() || expired.points[kReverse].exists();
            expired = {};
        }
        move_head(slot);
        if (lost) refit();
    } else if (slot < head_ - 1) {
        // Our own clock was set back: theta grew by as much. Less than two slots are left to the evidence.
        move_head(slot);
        restart(now_ns, Wide{newest_ns_} - now_ns);
    }
    newest_ns_ = std::max(newest_ns_, now_ns);
}

void ClockModel::move_head(std::int64_t slot) {
    head_ = slot;
    head_start_ns_ = slot * config_.slot.ns;
    head_position_ = ring_position(slot, slots_.size());
}

/// Whatever is in contradiction arrived by now, so the step is in the past. Some packets of before it may
/// still be on their way, and some evidence of before it in a report: which is which can't be told, so none
/// is kept.
void ClockModel::restart(std::int64_t now_ns, Wide size_ns) {
    if (steps_ != std::numeric_limits<std::uint32_t>::max()) ++steps_;
    last_step_ = ClockStep{Time{now_ns}, Duration{saturated(size_ns)}};
    // Where our own clock went back, stamps of before look newer than now; what is told of them comes soon.
    const std::int64_t told_ns = now_ns + 2 * config_.slot.ns;
    accept_from_ns_ = std::clamp(newest_ns_, now_ns, told_ns) + config_.flight_max.ns;
    newest_ns_ = now_ns;
    std::fill(slots_.begin(), slots_.end(), Slot{});
    refit();
}

std::int64_t ClockModel::slot_of(std::int64_t ns) const {
    const std::int64_t length = config_.slot.ns;
    // Almost always the newest slot: spares a division.
    const std::uint64_t since = static_cast<std::uint64_t>(ns) - static_cast<std::uint64_t>(head_start_ns_);
    if (since < static_cast<std::uint64_t>(length)) return head_;
    const std::int64_t quotient = ns / length;
    return quotient * length > ns ? quotient - 1 : quotient;
}

std::uint32_t ClockModel::position_of(std::int64_t slot) const {
    return slot == head_ ? head_position_ : ring_position(slot, slots_.size());
}

ClockModel::Slopes ClockModel::slopes_of(Direction direction) const {
    return direction == kForward ? slopes_ : Slopes{-slopes_.most, -slopes_.least};
}

/// Whether the point makes the lower ceiling at the newer time of both, by what is worth the work: the later
/// of two equal packets does, since less drift has come after it.
bool ClockModel::binds_more(Direction direction, const Point& point, const Point& kept) const {
    const std::int64_t slope = slopes_of(direction).most;
    return (Wide{point.most_ns} + kWorthwhileNs - kept.most_ns) * kSlopeUnits <
           Wide{slope} * (point.at_ns - kept.at_ns);
}

/// The slopes of lines below one forward ceiling c at f and above one reverse floor -r at g:
/// slope * (f - g) <= c + r.
ClockModel::Slopes ClockModel::narrowed(Slopes slopes, Direction direction, const Point& point) const {
    const Direction other = direction == kForward ? kReverse : kForward;
    for (const Slot& slot : slots_) {
        const Point& against = slot.points[other];
        if (!against.exists()) continue;
        const Wide gap = (Wide{point.most_ns} + against.most_ns) * kSlopeUnits;
        const Wide apart = direction == kForward ? point.at_ns - against.at_ns : against.at_ns - point.at_ns;
        if (apart > 0) {
            if (gap < slopes.most * apart)
                slopes.most =
                    static_cast<std::int64_t>(std::max<Wide>(ceil_div(gap, apart), Wide{slopes.least} - 1));
        } else if (apart < 0) {
            if (gap < slopes.least * apart)
                slopes.least =
                    static_cast<std::int64_t>(std::min<Wide>(floor_div(-gap, -apart), Wide{slopes.most} + 1));
        } else if (gap < 0) {
            slopes.most = slopes.least - 1;
        }
        if (!slopes.possible()) break;
    }
    return slopes;
}

void ClockModel::refit() {
    slopes_ = all_slopes();
    for (const Slot& slot : slots_) {
        if (const Point& point = slot.points[kForward]; point.exists())
            slopes_ = narrowed(slopes_, kForward, point);
    }
    // A part of what was feasible together.
    DYETRACE_ASSERT(slopes_.possible());
    find_tangents();
}

void ClockModel::find_tangents() {
    for (const Direction direction : {kForward, kReverse}) {
        const Slopes slopes = slopes_of(direction);
        tangents_[direction] = {tangent(direction, slopes.least), tangent(direction, slopes.most)};
    }
}

std::uint32_t ClockModel::tangent(Direction direction, std::int64_t slope) const {
    std::uint32_t best = kNowhere;
    Wide lowest = 0;
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
        const Point& point = slots_[i].points[direction];
        if (!point.exists()) continue;
        const Wide height = Wide{point.most_ns} * kSlopeUnits - Wide{slope} * point.at_ns;
        if (best == kNowhere || height < lowest) {
            best = i;
            lowest = height;
        }
    }
    return best;
}

/// How much lower than expected the packet that contradicts is: a sample of the new theta against the least
/// of the old ones, or, where there was none of its direction, against the far side of the interval.
ClockModel::Wide ClockModel::step_size(Direction direction, const Point& point) const {
    const bool seen = tangents_[direction].least != kNowhere;
    const Wide expected = seen ? ceiling(direction, point.at_ns)
                               : -ceiling(direction == kForward ? kReverse : kForward, point.at_ns);
    const Wide change = point.most_ns - expected;
    return direction == kForward ? change : -change;
}

bool ClockModel::has_both() const {
    return tangents_[kForward].least != kNowhere && tangents_[kReverse].least != kNowhere;
}

/// The greatest value at t of a line below all points of a direction, with a feasible slope. Each case is
/// a true bound whichever points are taken for tangents; the right ones make it the least.
ClockModel::Wide ClockModel::ceiling(Direction direction, std::int64_t t_ns) const {
    const Slopes slopes = slopes_of(direction);
    const Point& left = slots_[tangents_[direction].least].points[direction];
    const Point& right = slots_[tangents_[direction].most].points[direction];
    if (t_ns >= right.at_ns)
        return right.most_ns + ceil_div(Wide{slopes.most} * (t_ns - right.at_ns), kSlopeUnits);
    if (t_ns <= left.at_ns)
        return left.most_ns + ceil_div(Wide{slopes.least} * (t_ns - left.at_ns), kSlopeUnits);
    return hull(direction, left, right, t_ns);
}

/// The lower convex hull of the points at a t between two of its corners, left < t < right: the corner that
/// lies farthest below their chord takes the place of the one on its side, until there is none.
ClockModel::Wide ClockModel::hull(Direction direction, const Point& left, const Point& right,
                                  std::int64_t t_ns) const {
    const Point* from = &left;
    const Point* to = &right;
    for (;;) {
        const Wide run = to->at_ns - from->at_ns;
        const Wide rise = Wide{to->most_ns} - from->most_ns;
        const Point* corner = nullptr;
        Wide lowest = 0;
        for (const Slot& slot : slots_) {
            const Point& point = slot.points[direction];
            if (!point.exists() || point.at_ns <= from->at_ns || point.at_ns >= to->at_ns) continue;
            const Wide above =
                (Wide{point.most_ns} - from->most_ns) * run - rise * (point.at_ns - from->at_ns);
            if (above < lowest) {
                lowest = above;
                corner = &point;
            }
        }
        if (corner == nullptr) return from->most_ns + ceil_div(rise * (t_ns - from->at_ns), run);
        (corner->at_ns <= t_ns ? from : to) = corner;
    }
}

std::optional<ClockEstimate> ClockModel::estimate(Time t) const {
    if (!has_both() || !in_range(t.ns) || t.ns < accept_from_ns_) return std::nullopt;
    const std::int64_t away = slot_of(t.ns) - head_;
    const auto window = static_cast<std::int64_t>(slots_.size());
    if (away > window || away < -window) return std::nullopt;
    const Wide hi = ceiling(kForward, t.ns);
    const Wide lo = -ceiling(kReverse, t.ns);
    ClockEstimate estimate;
    const Wide offset = floor_div(lo + hi, 2);
    estimate.offset.ns = saturated(offset);
    estimate.bound.ns = saturated(std::max<Wide>(hi - offset, 0));
    const Wide ppb_most = ceil_div(Wide{slopes_.most} * kBillion, kSlopeUnits);
    const Wide ppb_least = floor_div(Wide{slopes_.least} * kBillion, kSlopeUnits);
    estimate.drift_ppb = saturated(floor_div(ppb_least + ppb_most, 2));
    estimate.drift_bound_ppb = saturated(ppb_most - estimate.drift_ppb);
    return estimate;
}

std::optional<CorrectedDelay> ClockModel::corrected_forward(Duration raw, Time sent) const {
    const auto theta = estimate(sent);
    if (!theta) return std::nullopt;
    return CorrectedDelay{{saturated(Wide{raw.ns} - theta->offset.ns)}, theta->bound + config_.stamp_error};
}

std::optional<CorrectedDelay> ClockModel::corrected_reverse(Duration raw, Time received) const {
    const auto theta = estimate(received);
    if (!theta) return std::nullopt;
    return CorrectedDelay{{saturated(Wide{raw.ns} + theta->offset.ns)}, theta->bound + config_.stamp_error};
}

}  // namespace dyetrace::tracking
