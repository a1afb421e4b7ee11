// SPDX-License-Identifier: GPL-2.0-or-later
// Estimates the difference of two hosts' clocks, and its drift, from raw one-way delays of both directions.
//
// "We" are the host that owns the model, "they" are its peer; every time here is read from our clock.
//
//   theta(t) = their clock less ours at the moment when ours shows t     ( > 0: theirs is ahead)
//   forward packet, we to them:  raw = receiver's time less sender's = d_f + theta
//   reverse packet, they to us:  raw                                = d_r - theta
//
// No packet arrives before it was sent: d_f, d_r >= 0. So each forward packet is a ceiling for theta, and
// each reverse packet a floor: -raw_r <= theta <= raw_f. This holds at every t from the packet's sending to
// its arrival, so that either end may stand for it. Between steps of a clock theta is a straight line whose
// slope, the drift, is at most `drift_ppb_max`; at any t
//
//   [lo(t), hi(t)] = values at t of all lines below each ceiling and above each floor,
//   offset = (lo + hi) / 2,   bound = (hi - lo) / 2
//
// and the true theta is inside, whatever the queues do. Of packets of both directions without any queueing,
// the bound is half their round trip: this much asymmetry no exchange of packets can tell.
//
// A ceiling that is too high does no harm, so a delayed packet never spoils the estimate. Per direction and
// slot of time only the packet that binds most is kept; fewer constraints widen the bound and never break it.
//
// Not proven: that the line is straight. A drift that changes inside the window bends it. Where the bend
// shows, it is taken for a step; where it hides inside the bound, theta may be outside by the size of the
// bend.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/time.h"

namespace dyetrace::tracking {

struct ClockModelConfig {
    /// A slot sees both directions when it is longer than the interval of reports (100 ms): two and a half.
    Duration slot = Duration::milliseconds(250);
    /// 8 s of slots: long, since a narrow gap of g over a time w bounds the drift to g / w and gives queues
    /// the time to be empty once; short, since an oscillator that warms up by 0.1 ppm in 8 s bends the line
    /// by 0.1 us. 32 bytes a slot.
    std::uint32_t slots = 32;
    /// Two oscillators within 100 ppm of nominal (IEEE 802.3 asks for that) and what a disciplined clock
    /// adds.
    std::int64_t drift_ppb_max = 250'000;
    /// How far a raw delay may be below the truth by the reading of clocks: two stamps, each cut to 1 ns.
    Duration stamp_error = Duration::nanoseconds(2);
    /// The longest that a packet is on its way. So long after a step was noticed, evidence is refused.
    Duration flight_max = Duration::milliseconds(50);
    /// Delay that is known to be there (propagation, serialisation), by whichever clock shows less of it.
    Duration forward_minimum;
    Duration reverse_minimum;

    /// The name of the first field that is out of range; empty where there is none.
    [[nodiscard]] std::string_view fault() const;
};

/// theta(t) is in [offset - bound, offset + bound], its slope in [drift - drift_bound, drift + drift_bound].
struct ClockEstimate {
    Duration offset;  ///< their clock less ours
    Duration bound;
    std::int64_t drift_ppb = 0;
    std::int64_t drift_bound_ppb = 0;

    bool operator==(const ClockEstimate&) const = default;
};

/// The one-way delay is in [delay - bound, delay + bound]. A negative `delay` is shown as it is.
struct CorrectedDelay {
    Duration delay;
    Duration bound;

    bool operator==(const CorrectedDelay&) const = default;
};

/// A sudden change of theta that evidence contradicted.
struct ClockStep {
    Time at;  ///< when it was noticed
    Duration
        size;  ///< new theta less old; off by the queueing of one packet, or by the time since the one before
};

/// Feed it with `on_forward` and `on_reverse`; `now` must not go back but where our own clock does. It
/// allocates at construction only. What a peer says may be any number: nothing overflows, and what can't be
/// is refused.
class ClockModel {
  public:
    /// Evidence that was not taken.
    struct Refused {
        std::uint64_t out_of_range = 0;     ///< a time or delay beyond 2^62 ns (146 years)
        std::uint64_t from_the_future = 0;  ///< stamped after `now`
        std::uint64_t too_old = 0;          ///< before the window
        std::uint64_t before_step = 0;      ///< on its way when the last step was noticed, or earlier
    };

    /// Precondition: config.fault().empty().
    explicit ClockModel(const ClockModelConfig& config = {});

    /// A packet that we sent at `sent`, whose receiver told us its raw delay.
    void on_forward(Time sent, Duration raw, Time now) { take(kForward, sent.ns, raw.ns, now.ns); }
    /// A packet that we received at `received`.
    void on_reverse(Time received, Duration raw, Time now) { take(kReverse, received.ns, raw.ns, now.ns); }

    /// Nothing until there is evidence of both directions, nor more than one window away from the newest
    /// `now`, nor before what was accepted since the last step: when that happened is not known.
    [[nodiscard]] std::optional<ClockEstimate> estimate(Time t) const;
    /// Of packets of the past: a stamp later than now is of before our own clock went back, and means
    /// nothing.
    ///
    /// raw - theta: the delay of a packet that we sent at `sent`; both directions' are as their clock counts.
    [[nodiscard]] std::optional<CorrectedDelay> corrected_forward(Duration raw, Time sent) const;
    /// raw + theta: the delay of a packet that we received at `received`.
    [[nodiscard]] std::optional<CorrectedDelay> corrected_reverse(Duration raw, Time received) const;

    /// Steps noticed. All evidence is dropped at a step, and estimation starts anew with packets sent after
    /// it was noticed. A step smaller than the width of the feasible interval contradicts nothing and is not
    /// noticed; theta may then be outside the bound until what was measured before it has left the window.
    /// One sample below the truth (which only a faulty clock makes) looks like a step and costs the same.
    [[nodiscard]] std::uint32_t steps() const { return steps_; }
    [[nodiscard]] const std::optional<ClockStep>& last_step() const { return last_step_; }
    [[nodiscard]] const Refused& refused() const { return refused_; }

    void digest_into(StateDigest& digest) const;

    /// After so long, from a step to the newest `now`, the bound holds again, noticed or not.
    [[nodiscard]] Duration settling_time() const;
    [[nodiscard]] std::size_t memory() const { return sizeof *this + slots_.capacity() * sizeof(Slot); }
    [[nodiscard]] static constexpr heap::Need memory_bound(const ClockModelConfig& config) {
        return heap::vector<Slot>(config.slots);
    }

  private:
    __extension__ using Wide = __int128;
    enum Direction : std::uint8_t { kForward, kReverse };

    static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
    static constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

    /// At `at_ns` theta (kForward) or -theta (kReverse) is at most `most_ns`.
    struct Point {
        std::int64_t at_ns = 0;
        std::int64_t most_ns = kNone;
        [[nodiscard]] bool exists() const { return most_ns != kNone; }
    };
    struct Slot {
        std::array<Point, 2> points;
    };
    /// The slopes that a feasible line may have, in 2^-40, rounded outward.
    struct Slopes {
        std::int64_t least = 0;
        std::int64_t most = 0;
        [[nodiscard]] bool possible() const { return least <= most; }
    };
    /// Positions of the points that a line of the least and of the greatest slope touches from below.
    struct Tangents {
        std::uint32_t least = kNowhere;
        std::uint32_t most = kNowhere;
    };

    void take(Direction direction, std::int64_t at_ns, std::int64_t raw_ns, std::int64_t now_ns);
    void advance(std::int64_t now_ns);
    void move_head(std::int64_t slot);
    void restart(std::int64_t now_ns, Wide size_ns);

    [[nodiscard]] std::int64_t slot_of(std::int64_t ns) const;
    [[nodiscard]] std::uint32_t position_of(std::int64_t slot) const;
    [[nodiscard]] Slopes all_slopes() const { return {-slope_limit_, slope_limit_}; }
    [[nodiscard]] Slopes slopes_of(Direction direction) const;
    [[nodiscard]] Slopes narrowed(Slopes slopes, Direction direction, const Point& point) const;
    [[nodiscard]] bool binds_more(Direction direction, const Point& point, const Point& kept) const;
    void refit();
    void find_tangents();
    [[nodiscard]] std::uint32_t tangent(Direction direction, std::int64_t slope) const;
    [[nodiscard]] Wide step_size(Direction direction, const Point& point) const;
    [[nodiscard]] bool has_both() const;
    [[nodiscard]] Wide ceiling(Direction direction, std::int64_t t_ns) const;
    [[nodiscard]] Wide hull(Direction direction, const Point& left, const Point& right,
                            std::int64_t t_ns) const;

    ClockModelConfig config_;
    std::int64_t slope_limit_;
    std::vector<Slot> slots_;  ///< a ring by slot number; the newest is at head_position_

    bool started_ = false;
    std::int64_t head_ = 0;           ///< number of the newest slot: its times / its length, rounded down
    std::int64_t head_start_ns_ = 0;  ///< first time of the newest slot
    std::uint32_t head_position_ = 0;
    std::int64_t newest_ns_ = std::numeric_limits<std::int64_t>::min();       ///< greatest `now`
    std::int64_t accept_from_ns_ = std::numeric_limits<std::int64_t>::min();  ///< older evidence is refused

    Slopes slopes_;
    std::array<Tangents, 2> tangents_;

    std::uint32_t steps_ = 0;
    std::optional<ClockStep> last_step_;
    Refused refused_;
};

}  // namespace dyetrace::tracking
