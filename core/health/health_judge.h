// SPDX-License-Identifier: GPL-2.0-or-later
// Judges the health of sessions from the windows of their paths. Pure: evidence in; states, reasons and
// confidence out. Whoever calls holds the state of sessions and paths; what is common to all is in here:
// usual values by class of path, what each acceptor's sessions saw lately, false discovery control.
//
//   window -> signs of long queues -> how much its loss may say -> test of loss by path and session
//                                  -> tests of shares: reordering, damage, duplicates, delay, marks, queues
//          -> session's state, with hysteresis
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/time.h"
#include "core/health/class_baselines.h"
#include "core/health/congestion_memory.h"
#include "core/health/detector.h"
#include "core/health/false_discovery.h"
#include "core/health/loss_test.h"
#include "core/health/metrics_window.h"

namespace dyetrace::health {

class HealthJudge {
  public:
    /// Precondition: !wrong_field(config).
    explicit HealthJudge(const DetectorConfig& config);

    /// A session begins to be tested. Sessions to the same acceptor share what is known of its congestion;
    /// one that is not entered before its first window shares with nobody.
    void enter(SessionDetector& session, IpAddress acceptor);
    /// A session goes on that was tested by another judge of the same configuration. What was held against
    /// its paths is not known any more.
    void resume(SessionDetector& session, IpAddress acceptor);
    /// A session is given up: its state may be thrown away.
    void forget(SessionDetector& session);
    /// A path is given up: it was moved, or made room for another. Its evidence leaves the session.
    void forget(SessionDetector& session, const PathDetector& path);

    /// Takes a window of one of the session's paths; `now` is the caller's clock. Returns true where health
    /// or metric of the session changed by it.
    bool add(SessionDetector& session, PathDetector& path, const MetricsWindow& window, Time now);
    /// Silence is not health: a session without a window for `stale_after` is not measured. Returns true
    /// where its state changed. To be called for each session now and then, or before it is shown.
    bool expire(SessionDetector& session, Time now);

    /// Bound on the false alarms of a session per `exposure()` of its packets, after correction for all
    /// sessions: min(false_alarm, e-BH's).
    [[nodiscard]] double level() const { return discovery_.level(); }
    /// Packets of a session to which level() applies. Half of one more test, of all paths together, counts.
    [[nodiscard]] double exposure() const { return loss_.exposure() / (1 + kPoolWeight); }

    [[nodiscard]] std::size_t sessions() const { return discovery_.tests(); }
    /// Sessions that are degraded or failed by a fault, and not by congestion.
    [[nodiscard]] std::size_t faulty() const { return faulty_; }
    /// Whether localisation should look: it knows what else crossed a link. Some session is degraded or
    /// failed by anything, for where many losses are congestion's nobody else can tell whether some are not;
    /// or several together have evidence for loss, though none has enough by itself.
    [[nodiscard]] bool is_suspicious() const { return impaired_ > 0 || discovery_.discoveries() > 0; }
    [[nodiscard]] std::uint64_t acceptors_over_limit() const { return congestion_.over_limit(); }
    [[nodiscard]] const ClassBaselines& baselines() const { return baselines_; }

  private:
    static constexpr double kPoolWeight = 0.5;

    struct Signs {
        bool sampled = false;   ///< delays were looked at, and the path's floor is known
        bool queued = false;    ///< a queue was long
        bool shifted = false;   ///< delays grew without a queue's jitter
        bool marked = false;    ///< many CE marks
        bool unqueued = false;  ///< delays at the floor
        Duration above_floor;
    };
    struct Verdict {
        Health health;
        Metric metric;
        auto operator<=>(const Verdict&) const = default;
    };

    [[nodiscard]] Signs look(SessionDetector& session, PathDetector& path, const MetricsWindow& window) const;
    void judge_delay(const PathDetector& path, const MetricsWindow& window, Signs& signs) const;
    [[nodiscard]] LossTest::Trust trust(const SessionDetector& session, const MetricsWindow& window,
                                        const Signs& signs, std::uint32_t slice) const;
    void take_loss(SessionDetector& session, PathDetector& path, const MetricsWindow& window,
                   const Signs& signs, Time now);
    void settle_loss(SessionDetector& session, const PathDetector& path, Time now);
    void take_shares(SessionDetector& session, const MetricsWindow& window, const Signs& signs);
    void take_share(SessionDetector& session, ShareTest test, std::size_t path_class, std::uint32_t hits,
                    std::uint32_t trials);
    [[nodiscard]] const ShareLimits& limits(ShareTest test) const;
    [[nodiscard]] double share_threshold() const;
    [[nodiscard]] double value(const SessionDetector& session) const;
    [[nodiscard]] Verdict verdict(const SessionDetector& session) const;
    bool settle(SessionDetector& session, const PathDetector& path, Time now);
    bool take_state(SessionDetector& session, Verdict verdict, Time now);
    void put_to_rest(SessionDetector& session) const;
    void count(const SessionDetector& session, int by);

    DetectorConfig config_;
    LossTest loss_;
    ClassBaselines baselines_;
    CongestionMemory congestion_;
    FalseDiscovery discovery_;
    std::size_t faulty_ = 0;
    std::size_t impaired_ = 0;
};

}  // namespace dyetrace::health
