// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/burst_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace dyetrace::localise {
namespace {

using Grid = BurstModel::Grid;
using Emission = BurstModel::Emission;

// Bursts weaker than `rate_min` are rare, not impossible: no history may have the likelihood 0.
constexpr double kWeakBurst = 1e-3;

Grid make_grid(const RatePrior& prior, double rate_min) {
    Grid grid{lanes_of(prior.rates()), 0, {}, {}, {}};
    grid.least = *std::min_element(grid.rates.at.begin(), grid.rates.at.end());
    double sum = 0;
    for (std::size_t i = 0; i < kFaultyRates; ++i) {
        grid.burst_mass[i] = prior.rates()[kHealthyRates + i] >= rate_min ? 1.0 : kWeakBurst;
        sum += grid.burst_mass[i];
    }
    double weaker = 0;
    for (std::size_t i = 0; i < kFaultyRates; ++i) {
        grid.burst_mass[i] /= sum;
        grid.weaker[i] = weaker;
        weaker += grid.burst_mass[i];
        grid.burst_rate[i] = grid.burst_mass[i] * prior.rates()[kHealthyRates + i];
    }
    return grid;
}

using Two = std::array<double, 2>;   // calm, burst
using Four = std::array<double, 4>;  // healthy calm, healthy burst, faulty calm, faulty burst

constexpr double kSmall = 1e-60, kLarge = 1e60;

/// Brings states that have become small back to where there is room below them. Only their ratios count.
template <class States>
void keep_large(States& states) {
    double sum = 0;
    for (const double s : states)
        sum += s;
    if (sum > kSmall && sum < kLarge) return;
    for (double& s : states)
        s /= sum;
}

double normalise(Two& states) {
    const double sum = states[0] + states[1];
    states[0] /= sum;
    states[1] /= sum;
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

// Half of the faults are there when watching begins, the others begin at some epoch, each as likely.
constexpr double kFaultyFromTheStart = 0.5;
constexpr std::size_t kMiddleHealthy = kHealthyRates / 2;

Two observe(const Two& s, const Emission& e) {
    return {s[0] * e.calm[kMiddleHealthy], s[1] * e.healthy_burst};
}

Four observe(const Four& s, const Emission& e, std::size_t faulty) {
    return {s[0] * e.calm[kMiddleHealthy], s[1] * e.healthy_burst, s[2] * e.calm[kHealthyLanes + faulty],
            s[3] * e.burst[faulty]};
}

/// Fills in the likelihoods of a burst.
template <std::size_t kFaulty>
inline void add_bursts(const Grid& grid, Emission& e) {
    std::array<double, kFaulty> weighed, above;
    for (std::size_t i = 0; i < kFaulty; ++i)
        weighed[i] = grid.burst_mass[i] * e.calm[kHealthyLanes + i];
    // Sums from each rate up, of four parts of the grid at a time.
    constexpr std::size_t kPart = kFaulty / kWidth;
    std::array<double, kWidth> sum{}, lost{};
    for (std::size_t i = kPart; i-- > 0;) {
        for (std::size_t k = 0; k < kWidth; ++k) {
            sum[k] += weighed[k * kPart + i];
            above[k * kPart + i] = sum[k];
            lost[k] += grid.burst_rate[k * kPart + i] * e.calm[kHealthyLanes + k * kPart + i];
        }
    }
    double rest = 0;
    for (std::size_t k = kWidth; k-- > 0;) {
        for (std::size_t i = 0; i < kPart; ++i)
            above[k * kPart + i] += rest;
        rest += sum[k];
    }
    // A burst weaker than the steady loss disappears in it.
    for (std::size_t i = 0; i < kFaulty; ++i)
        e.burst[i] = above[i] + grid.weaker[i] * e.calm[kHealthyLanes + i];
    e.healthy_burst = rest;
    e.burst_rate = rest > 0 ? ((lost[0] + lost[1]) + (lost[2] + lost[3])) / rest : 0;
}

/// Scale that is common to all rates, and what a calm healthy link is worth; of all epochs.
struct Scales {
    ScaledProduct common, calm;
};

// A busy link's high rates are out of the question in every epoch, and need not be looked at: those at which
// each is less likely than this, beside the likeliest rate. A healthy link with a burst is likelier by far.
constexpr double kOutOfQuestion = 1e-25;

/// The likelihood of each healthy rate and of the `kFaulty` lowest faulty ones, the largest scaled to 1.
/// Whether those above are out of the question, which they are if the highest of these is: where losses are
/// Poisson, the logarithm of the likelihood is concave in the rate.
template <std::size_t kFaulty>
inline bool emit(const Grid& grid, const EpochEvidence& evidence, const HistoryEvidence& history, Emission& e,
                 Scales& scales) {
    constexpr std::size_t kUsed = kHealthyLanes + kFaulty;
    LossProduct<kUsed> losses;
    for (std::uint32_t i = 0; i < evidence.loss_count; ++i) {
        const EpochLoss& loss = history.losses[evidence.first_loss + i];
        losses.multiply(grid.rates, loss.lost, loss.per_rate);
    }
    std::array<double, kUsed> calm;
    if (losses.is_plain() && evidence.more == EpochEvidence::kNothing) {
        for (std::size_t i = 0; i < kUsed; ++i)
            calm[i] = -evidence.sent * (grid.rates[i] - grid.least);
        exponentiate(calm);
        for (std::size_t i = 0; i < kUsed; ++i)
            calm[i] *= losses.product()[i];
        const double top = largest(calm);
        const double scale = 1 / top;
        for (double& one : calm)
            one *= scale;
        scales.common.multiply(top);
        scales.common.multiply_exp(-evidence.sent * grid.least);
        scales.calm.multiply(losses.product()[kMiddleHealthy]);
        scales.calm.multiply_exp(-evidence.sent * grid.rates[kMiddleHealthy]);
    } else {
        calm = losses.logs();
        for (std::size_t i = 0; i < kUsed; ++i)
            calm[i] -= evidence.sent * grid.rates[i];
        if (evidence.more != EpochEvidence::kNothing) {
            const Lanes more = lanes_of(history.more[evidence.more]);
            for (std::size_t i = 0; i < kUsed; ++i)
                calm[i] += more[i];
        }
        const double top = largest(calm);
        scales.common.multiply_exp(top);
        scales.calm.multiply_exp(calm[kMiddleHealthy]);
        for (double& one : calm)
            one -= top;
        exponentiate(calm);
    }
    std::copy(calm.begin(), calm.end(), e.calm.begin());
    std::fill(e.calm.begin() + kUsed, e.calm.end(), 0);
    add_bursts<kFaulty>(grid, e);
    std::fill(e.burst.begin() + kFaulty, e.burst.end(), 0);
    return calm[kUsed - 1] < kOutOfQuestion;
}

/// Chains for all rates side by side. As long as a link is healthy, those with onset are the same; each
/// rate's faulty states are scaled on their own, since likelihoods differ by hundreds of orders of magnitude.
template <std::size_t kFaulty>
class Chains {
  public:
    Chains() {
        healthy_ = {1 - kFaultyFromTheStart, 0};
        calm_.fill(kFaultyFromTheStart);
        ratio_.fill(1);
        steady_calm_.fill(1);
    }

    void take(const Emission& e) {
        take_steady(e);
        const double remain = 1 - e.enter, leave = 1 - e.stay;
        const Two before = step(healthy_, e);
        const double calm_onset = before[0] * e.onset, burst_onset = before[1] * e.onset;
        healthy_ = {before[0] * (1 - e.onset) * e.calm[kMiddleHealthy],
                    before[1] * (1 - e.onset) * e.healthy_burst};
        std::uint64_t out = healthy_[0] + healthy_[1] < kSmall ? 1 : 0;
        for (std::size_t i = 0; i < kFaulty; ++i) {
            const double calm =
                (calm_[i] * remain + burst_[i] * leave + calm_onset * ratio_[i]) * e.calm[kHealthyLanes + i];
            const double burst =
                (calm_[i] * e.enter + burst_[i] * e.stay + burst_onset * ratio_[i]) * e.burst[i];
            const double sum = calm + burst;
            // In the healthy states' scale a rate that is out of the question may be small, and then nothing.
            const std::uint64_t own_scale = ratio_[i] != 1 ? 1 : 0;
            const std::uint64_t small = sum < kSmall ? 1 : 0;
            const std::uint64_t large = sum > kLarge ? 1 : 0;
            out |= large | (small & own_scale);
            const double kept = sum < kGone && ratio_[i] == 1 ? 0 : 1;
            calm_[i] = calm * kept;
            burst_[i] = burst * kept;
        }
        if (out != 0) rescale();
    }

    void write(PerRate& log_likelihood) const {
        for (std::size_t i = 0; i < kHealthyRates; ++i)
            log_likelihood[i] = std::log(steady_calm_[i] + steady_burst_[i]) + log_steady_[i];
        for (std::size_t i = 0; i < kFaulty; ++i) {
            const double faulty = calm_[i] + burst_[i];
            const double healthy = (healthy_[0] + healthy_[1]) * ratio_[i];
            log_likelihood[kHealthyRates + i] = std::log(faulty + healthy) + log_faulty_[i];
        }
        for (std::size_t i = kFaulty; i < kFaultyRates; ++i)  // then its fault has not begun yet
            log_likelihood[kHealthyRates + i] = std::log(healthy_[0] + healthy_[1]) + log_healthy_;
    }

  private:
    void take_steady(const Emission& e) {
        const double remain = 1 - e.enter, leave = 1 - e.stay;
        std::uint64_t small = 0;
        for (std::size_t i = 0; i < kHealthyLanes; ++i) {
            const double calm = (steady_calm_[i] * remain + steady_burst_[i] * leave) * e.calm[i];
            const double burst = (steady_calm_[i] * e.enter + steady_burst_[i] * e.stay) * e.healthy_burst;
            steady_calm_[i] = calm;
            steady_burst_[i] = burst;
            small |= calm + burst < kSmall ? 1U : 0U;
        }
        if (small == 0) return;
        for (std::size_t i = 0; i < kHealthyLanes; ++i) {
            Two states{steady_calm_[i], steady_burst_[i]};
            log_steady_[i] += normalise(states);
            steady_calm_[i] = states[0];
            steady_burst_[i] = states[1];
        }
    }

    void rescale() {
        const bool healthy_out = healthy_[0] + healthy_[1] < kSmall;
        if (healthy_out) log_healthy_ += normalise(healthy_);
        for (std::size_t i = 0; i < kFaulty; ++i) {
            const double faulty = calm_[i] + burst_[i];
            const bool out = faulty < kSmall || faulty > kLarge;
            if (!healthy_out && (!out || (faulty < kSmall && ratio_[i] == 1))) continue;
            if (out && faulty > 0) {
                calm_[i] /= faulty;
                burst_[i] /= faulty;
                log_faulty_[i] += std::log(faulty);
            }
            // What onset brings over from the healthy states, in this rate's scale. Where the rate is out of
            // the question, its scale follows that of the healthy states.
            if (faulty == 0 || log_healthy_ - log_faulty_[i] > kTooFar) {
                calm_[i] = burst_[i] = 0;
                log_faulty_[i] = log_healthy_;
            }
            ratio_[i] = std::exp(log_healthy_ - log_faulty_[i]);
        }
    }
    static constexpr double kTooFar = 300;
    static constexpr double kGone = 1e-250;  // beside healthy states of at least `kSmall`

    alignas(32) std::array<double, kHealthyLanes> steady_calm_{}, steady_burst_{}, log_steady_{};
    alignas(32) std::array<double, kFaulty> calm_{}, burst_{};
    alignas(32) std::array<double, kFaulty> ratio_{};  ///< scale of the healthy states over each rate's
    std::array<double, kFaulty> log_faulty_{};         ///< what each rate's states were divided by
    Two healthy_{};
    double log_healthy_ = 0;  ///< what the healthy states were divided by
};

/// Whether higher rates are out of the question; else nothing is said.
template <std::size_t kFaulty>
inline bool weigh_epochs(const Grid& grid, const HistoryEvidence& history, std::span<Emission> emissions,
                         BurstModel::Weight& weight) {
    Scales scales;
    Chains<kFaulty> chains;
    for (std::size_t i = 0; i < emissions.size(); ++i) {
        const bool suffices = emit<kFaulty>(grid, history.epochs[i], history, emissions[i], scales);
        if (kFaulty < kFaultyRates && !suffices) return false;
        chains.take(emissions[i]);
    }
    chains.write(weight.log_likelihood);
    const double scale = scales.common.log();
    for (double& log : weight.log_likelihood)
        log += scale;
    weight.log_calm = scales.calm.log();
    return true;
}

/// By as few rates as suffice.
inline void weigh_history(const Grid& grid, const HistoryEvidence& history, std::span<Emission> emissions,
                          BurstModel::Weight& weight) {
    constexpr std::size_t kFew = 12, kSome = 20;
    const bool is_poisson = history.more.empty();
    if (is_poisson && weigh_epochs<kFew>(grid, history, emissions, weight)) return;
    if (is_poisson && weigh_epochs<kSome>(grid, history, emissions, weight)) return;
    weigh_epochs<kFaultyRates>(grid, history, emissions, weight);
}

inline void multiply_losses(const Grid& grid, std::span<const EpochLoss> paths, Lanes& logs) {
    LossProduct<kLanes> losses;
    for (const EpochLoss& loss : paths)
        losses.multiply(grid.rates, loss.lost, loss.per_rate);
    logs.at = losses.logs();
}

// The same twice: for any processor of the architecture, and for those with vectors of four.
[[gnu::flatten]] void weigh_history_plain(const Grid& grid, const HistoryEvidence& history,
                                          std::span<Emission> emissions, BurstModel::Weight& weight) {
    weigh_history(grid, history, emissions, weight);
}
[[gnu::flatten]] void multiply_losses_plain(const Grid& grid, std::span<const EpochLoss> paths, Lanes& logs) {
    multiply_losses(grid, paths, logs);
}
#if defined(__x86_64__)
#define DYETRACE_WIDE [[gnu::flatten, gnu::target("avx2")]]
#else
#define DYETRACE_WIDE [[gnu::flatten]]
#endif
DYETRACE_WIDE void weigh_history_wide(const Grid& grid, const HistoryEvidence& history,
                                      std::span<Emission> emissions, BurstModel::Weight& weight) {
    weigh_history(grid, history, emissions, weight);
}
DYETRACE_WIDE void multiply_losses_wide(const Grid& grid, std::span<const EpochLoss> paths, Lanes& logs) {
    multiply_losses(grid, paths, logs);
}
#undef DYETRACE_WIDE

}  // namespace

BurstModel::BurstModel(const RatePrior& prior, const BurstConfig& config, bool wide)
    : grid_(make_grid(prior, config.rate_min)), config_(config), wide_(wide) {
    for (std::size_t gap = 0; gap < stay_.size(); ++gap)
        stay_[gap] = std::pow(config.stay, static_cast<double>(gap));
}

/// Chances of going from state to state.
void BurstModel::set_chances(std::span<const EpochEvidence> epochs) {
    const auto onsets = std::count_if(epochs.begin(), epochs.end(), [](const auto& e) { return e.onset; });
    for (std::size_t i = 0; i < epochs.size(); ++i) {
        Emission& e = emissions_[i];
        const std::int64_t gap = i == 0 ? 1 : epochs[i].epoch - epochs[i - 1].epoch;
        e.enter = config_.enter * epochs[i].burst_factor;
        const double stay = stay_[static_cast<std::size_t>(std::min(gap, kLongGap))];
        e.stay = std::max(stay * std::min(1.0, epochs[i].burst_factor), e.enter);
        e.onset = epochs[i].onset ? 1.0 / static_cast<double>(onsets + 1) : 0;
    }
}

BurstModel::Weight BurstModel::weigh(const HistoryEvidence& history) {
    emissions_.resize(history.epochs.size());
    set_chances(history.epochs);
    Weight weight;
    (wide_ ? weigh_history_wide : weigh_history_plain)(grid_, history, emissions_, weight);
    return weight;
}

/// Chances of the states in each epoch given all epochs (forward and backward), as expected rates.
std::vector<double> BurstModel::healthy_rates(double healthy_rate) {
    const std::size_t n = emissions_.size();
    forward_.resize(n);
    Two states{1, 0};
    for (std::size_t i = 0; i < n; ++i) {
        states = observe(step(states, emissions_[i]), emissions_[i]);
        keep_large(states);
        forward_[i] = {states[0], states[1], 0, 0};
    }
    std::vector<double> rates(n);
    Two after{1, 1};
    for (std::size_t i = n; i-- > 0;) {
        const Emission& e = emissions_[i];
        const double calm = forward_[i][0] * after[0], burst = forward_[i][1] * after[1];
        rates[i] = healthy_rate + burst / (calm + burst) * e.burst_rate;
        const Two seen = observe(after, e);
        after = {(1 - e.enter) * seen[0] + e.enter * seen[1], (1 - e.stay) * seen[0] + e.stay * seen[1]};
        keep_large(after);
    }
    return rates;
}

std::vector<double> BurstModel::faulty_rates(std::size_t rate, double healthy_rate) {
    const std::size_t n = emissions_.size(), faulty = rate - kHealthyRates;
    const double faulty_rate = grid_.rates[lane_of(rate)];
    forward_.resize(n);
    Four states{1 - kFaultyFromTheStart, 0, kFaultyFromTheStart, 0};
    for (std::size_t i = 0; i < n; ++i) {
        states = observe(step_with_onset(states, emissions_[i]), emissions_[i], faulty);
        keep_large(states);
        forward_[i] = states;
    }
    std::vector<double> rates(n);
    Four after{1, 1, 1, 1};
    for (std::size_t i = n; i-- > 0;) {
        Four both{};
        double all = 0;
        for (std::size_t s = 0; s < 4; ++s) {
            both[s] = forward_[i][s] * after[s];
            all += both[s];
        }
        const Emission& e = emissions_[i];
        rates[i] = (both[0] * healthy_rate + both[1] * (healthy_rate + e.burst_rate) + both[2] * faulty_rate +
                    both[3] * std::max(faulty_rate, e.burst_rate)) /
                   all;
        const Four seen = observe(after, e, faulty);
        const Two healthy{(1 - e.enter) * seen[0] + e.enter * seen[1],
                          (1 - e.stay) * seen[0] + e.stay * seen[1]};
        const Two bad{(1 - e.enter) * seen[2] + e.enter * seen[3], (1 - e.stay) * seen[2] + e.stay * seen[3]};
        after = {(1 - e.onset) * healthy[0] + e.onset * bad[0], (1 - e.onset) * healthy[1] + e.onset * bad[1],
                 bad[0], bad[1]};
        keep_large(after);
    }
    return rates;
}

void BurstModel::add_losses(std::span<const EpochLoss> paths, PerRate& log_likelihood) const {
    if (paths.empty()) return;
    Lanes logs;
    (wide_ ? multiply_losses_wide : multiply_losses_plain)(grid_, paths, logs);
    for (std::size_t r = 0; r < kRates; ++r)
        log_likelihood[r] += logs[lane_of(r)];
}

}  // namespace dyetrace::localise
