// SPDX-License-Identifier: GPL-2.0-or-later
// What loss rates a link may have: those of a healthy one, and those of a faulty one.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace dyetrace::localise {

/// Points at which a likelihood is evaluated: first the healthy rates, then the faulty ones, rising.
inline constexpr std::size_t kHealthyRates = 6;
inline constexpr std::size_t kFaultyRates = 28;
inline constexpr std::size_t kRates = kHealthyRates + kFaultyRates;
using PerRate = std::array<double, kRates>;

/// A healthy link loses at a rate from U(0, `healthy_rate_max`). A faulty one loses at a rate from
/// [`faulty_rate_min`, 1], log-uniform at first; `learn` then lets the fabric's own faults shape that, so
/// that many faults of one kind make each other easier to see.
class RatePrior {
  public:
    RatePrior(double healthy_rate_max, double faulty_rate_min, double share, double strength);

    [[nodiscard]] const PerRate& rates() const { return rates_; }
    /// log of the prior mass at each point; sums to 1 over the healthy, and over the faulty ones.
    [[nodiscard]] const PerRate& log_mass() const { return log_mass_; }
    [[nodiscard]] double healthy_mean() const;
    /// log odds that a link of which nothing is known is faulty.
    [[nodiscard]] double log_odds() const;

    /// Re-estimates the share of faulty links and their rates from how many links (a fraction each) are
    /// believed faulty at each faulty rate, out of `links`.
    void learn(std::span<const double, kFaultyRates> faulty, double links);

  private:
    PerRate rates_{};
    PerRate log_mass_{};
    double prior_share_;
    double strength_;
    double share_;
};

/// The probability that has these log odds.
[[nodiscard]] inline double probability(double log_odds) {
    return 1 / (1 + std::exp(-log_odds));
}
[[nodiscard]] inline double log_odds(double probability) {
    return std::log(probability / (1 - probability));
}
/// log(sum(exp(values))) without overflow.
[[nodiscard]] double log_sum_exp(std::span<const double> values);
/// Top of the parabola through the largest value and its neighbours, in log rate: finer than the grid.
[[nodiscard]] double most_likely_rate(std::span<const double> log_weights, std::span<const double> rates);

}  // namespace dyetrace::localise
