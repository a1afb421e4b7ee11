// SPDX-License-Identifier: GPL-2.0-or-later
// Is a session losing packets? Wald's sequential probability ratio test (Annals of Mathematical Statistics
// 16, 1945) on its windows of (sent, lost). Pure: evidence in; verdict, reason and statistic out.
//
//   H0: loss rate <= baseline       H1: loss rate >= impaired
//   statistic += lost ln(p1 / p0) - sent (p1 - p0)       (Poisson likelihoods)
//   accept H1 above ln((1 - miss) / false alarm), H0 below ln(miss / (1 - false alarm)), then start anew
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace dyetrace::health {

struct DetectorConfig {
    /// A fabric loses about one packet in 10^5 to bit errors when nothing is wrong (IEEE 802.3 asks for far
    /// fewer).
    double baseline_rate = 1e-5;
    /// One in 1000 is where TCP throughput begins to suffer (Mathis et al., CCR 27(3), 1997: rate ~
    /// 1/sqrt(loss)).
    double impaired_rate = 1e-3;
    /// Per test. With 10^4 sessions and a decision each second, one false alarm in some minutes is left to
    /// the investigation, which costs only directives.
    double false_alarm = 1e-6;
    double miss = 1e-2;
    /// Most that one window may say for H1. A burst that fills a queue loses many packets in one window and
    /// none after; four windows in a row are asked for before it counts as a state.
    double window_most = 4.0;
};

enum class Health : std::uint8_t { NotMeasured, Healthy, Degraded };
std::string_view to_string(Health health);

/// The state of one session, and what led to it.
class SessionDetector {
  public:
    /// Takes a window. Returns true where the state changed by it.
    bool add(std::uint64_t sent, std::uint64_t lost, const DetectorConfig& config);

    [[nodiscard]] Health health() const { return health_; }
    [[nodiscard]] double statistic() const { return statistic_; }
    /// Totals over the test that is running or that last decided.
    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    /// "lost 12 of 1630 packets (0.74%), statistic 16.1 above 13.8"
    [[nodiscard]] std::string reason(const DetectorConfig& config) const;

  private:
    Health health_ = Health::NotMeasured;
    bool decided_ = false;  ///< the next window begins a new test
    double statistic_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace dyetrace::health
