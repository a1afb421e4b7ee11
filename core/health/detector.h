// SPDX-License-Identifier: GPL-2.0-or-later
// What detection is told before it starts, and the states that it gives a pair of hosts.
// The mathematics, error rates and failure modes are in docs/detection.md.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace dyetrace::health {

/// A share that is tested against what is usual for it.
struct ShareLimits {
    double usual_least;  ///< a class never learns less as its usual share, however clean it was
    double usual_most;   ///< nor more: what is broken everywhere is not usual
    double impaired;     ///< least share that counts as worse; more where the usual share is high
};

struct DetectorConfig {
    /// A fabric loses about one packet in 10^5 to bit errors when nothing is wrong (IEEE 802.3 asks for far
    /// fewer).
    double baseline_rate = 1e-5;
    /// One in 1000 is where TCP throughput begins to suffer (Mathis et al., CCR 27(3), 1997: rate ~
    /// 1/sqrt(loss)).
    double impaired_rate = 1e-3;
    /// Most that a session may risk per `LossTest::exposure()` packets; false discovery control may ask for
    /// less.
    double false_alarm = 1e-6;
    /// Chance that an impaired path or session is called healthy, per verdict.
    double miss = 1e-2;
    /// Of the sessions called impaired at a time, the share that may be so by chance.
    double false_discovery_share = 0.05;
    /// Most, in nats, that a window may say for loss while nothing is known of queues: a burst that fills one
    /// loses many packets in one window and none after. This clips the likelihood ratio as Huber's robust
    /// test does (1965) where e^-4, 2%, of the windows are not what the model says. Once queues were seen, or
    /// none were, in many windows, their share takes its place.
    double window_most = 4.0;
    /// Most in any case. No single report decides, whatever it says.
    double quiet_window_most = 12.0;
    /// Without so many lost packets there is no alarm.
    std::uint32_t losses_least = 2;

    /// A session without a window for so long is not measured.
    Duration stale_after = Duration::seconds(5);
    /// A state of impairment lasts at least so long: whoever acts on it needs it to stand still.
    Duration hold = Duration::milliseconds(500);
    /// Loss is over once no packet was lost for so long, though a path that lost carries nothing any more.
    Duration clear_after = Duration::seconds(5);

    /// Share of packets lost above which a pair is unusable, over the last windows (each weighs 7/8 of the
    /// next) and this many packets at least.
    double failed_share = 0.5;
    double failed_packets_least = 30;

    /// Delay above the path's floor that says that a queue is long: three times what is usual for paths of as
    /// many links, but within these two. The lower one is `LocaliserConfig::short_queue`, four full packets
    /// at 1 Gb/s, the upper one half of what a port of 150 kB holds at that rate.
    Duration queue_least = Duration::microseconds(50);
    Duration queue_most = Duration::microseconds(600);
    /// A path's floor rises so fast at most, ns per second: raw delays hold the clocks' difference, which
    /// drifts by some ppm where they are disciplined (20 ppm).
    std::int64_t floor_rise = 20'000;
    /// Share of tracked packets marked CE that says that a queue is long.
    double ce_share = 0.1;

    /// Shares of tracked packets. RFC 4737 §3.3 reordering makes TCP resend from 3 packets on.
    ShareLimits reordering{1e-3, 5e-2, 2e-2};
    /// Damage that no link's check sees: usually none at all; judged as loss is.
    ShareLimits corruption{1e-5, 1e-4, 1e-3};
    ShareLimits duplication{1e-5, 1e-3, 5e-3};
    /// Shares of windows in which delays, or marks, were looked at.
    ShareLimits congestion{2e-2, 3e-1, 5e-1};
    ShareLimits delay{2e-2, 1e-1, 5e-1};
    ShareLimits marking{1e-2, 1e-1, 5e-1};

    /// Acceptors whose congestion is remembered, about 64 bytes each; those over it are counted.
    std::size_t acceptors = 65536;
};

/// The first field that is wrong, and what it must be.
std::optional<std::string> wrong_field(const DetectorConfig& config);

enum class Health : std::uint8_t { NotMeasured, Healthy, Degraded, Failed };
std::string_view to_string(Health health);

/// What a state rests on.
enum class Metric : std::uint8_t {
    None,
    Loss,         ///< of packets, where no queue was long
    Excess,       ///< more received than sent
    Delay,        ///< grew and stays so: a longer way, not a queue
    Reordering,   ///< RFC 4737 §3.3
    Corruption,   ///< of guests' frames
    Duplication,  ///< of tracked packets
    Marking,      ///< CE though no queue is long
    Congestion,   ///< long queues, with CE or loss or neither
    Silence       ///< nothing fresh is known
};
std::string_view to_string(Metric metric);
/// False for what traffic alone does to a sound fabric.
[[nodiscard]] constexpr bool is_fault(Metric metric) {
    return metric != Metric::None && metric != Metric::Congestion && metric != Metric::Silence;
}

/// The metrics that are tested as shares, in the order in which one is named before another.
enum class ShareTest : std::uint8_t { Corruption, Duplication, Reordering, Delay, Marking, Congestion };
inline constexpr std::size_t kShareTests = 6;

/// Evidence for loss at each of a few rates, as Shiryaev-Roberts statistics. See LossTest.
inline constexpr std::size_t kLossRates = 3;
using LossEvidence = std::array<float, kLossRates>;

/// State of one (session, path). Plain: HealthJudge does all with it.
struct PathDetector {
    LossEvidence loss{};
    float clean = 0;           ///< evidence, in nats, that the impaired rate is not reached
    std::int32_t floor = 0;    ///< of delay, ns above the session's reference; valid with samples
    std::uint32_t sent = 0;    ///< since the evidence began to rise
    std::uint32_t lost = 0;    ///< of those
    std::uint8_t samples = 0;  ///< windows with delays, saturates
    std::uint8_t epoch = 0;    ///< of the session, whose change puts this evidence to rest
};
static_assert(sizeof(PathDetector) <= 32);

/// A share that is under test: Page's statistics for and against the impaired share.
struct ShareState {
    float up = 0;
    float down = 0;
    std::uint16_t hits = 0;    ///< since `up` began to rise; saturates
    std::uint16_t trials = 0;  ///< the same
};

/// Packets of two half-second slices of time, the older first.
struct RecentLoss {
    std::uint32_t slice = 0;  ///< wraps
    std::array<float, 2> sent{};
    std::array<float, 2> lost{};
};

/// State of one session (requester to acceptor), and what led to it.
class SessionDetector {
  public:
    [[nodiscard]] Health health() const { return health_; }
    /// What the state rests on: of a healthy session loss, as it is what the verdict is about.
    [[nodiscard]] Metric metric() const { return metric_; }
    /// Degraded or failed by something that traffic alone does not do.
    [[nodiscard]] bool is_faulty() const {
        return (health_ == Health::Degraded || health_ == Health::Failed) && is_fault(metric_);
    }
    /// Packets (or windows, of Delay, Marking, Congestion) that the state rests on, and how many of them were
    /// lost, late, damaged...
    [[nodiscard]] std::uint64_t sample() const { return sample_; }
    [[nodiscard]] std::uint64_t hits() const { return hits_; }
    /// Nats for the state at the moment it was taken, and what had to be exceeded for it.
    [[nodiscard]] double statistic() const { return statistic_; }
    [[nodiscard]] double threshold() const { return threshold_; }
    /// 1 less the error rate that the state was taken with; zero where nothing is measured.
    [[nodiscard]] double confidence() const {
        return health_ == Health::NotMeasured ? 0 : -std::expm1(-static_cast<double>(threshold_));
    }
    [[nodiscard]] Time since() const { return since_; }
    /// When a window was last taken.
    [[nodiscard]] Time fresh_at() const { return fresh_at_; }
    /// "lost 12 of 1630 packets (0.74%), e-value 10^7.0 above 10^6.0"
    [[nodiscard]] std::string reason() const;

  private:
    friend class HealthJudge;

    Time since_{};
    Time fresh_at_{};
    std::int64_t delay_reference_ = 0;
    double paths_evidence_ = 0;  ///< sum over paths of this epoch of what is above rest
    std::uint32_t sample_ = 0;
    std::uint32_t hits_ = 0;
    float statistic_ = 0;
    float threshold_ = 0;
    std::uint32_t lost_at_ms_ = 0;  ///< wraps
    LossEvidence pool_{};           ///< of all paths together
    float clean_ = 0;
    std::uint32_t pool_sent_ = 0;
    float recent_sent_ = 0;
    float recent_lost_ = 0;
    float recent_congested_ = 0;  ///< of the lost ones, with signs of long queues
    std::array<ShareState, kShareTests> shares_{};
    RecentLoss own_;
    std::int32_t floor_ = 0;   ///< of delay over all paths, ns above the reference
    std::uint32_t group_ = 0;  ///< of sessions to the same acceptor; zero: none
    std::uint16_t pool_lost_ = 0;
    Health health_ = Health::NotMeasured;
    Metric metric_ = Metric::None;
    std::uint8_t active_ = 0;  ///< share tests that found their share impaired, a bit each
    std::uint8_t bin_ = 0;     ///< in false discovery control
    std::uint8_t epoch_ = 1;   ///< never zero, which no session's path has
    bool entered_ : 1 = false;
    bool lossy_ : 1 = false;   ///< the loss test found loss
    bool armed_ : 1 = false;   ///< there was evidence for loss before the last report with loss
    bool excess_ : 1 = false;  ///< more was received than sent
    bool has_delay_ : 1 = false;
};
static_assert(sizeof(SessionDetector) <= 192);

}  // namespace dyetrace::health
