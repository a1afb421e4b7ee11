// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/detector.h"

#include <cstdio>

#include "core/base/result.h"

namespace dyetrace::health {
namespace {

bool is_share(double value) {
    return value > 0 && value < 1;
}

const char* what_was(Metric metric) {
    switch (metric) {
        case Metric::Delay: return "windows were later, without the jitter of a queue";
        case Metric::Reordering: return "tracked packets came late";
        case Metric::Corruption: return "tracked packets were damaged";
        case Metric::Duplication: return "tracked packets came twice";
        case Metric::Marking: return "windows had CE marks, without a long queue";
        case Metric::Congestion: return "windows met long queues";
        case Metric::None:
        case Metric::Loss:
        case Metric::Excess:
        case Metric::Silence: break;
    }
    DYETRACE_ASSERT(false);
    return "";
}

}  // namespace

std::optional<std::string> wrong_field(const DetectorConfig& c) {
    if (!(c.baseline_rate > 0 && c.baseline_rate < c.impaired_rate && c.impaired_rate < 0.5)) {
        return "detector: needs 0 < baseline_rate < impaired_rate < 0.5";
    }
    if (!is_share(c.false_alarm) || !is_share(c.miss))
        return "detector: false_alarm and miss lie between 0 and 1";
    if (!is_share(c.false_discovery_share)) return "detector: false_discovery_share lies between 0 and 1";
    if (!(c.window_most > 0 && c.quiet_window_most > 0)) return "detector: window_most must be positive";
    if (c.stale_after.ns <= 0) return "detector: stale_after must be positive";
    if (c.hold.ns < 0 || c.clear_after.ns < 0) return "detector: hold and clear_after may not be negative";
    if (!is_share(c.failed_share)) return "detector: failed_share lies between 0 and 1";
    if (c.queue_least.ns <= 0 || c.queue_most < c.queue_least) {
        return "detector: needs 0 < queue_least <= queue_most";
    }
    if (c.floor_rise < 0) return "detector: floor_rise may not be negative";
    for (const ShareLimits& limits :
         {c.reordering, c.corruption, c.duplication, c.congestion, c.delay, c.marking}) {
        if (!(limits.usual_least > 0 && limits.usual_least <= limits.usual_most && limits.usual_most < 1 &&
              limits.impaired > limits.usual_least && limits.impaired < 1)) {
            return "detector: shares need 0 < usual_least <= usual_most < 1 and usual_least < impaired < 1";
        }
    }
    return std::nullopt;
}

std::string_view to_string(Health health) {
    switch (health) {
        case Health::NotMeasured: return "not measured";
        case Health::Healthy: return "healthy";
        case Health::Degraded: return "degraded";
        case Health::Failed: return "failed";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(Metric metric) {
    switch (metric) {
        case Metric::None: return "none";
        case Metric::Loss: return "loss";
        case Metric::Excess: return "excess";
        case Metric::Delay: return "delay";
        case Metric::Reordering: return "reordering";
        case Metric::Corruption: return "corruption";
        case Metric::Duplication: return "duplication";
        case Metric::Marking: return "marking";
        case Metric::Congestion: return "congestion";
        case Metric::Silence: return "silence";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string SessionDetector::reason() const {
    if (metric_ == Metric::None) return "no window yet";
    if (metric_ == Metric::Silence) return "no fresh window";
    if (metric_ == Metric::Excess) return "more packets were received than sent";
    char text[192];
    const double share = sample_ == 0 ? 0 : 100.0 * hits_ / sample_;
    constexpr double kNatsPerDecade = 2.302585;
    if (metric_ == Metric::Loss && health_ == Health::Healthy) {
        std::snprintf(text, sizeof text, "lost %u of %u packets (%.3g%%), %.1f nats for health above %.1f",
                      hits_, sample_, share, statistic(), threshold());
    } else if (metric_ == Metric::Loss || health_ == Health::Failed) {
        std::snprintf(text, sizeof text, "lost %u of %u packets (%.3g%%)%s, e-value 10^%.1f above 10^%.1f",
                      hits_, sample_, share, metric_ == Metric::Congestion ? " in long queues" : "",
                      statistic() / kNatsPerDecade, threshold() / kNatsPerDecade);
    } else {
        std::snprintf(text, sizeof text, "%u of %u %s (%.3g%%), e-value 10^%.1f above 10^%.1f", hits_,
                      sample_, what_was(metric_), share, statistic() / kNatsPerDecade,
                      threshold() / kNatsPerDecade);
    }
    return text;
}

}  // namespace dyetrace::health
