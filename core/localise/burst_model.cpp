// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/burst_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace dyetrace::localise {
namespace {

/// What one epoch says, as plain likelihoods scaled by a common factor.
struct Emission {
    PerRate calm{};                            ///< the link loses at this steady rate, no burst
    std::array<double, kFaultyRates> burst{};  ///< .. and is in a burst besides; [i]: at faulty rate i
    double healthy_burst = 0;                  ///< in a burst, steady rate negligible
    double burst_rate = 0;                     ///< expected rate in a burst, given that there is one
    double log_scale = 0;
    double enter = 0;  ///< chance that a burst begins
    double stay = 0;   ///< chance that one has lasted since the last epoch with traffic
    double onset = 0;  ///< chance that a fault begins
};

// Bursts weaker than `rate_min` are rare, not impossible: no history may have the likelihood 0.
constexpr double kWeakBurst = 1e-3;

/// Prior mass of each faulty rate as the rate of a burst.
std::array<double, kFaultyRates> burst_mass(const RatePrior& prior, double rate_min) {
    std::array<double, kFaultyRates> mass{};
    double sum = 0;
    for (std::size_t i = 0; i < kFaultyRates; ++i) {
        mass[i] = prior.rates()[kHealthyRates + i] >= rate_min ? 1.0 : kWeakBurst;
        sum += mass[i];
    }
    for (double& m : mass)
        m /= sum;
    return mass;
}

Emission make_emission(const EpochEvidence& evidence, std::span<const double, kFaultyRates> mass,
                       const RatePrior& prior) {
    Emission e;
    e.log_scale = *std::max_element(evidence.log_likelihood.begin(), evidence.log_likelihood.end());
    for (std::size_t i = 0; i < kRates; ++i)
        e.calm[i] = std::exp(evidence.log_likelihood[i] - e.log_scale);
    double below = 0;
    for (const double m : mass)
        below += m;
    double above = 0;
    for (std::size_t i = kFaultyRates; i-- > 0;) {
        const double calm = e.calm[kHealthyRates + i];
        above += mass[i] * calm;
        below -= mass[i];
        // A burst weaker than the steady loss disappears in it.
        e.burst[i] = above + std::max(below, 0.0) * calm;
        e.burst_rate += mass[i] * calm * prior.rates()[kHealthyRates + i];
    }
    e.healthy_burst = above;
    e.burst_rate = above > 0 ? e.burst_rate / above : 0;
    return e;
}

std::vector<Emission> make_emissions(std::span<const EpochEvidence> epochs, const RatePrior& prior,
                                     const BurstConfig& config) {
    const auto mass = burst_mass(prior, config.rate_min);
    const auto onsets = std::count_if(epochs.begin(), epochs.end(), [](const auto& e) { return e.onset; });
    std::vector<Emission> emissions;
    emissions.reserve(epochs.size());
    for (std::size_t i = 0; i < epochs.size(); ++i) {
        Emission e = make_emission(epochs[i], mass, prior);
        const std::int64_t gap = i == 0 ? 1 : epochs[i].epoch - epochs[i - 1].epoch;
        e.enter = config.enter * epochs[i].burst_factor;
        e.stay = std::pow(config.stay, static_cast<double>(std::min<std::int64_t>(gap, 100))) *
                 std::min(1.0, epochs[i].burst_factor);
        e.stay = std::max(e.stay, e.enter);
        e.onset = epochs[i].onset ? 1.0 / static_cast<double>(onsets + 1) : 0;
        emissions.push_back(e);
    }
    return emissions;
}

using Two = std::array<double, 2>;   // calm, burst
using Four = std::array<double, 4>;  // healthy calm, healthy burst, faulty calm, faulty burst

template <class States>
double normalise(States& states) {
    double sum = 0;
    for (const double s : states)
        sum += s;
    for (double& s : states)
        s /= sum;
    return std::log(sum);
}

Two step(const Two& s, const Emission& e) {
    return {s[0] * (1 - e.enter) + s[1] * (1 - e.stay), s[0] * e.enter + s[1] * e.stay};
}

/// One step of the chain with onset, before the epoch's evidence.
Four step_with_onset(const Four& s, const Emission& e) {
    const Two healthy = step(Two{s[0], s[1]}, e);
    const Two faulty = step(Two{s[2], s[3]}, e);
    return {healthy[0] * (1 - e.onset), healthy[1] * (1 - e.onset), faulty[0] + healthy[0] * e.onset,
            faulty[1] + healthy[1] * e.onset};
}

Two observe(const Two& s, const Emission& e, std::size_t rate) {
    return {s[0] * e.calm[rate], s[1] * e.healthy_burst};
}

Four observe(const Four& s, const Emission& e, std::size_t healthy, std::size_t faulty) {
    return {s[0] * e.calm[healthy], s[1] * e.healthy_burst, s[2] * e.calm[faulty],
            s[3] * e.burst[faulty - kHealthyRates]};
}

// Half of the faults are there when watching begins, the others begin at some epoch, each as likely.
constexpr double kFaultyFromTheStart = 0.5;

Four start_with_onset() {
    return {1 - kFaultyFromTheStart, 0, kFaultyFromTheStart, 0};
}

constexpr std::size_t kMiddleHealthy = kHealthyRates / 2;

double log_likelihood_healthy(const std::vector<Emission>& emissions, std::size_t rate) {
    Two states{1, 0};
    double sum = 0;
    for (const Emission& e : emissions) {
        states = observe(step(states, e), e, rate);
        sum += normalise(states) + e.log_scale;
    }
    return sum;
}

/// The chain with onset, for all faulty rates side by side. As long as a link is healthy they are the same;
/// each rate's faulty states are scaled on their own, since likelihoods differ by hundreds of orders of
/// magnitude.
class FaultyChains {
  public:
    FaultyChains() {
        healthy_ = {1 - kFaultyFromTheStart, 0};
        calm_.fill(kFaultyFromTheStart);
        ratio_.fill(1);
    }

    void take(const Emission& e) {
        const Two before = step(healthy_, e);
        for (std::size_t i = 0; i < kFaultyRates; ++i) {
            const double calm =
                calm_[i] * (1 - e.enter) + burst_[i] * (1 - e.stay) + before[0] * e.onset * ratio_[i];
            const double burst = calm_[i] * e.enter + burst_[i] * e.stay + before[1] * e.onset * ratio_[i];
            calm_[i] = calm * e.calm[kHealthyRates + i];
            burst_[i] = burst * e.burst[i];
        }
        healthy_ = observe({before[0] * (1 - e.onset), before[1] * (1 - e.onset)}, e, kMiddleHealthy);
        log_scale_ += e.log_scale;
        rescale();
    }

    [[nodiscard]] double log_likelihood(std::size_t i) const {
        const double faulty = calm_[i] + burst_[i];
        const double healthy = (healthy_[0] + healthy_[1]) * ratio_[i];
        return std::log(faulty + healthy) + log_faulty_[i] + log_scale_;
    }

  private:
    static constexpr double kSmall = 1e-60, kLarge = 1e60;

    void rescale() {
        const double healthy = healthy_[0] + healthy_[1];
        const bool healthy_out = healthy < kSmall;
        if (healthy_out) log_healthy_ += normalise(healthy_);
        for (std::size_t i = 0; i < kFaultyRates; ++i) {
            const double faulty = calm_[i] + burst_[i];
            const bool out = faulty < kSmall || faulty > kLarge;
            if (out && faulty > 0) {
                calm_[i] /= faulty;
                burst_[i] /= faulty;
                log_faulty_[i] += std::log(faulty);
            }
            // What onset brings over from the healthy states, in this rate's scale. Where the rate is out of
            // the question, its scale follows that of the healthy states.
            if (healthy_out || out) {
                if (faulty == 0 || log_healthy_ - log_faulty_[i] > kTooFar) {
                    calm_[i] = burst_[i] = 0;
                    log_faulty_[i] = log_healthy_;
                }
                ratio_[i] = std::exp(log_healthy_ - log_faulty_[i]);
            }
        }
    }
    static constexpr double kTooFar = 300;

    Two healthy_{};
    std::array<double, kFaultyRates> calm_{}, burst_{};
    std::array<double, kFaultyRates> ratio_{};       ///< scale of the healthy states over that of each rate
    std::array<double, kFaultyRates> log_faulty_{};  ///< what each rate's states were divided by
    double log_healthy_ = 0;                         ///< what the healthy states were divided by
    double log_scale_ = 0;
};

/// Chances of the states in each epoch given all epochs (forward and backward), as expected rates.
std::vector<double> smooth_healthy(const std::vector<Emission>& emissions, double rate) {
    const std::size_t n = emissions.size();
    std::vector<Two> forward(n);
    Two states{1, 0};
    for (std::size_t i = 0; i < n; ++i) {
        states = observe(step(states, emissions[i]), emissions[i], kMiddleHealthy);
        normalise(states);
        forward[i] = states;
    }
    std::vector<double> rates(n);
    Two after{1, 1};
    for (std::size_t i = n; i-- > 0;) {
        const Two both{forward[i][0] * after[0], forward[i][1] * after[1]};
        rates[i] = rate + both[1] / (both[0] + both[1]) * emissions[i].burst_rate;
        const Emission& e = emissions[i];
        const Two seen = observe(after, e, kMiddleHealthy);
        after = {(1 - e.enter) * seen[0] + e.enter * seen[1], (1 - e.stay) * seen[0] + e.stay * seen[1]};
        normalise(after);
    }
    return rates;
}

std::vector<double> smooth_faulty(const std::vector<Emission>& emissions, std::size_t faulty,
                                  double healthy_rate, double faulty_rate) {
    const std::size_t n = emissions.size();
    std::vector<Four> forward(n);
    Four states = start_with_onset();
    for (std::size_t i = 0; i < n; ++i) {
        states = observe(step_with_onset(states, emissions[i]), emissions[i], kMiddleHealthy, faulty);
        normalise(states);
        forward[i] = states;
    }
    std::vector<double> rates(n);
    Four after{1, 1, 1, 1};
    for (std::size_t i = n; i-- > 0;) {
        Four both{};
        for (std::size_t s = 0; s < 4; ++s)
            both[s] = forward[i][s] * after[s];
        normalise(both);
        const Emission& e = emissions[i];
        rates[i] = both[0] * healthy_rate + both[1] * (healthy_rate + e.burst_rate) + both[2] * faulty_rate +
                   both[3] * std::max(faulty_rate, e.burst_rate);
        const Four seen = observe(after, e, kMiddleHealthy, faulty);
        const Two healthy{(1 - e.enter) * seen[0] + e.enter * seen[1],
                          (1 - e.stay) * seen[0] + e.stay * seen[1]};
        const Two bad{(1 - e.enter) * seen[2] + e.enter * seen[3], (1 - e.stay) * seen[2] + e.stay * seen[3]};
        after = {(1 - e.onset) * healthy[0] + e.onset * bad[0], (1 - e.onset) * healthy[1] + e.onset * bad[1],
                 bad[0], bad[1]};
        normalise(after);
    }
    return rates;
}

}  // namespace

LinkHistory weigh_history(std::span<const EpochEvidence> epochs, const RatePrior& prior,
                          const BurstConfig& config) {
    const auto emissions = make_emissions(epochs, prior, config);
    LinkHistory history;
    for (std::size_t i = 0; i < kHealthyRates; ++i)
        history.log_likelihood[i] = log_likelihood_healthy(emissions, i);
    FaultyChains chains;
    for (const Emission& e : emissions)
        chains.take(e);
    std::size_t likely = kHealthyRates;
    double best = -std::numeric_limits<double>::infinity();
    for (std::size_t i = kHealthyRates; i < kRates; ++i) {
        history.log_likelihood[i] = chains.log_likelihood(i - kHealthyRates);
        const double weighed = history.log_likelihood[i] + prior.log_mass()[i];
        if (weighed <= best) continue;
        best = weighed;
        likely = i;
    }
    history.healthy_rate = smooth_healthy(emissions, prior.healthy_mean());
    history.faulty_rate = smooth_faulty(emissions, likely, prior.healthy_mean(), prior.rates()[likely]);
    return history;
}

}  // namespace dyetrace::localise
