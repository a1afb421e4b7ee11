// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/detector.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/base/result.h"

namespace dyetrace::health {
namespace {

double upper_bound(const DetectorConfig& config) {
    return std::log((1 - config.miss) / config.false_alarm);
}
double lower_bound(const DetectorConfig& config) {
    return std::log(config.miss / (1 - config.false_alarm));
}

}  // namespace

std::string_view to_string(Health health) {
    switch (health) {
        case Health::NotMeasured: return "not measured";
        case Health::Healthy: return "healthy";
        case Health::Degraded: return "degraded";
    }
    DYETRACE_ASSERT(false);
    return {};
}

bool SessionDetector::add(std::uint64_t sent, std::uint64_t lost, const DetectorConfig& config) {
    if (decided_) {
        decided_ = false;
        statistic_ = 0;
        sent_ = lost_ = 0;
    }
    sent_ += sent;
    lost_ += lost;
    const double gain = static_cast<double>(lost) * std::log(config.impaired_rate / config.baseline_rate) -
                        static_cast<double>(sent) * (config.impaired_rate - config.baseline_rate);
    statistic_ += std::min(gain, config.window_most);
    const Health before = health_;
    if (statistic_ >= upper_bound(config)) {
        health_ = Health::Degraded;
        decided_ = true;
    } else if (statistic_ <= lower_bound(config)) {
        health_ = Health::Healthy;
        decided_ = true;
    }
    return health_ != before;
}

std::string SessionDetector::reason(const DetectorConfig& config) const {
    char text[160];
    const double share = sent_ == 0 ? 0 : 100.0 * static_cast<double>(lost_) / static_cast<double>(sent_);
    const bool degraded = health_ == Health::Degraded;
    std::snprintf(text, sizeof text, "lost %llu of %llu packets (%.3g%%), statistic %.1f %s %.1f",
                  static_cast<unsigned long long>(lost_), static_cast<unsigned long long>(sent_), share,
                  statistic_, degraded ? "above" : "below",
                  degraded ? upper_bound(config) : lower_bound(config));
    return text;
}

}  // namespace dyetrace::health
