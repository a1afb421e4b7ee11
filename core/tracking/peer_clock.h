// SPDX-License-Identifier: GPL-2.0-or-later
// What an endpoint knows of one peer's clock: a clock model, fed from all sessions with that peer in both
// roles, and the straight line by which delays are corrected packet for packet.
//
// A look into the model takes longer than a packet may. So its estimate is taken whenever there is evidence,
// at most each 25 ms by packets, and carried on from there:
//
//   offset(t) = offset + drift (t - t0),   bound(t) = bound + drift_bound |t - t0|
//
// which holds theta(t) as the estimate held theta(t0).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/time.h"
#include "core/tracking/clock_model.h"

namespace dyetrace::tracking {

/// "We" and "they", "forward" and "reverse" as in clock_model.h. Allocates at construction only. `now` must
/// not go back.
class PeerClock {
  public:
    explicit PeerClock(const ClockModelConfig& config = {});

    /// The peer told us the raw delay of a packet that we sent at `sent`.
    void on_forward(Time sent, Duration raw, Time now);
    /// A packet came from the peer just now.
    void on_reverse(Duration raw, Time now);
    /// The same, one of many: of those of 25 ms the one that binds most becomes evidence.
    void note_reverse(Duration raw, Time now) {
        if (!has_best_ || raw < best_raw_) {
            has_best_ = true;
            best_raw_ = raw;
            best_at_ = now;
        }
        if (now >= feed_at_) feed(now);
    }

    /// Nothing where the model has none, or its line ended more than a window ago.
    [[nodiscard]] std::optional<ClockEstimate> estimate(Time t) const;
    /// The delay of a packet that we received at `received`, as their clock counts it.
    [[nodiscard]] std::optional<CorrectedDelay> corrected_reverse(Duration raw, Time received) const;

    /// Steps of either clock that were noticed.
    [[nodiscard]] std::uint32_t steps() const { return model_.steps(); }
    [[nodiscard]] const ClockModel& model() const { return model_; }
    void digest_into(StateDigest& digest) const;
    [[nodiscard]] static constexpr heap::Need memory_bound(const ClockModelConfig& config = {}) {
        return ClockModel::memory_bound(config);
    }
    /// When the line was last drawn anew; of use where there is an estimate.
    [[nodiscard]] Time drawn_at() const { return drawn_at_; }

  private:
    static constexpr Duration kFeedInterval = Duration::milliseconds(25);

    void feed(Time now);
    void draw(Time now);

    ClockModel model_;
    Duration window_;       ///< how far the line is carried on
    Duration stamp_error_;  ///< of one raw delay
    std::optional<ClockEstimate> line_;
    Time drawn_at_{};

    bool has_best_ = false;
    Duration best_raw_;
    Time best_at_{};
    Time feed_at_ = Time::earliest();
};

}  // namespace dyetrace::tracking
