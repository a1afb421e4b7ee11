// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/loss_test.h"

#include <algorithm>
#include <cmath>

#include "core/base/result.h"

namespace dyetrace::health {
namespace {

/// Prior shares of the rates, least first. A loss at the middle one, 1%, adds so much at once that its test
/// has the least to spare; the greatest costs most false alarms, as its evidence forgets soonest.
constexpr std::array<double, kLossRates> kPrior{0.3, 0.6, 0.1};
/// Past this nothing changes: it is far above any threshold, and far below what float and the sums of a
/// session's paths hold exactly.
constexpr double kEvidenceMost = 1e12;

}  // namespace

LossTest::LossTest(const DetectorConfig& config) : baseline_(config.baseline_rate) {
    const double top = std::clamp(config.impaired_rate * 100, 0.1, 0.5);
    const double least = std::min(config.impaired_rate, top);
    const std::array<double, kLossRates> rates{least, std::sqrt(least * top), top};
    double weight = 0;
    for (std::size_t k = 0; k < kLossRates; ++k) {
        Rate& rate = rates_[k];
        rate.rate = rates[k];
        rate.gain = std::log(rate.rate / baseline_);
        rate.cost = std::log1p(-baseline_) - std::log1p(-rate.rate);
        rate.weight = kPrior[k] * rate.cost;  // not p - p0: so that rest is exactly the prior
        rest_[k] = static_cast<float>(kPrior[k]);
        weight += rate.weight;
    }
    exposure_ = 1 / weight;
    accept_ = static_cast<float>(std::log((1 - config.false_alarm) / config.miss));
    // H = J - X where X < J, X exponential of mean c; a ladder that takes longer hardly ever happens.
    const double jump = rates_[0].gain;
    const double c = 1 - baseline_ / least;
    const double short_gap = 1 - std::exp(-jump / c);
    const double mean_height = (jump - c * short_gap) / short_gap;
    const double mean_exp = std::exp(-jump) * -std::expm1(jump - jump / c) / ((1 - c) * short_gap);
    boost_ = std::max(1.0, mean_height / (1 - std::clamp(mean_exp, 0.0, 0.999)));
}

void LossTest::add(LossEvidence& evidence, std::uint64_t sent, std::uint64_t lost, Trust trust) const {
    DYETRACE_ASSERT(lost <= sent);
    const double n = static_cast<double>(sent);
    const double m = static_cast<double>(lost);
    const bool raised = lost > 0 && trust.baseline > baseline_;
    for (std::size_t k = 0; k < kLossRates; ++k) {
        const Rate& rate = rates_[k];
        double gain = m * (rate.gain + rate.cost) - n * rate.cost;
        if (raised) {
            const double usual = std::min(trust.baseline, 0.999);
            gain = usual >= rate.rate ? std::min(gain, 0.0)
                                      : m * std::log(rate.rate / usual) +
                                            (n - m) * (std::log1p(-rate.rate) - std::log1p(-usual));
        }
        gain = std::min({gain, trust.most, 60.0});
        const double before = static_cast<double>(evidence[k]) + n * rate.weight;
        evidence[k] = static_cast<float>(std::min(before * std::exp(gain), kEvidenceMost));
    }
}

double LossTest::value(const LossEvidence& evidence) const {
    double sum = 0;
    for (const float one : evidence)
        sum += static_cast<double>(one);
    return sum * boost_;
}

void LossTest::add_clean(float& clean, std::uint64_t sent, std::uint64_t lost) const {
    const Rate& rate = rates_[0];
    const double gain = static_cast<double>(sent - lost) * rate.cost - static_cast<double>(lost) * rate.gain;
    clean =
        static_cast<float>(std::clamp(static_cast<double>(clean) + gain, 0.0, static_cast<double>(accept_)));
}

double wald_sample(double p, double p0, double false_alarm, double miss) {
    return std::log((1 - miss) / false_alarm) / (p * std::log(p / p0) - (p - p0));
}

}  // namespace dyetrace::health
