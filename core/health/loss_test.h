// SPDX-License-Identifier: GPL-2.0-or-later
// Does a path lose more than a sound fabric does? A Shiryaev-Roberts test of a mixture of loss rates: a fault
// may begin at any time and have any rate.
//
//   H0: each packet is lost with probability p0 (baseline), independent of others
//   H1: from some packet on with one of p_1 (impaired) < p_2 < p_3
//   per window, n packets, m of them lost, for each rate k:
//     R_k <- (R_k + n w_k) exp(min(cap, m ln(p_k/p0) + (n-m) ln((1-p_k)/(1-p0)))),   w_k = c_k (p_k - p0)
//   R = R_1 + R_2 + R_3; at rest, without loss, R = c_1 + c_2 + c_3 = 1, as of a test that starts now
//
// Under H0 R less its exposure, n (w_1 + w_2 + w_3), is a supermartingale, whatever the windows and caps are:
// R >= 1/a comes about at most once in 1/a times `exposure()` packets (Shin, Ramdas, Rinaldo, "E-detectors",
// NEJSDS 2(2), 2024; Pollak, Annals of Statistics 13(1), 1985).
#pragma once

#include <cstdint>
#include <limits>

#include "core/health/detector.h"

namespace dyetrace::health {

class LossTest {
  public:
    explicit LossTest(const DetectorConfig& config);

    /// How much a window may say.
    struct Trust {
        double most = std::numeric_limits<double>::infinity();  ///< nats, for loss
        double baseline = 0;  ///< what loss is usual now, where it is more than p0
    };

    [[nodiscard]] LossEvidence at_rest() const { return rest_; }
    /// Takes a window into R. Precondition: lost <= sent.
    void add(LossEvidence& evidence, std::uint64_t sent, std::uint64_t lost, Trust trust) const;
    /// R as an e-value: multiplied by `boost`.
    [[nodiscard]] double value(const LossEvidence& evidence) const;

    /// Takes a window into evidence, nats, that the impaired rate is not reached: Page's statistic of p0
    /// against p_1, from zero up to `accepts()`, where health is accepted.
    void add_clean(float& clean, std::uint64_t sent, std::uint64_t lost) const;
    [[nodiscard]] bool accepts(float clean) const { return clean >= accept_; }
    [[nodiscard]] float accept() const { return accept_; }

    /// What the e-value may be multiplied by though R ends above its threshold, not on it: for a lost packet
    /// adds J = ln(p_1/p0) nats at once. With ladder height H = J - X, X exponential of mean 1 - p0/p_1 (the
    /// cost of the packets between two losses), E exp(-overshoot) = (1 - E exp(-H)) / E H. The smallest jump
    /// has the smallest boost, so it holds for all. (Siegmund, Sequential Analysis, 1985, ch. VIII; Wang and
    /// Ramdas, JRSS B 84(3), 2022, on boosting.)
    [[nodiscard]] double boost() const { return boost_; }
    /// Packets per unit of false alarm rate: 1 / (w_1 + w_2 + w_3).
    [[nodiscard]] double exposure() const { return exposure_; }
    [[nodiscard]] double rate(std::size_t k) const { return rates_[k].rate; }

  private:
    struct Rate {
        double rate = 0;
        double gain = 0;    ///< nats of a lost packet
        double cost = 0;    ///< nats of one that arrived, taken off
        double weight = 0;  ///< w
    };
    double baseline_;
    std::array<Rate, kLossRates> rates_;
    LossEvidence rest_{};
    float accept_;
    double boost_ = 1;
    double exposure_ = 1;
};

/// Packets that Wald's test needs on average until it finds loss at rate p, by his approximation:
/// ln((1 - miss)/false_alarm) / (p ln(p/p0) - (p - p0)). No sequential test of these error rates needs fewer
/// but for the overshoot, which it leaves out.
[[nodiscard]] double wald_sample(double p, double p0, double false_alarm, double miss);

}  // namespace dyetrace::health
