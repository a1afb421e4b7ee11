// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/rate_prior.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dyetrace::localise {
namespace {

// A link's rate is known to within a point or so: what one link teaches is spread over its neighbours.
// Weights of a point's distance 0, 1 and 2: a normal of standard deviation 0.8.
constexpr std::array<double, 3> kSpread = {0.486, 0.223, 0.034};

// Faulty links that the log-uniform prior of rates weighs as much as; one or two real ones overrule it.
constexpr double kRateStrength = 0.5;

}  // namespace

double log_sum_exp(std::span<const double> values) {
    const double top = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (const double value : values)
        sum += std::exp(value - top);
    return top + std::log(sum);
}

double most_likely_rate(std::span<const double> log_weights, std::span<const double> rates) {
    const auto top = static_cast<std::size_t>(std::max_element(log_weights.begin(), log_weights.end()) -
                                              log_weights.begin());
    if (top == 0 || top + 1 == rates.size()) return rates[top];
    const double left = log_weights[top - 1] - log_weights[top];
    const double right = log_weights[top + 1] - log_weights[top];
    const double shift = left + right < 0 ? 0.5 * (left - right) / (left + right) : 0;
    return rates[top] * std::pow(rates[top + 1] / rates[top], std::clamp(shift, -0.5, 0.5));
}

RatePrior::RatePrior(double healthy_rate_max, double faulty_rate_min, double share, double strength)
    : prior_share_(share), strength_(strength), share_(share) {
    for (std::size_t i = 0; i < kHealthyRates; ++i) {
        rates_[i] = healthy_rate_max * (static_cast<double>(i) + 0.5) / kHealthyRates;
        log_mass_[i] = -std::log(kHealthyRates);
    }
    for (std::size_t i = 0; i < kFaultyRates; ++i) {
        const double place = static_cast<double>(i) / (kFaultyRates - 1);
        rates_[kHealthyRates + i] = std::pow(faulty_rate_min, 1 - place);
        log_mass_[kHealthyRates + i] = -std::log(kFaultyRates);
    }
}

double RatePrior::healthy_mean() const {
    return std::accumulate(rates_.begin(), rates_.begin() + kHealthyRates, 0.0) / kHealthyRates;
}

double RatePrior::log_odds() const {
    return localise::log_odds(share_);
}

void RatePrior::learn(std::span<const double, kFaultyRates> faulty, double links) {
    std::array<double, kFaultyRates> spread{};
    for (std::size_t i = 0; i < kFaultyRates; ++i) {
        for (std::size_t distance = 0; distance < kSpread.size(); ++distance) {
            if (i >= distance) spread[i - distance] += faulty[i] * kSpread[distance];
            if (distance > 0 && i + distance < kFaultyRates)
                spread[i + distance] += faulty[i] * kSpread[distance];
        }
    }
    const double found = std::accumulate(spread.begin(), spread.end(), 0.0);
    for (std::size_t i = 0; i < kFaultyRates; ++i) {
        const double mass = (kRateStrength / kFaultyRates + spread[i]) / (kRateStrength + found);
        log_mass_[kHealthyRates + i] = std::log(mass);
    }
    share_ = (prior_share_ * strength_ + found) / (strength_ + links);
}

}  // namespace dyetrace::localise
