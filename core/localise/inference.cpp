// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/inference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "core/base/result.h"

namespace dyetrace::localise {
namespace {

// Others on a path lose at least this; keeps a loss that only one unit can explain from weighing infinitely.
constexpr double kRateFloor = 1e-7;

// A grid point that holds more of the weight than this has its neighbours too far away.
constexpr double kGridTooCoarse = 0.4;

double probability(double log_odds) {
    return 1 / (1 + std::exp(-log_odds));
}

/// One unit's share of the work: its lossy paths, and what it is now believed to lose.
struct Unit {
    std::vector<std::uint32_t> lossy_any_time;
    std::vector<std::uint32_t> lossy;        ///< with an epoch, by epoch
    std::vector<std::int32_t> lossy_epochs;  ///< those epochs, each once
    double rate_any_time = 0;
    std::vector<double> rate;  ///< in each of `lossy_epochs`
    bool stale = true;         ///< what others are believed to lose on its paths has changed
};

class Sweeper {
  public:
    Sweeper(const Evidence& evidence, const InferenceConfig& config);
    Beliefs run();

  private:
    /// Likelihoods of a unit's rates, and its expected rates if healthy and if faulty.
    struct Weighed {
        PerRate log_likelihood{};
        std::vector<double> healthy_rate;  ///< in each of the lossy epochs, if the unit is healthy ..
        std::vector<double> faulty_rate;   ///< .. and if it is faulty
        double expected_rate = 0;          ///< over all time
    };

    [[nodiscard]] std::size_t place_of(UnitIndex unit, std::int32_t epoch) const;
    [[nodiscard]] double rate_at(UnitIndex unit, std::int32_t epoch) const;
    void sum_up_paths();
    void add_losses(UnitIndex unit, std::span<const std::uint32_t> paths, PerRate& log_likelihood) const;
    [[nodiscard]] std::vector<EpochEvidence> evidence_by_epoch(UnitIndex unit) const;
    [[nodiscard]] Weighed weigh(UnitIndex unit) const;
    void tell_others(UnitIndex unit);
    void judge(UnitIndex unit);
    bool update(UnitIndex unit);
    [[nodiscard]] std::vector<UnitIndex> order() const;
    void learn();
    [[nodiscard]] double evidence_of_faults() const;

    const Evidence& evidence_;
    const InferenceConfig& config_;
    RatePrior prior_;
    std::vector<Unit> units_;
    std::vector<Weighed> weighed_;   ///< of each unit, when it was last weighed
    std::vector<double> path_rate_;  ///< of each lossy path, summed over its units
    std::vector<double> told_rate_;  ///< .. when units on it were last told
    std::vector<Belief> beliefs_;
    std::vector<std::array<double, kFaultyRates>>
        faulty_rates_;  ///< of each unit, sums to its chance of being faulty
};

Sweeper::Sweeper(const Evidence& evidence, const InferenceConfig& config)
    : evidence_(evidence),
      config_(config),
      prior_(config.healthy_rate_max, config.faulty_rate_min, config.faulty_share,
             config.faulty_share_strength),
      units_(evidence.units.size()),
      weighed_(evidence.units.size()),
      path_rate_(evidence.lossy.size()),
      told_rate_(evidence.lossy.size()),
      beliefs_(evidence.units.size()),
      faulty_rates_(evidence.units.size()) {
    for (std::uint32_t p = 0; p < evidence.lossy.size(); ++p) {
        const LossyPath& path = evidence.lossy[p];
        for (std::uint32_t i = 0; i < path.unit_count; ++i) {
            Unit& unit = units_[evidence.path_units[path.first_unit + i]];
            (path.epoch == kNoEpoch ? unit.lossy_any_time : unit.lossy).push_back(p);
        }
    }
    for (Unit& unit : units_) {
        std::stable_sort(unit.lossy.begin(), unit.lossy.end(), [&](std::uint32_t x, std::uint32_t y) {
            return evidence.lossy[x].epoch < evidence.lossy[y].epoch;
        });
        for (const std::uint32_t p : unit.lossy) {
            const std::int32_t epoch = evidence.lossy[p].epoch;
            if (unit.lossy_epochs.empty() || unit.lossy_epochs.back() != epoch)
                unit.lossy_epochs.push_back(epoch);
        }
        unit.rate_any_time = prior_.healthy_mean();
        unit.rate.assign(unit.lossy_epochs.size(), prior_.healthy_mean());
    }
}

/// Of one of the unit's lossy epochs.
std::size_t Sweeper::place_of(UnitIndex unit, std::int32_t epoch) const {
    const auto& epochs = units_[unit].lossy_epochs;
    const auto place = std::lower_bound(epochs.begin(), epochs.end(), epoch);
    DYETRACE_ASSERT(place != epochs.end() && *place == epoch);
    return static_cast<std::size_t>(place - epochs.begin());
}

double Sweeper::rate_at(UnitIndex unit, std::int32_t epoch) const {
    return epoch == kNoEpoch ? units_[unit].rate_any_time : units_[unit].rate[place_of(unit, epoch)];
}

/// From scratch before each sweep, so that rounding does not add up.
void Sweeper::sum_up_paths() {
    for (std::size_t p = 0; p < path_rate_.size(); ++p) {
        const LossyPath& path = evidence_.lossy[p];
        path_rate_[p] = 0;
        for (std::uint32_t i = 0; i < path.unit_count; ++i) {
            path_rate_[p] += rate_at(evidence_.path_units[path.first_unit + i], path.epoch);
        }
    }
}

void Sweeper::add_losses(UnitIndex unit, std::span<const std::uint32_t> paths,
                         PerRate& log_likelihood) const {
    for (const std::uint32_t p : paths) {
        const LossyPath& path = evidence_.lossy[p];
        const double others = std::max(path_rate_[p] - rate_at(unit, path.epoch), kRateFloor);
        const double per_rate = 1 / others;
        for (std::size_t r = 0; r < kRates; ++r) {
            log_likelihood[r] += path.lost * std::log(1 + prior_.rates()[r] * per_rate);
        }
    }
}

/// Epochs in which the unit's paths lost something, each by itself; those in between, taken together.
std::vector<EpochEvidence> Sweeper::evidence_by_epoch(UnitIndex index) const {
    const Unit& unit = units_[index];
    std::vector<EpochEvidence> epochs;
    auto lossy = unit.lossy.begin();
    bool may_extend = false;
    for (const EpochLoad& load : evidence_.units[index].epochs) {
        const auto first = lossy;
        while (lossy != unit.lossy.end() && evidence_.lossy[*lossy].epoch == load.epoch)
            ++lossy;
        const bool lossless = first == lossy;
        if (!lossless || !may_extend) epochs.emplace_back();
        may_extend = lossless;
        EpochEvidence& evidence = epochs.back();
        evidence.epoch = load.epoch;
        evidence.burst_factor = lossless ? 1 : load.burst_factor;
        evidence.onset = load.epoch <= evidence_.last_onset;
        for (std::size_t r = 0; r < kRates; ++r)
            evidence.log_likelihood[r] -= load.sent * prior_.rates()[r];
        add_losses(index, {first, lossy}, evidence.log_likelihood);
    }
    return epochs;
}

Sweeper::Weighed Sweeper::weigh(UnitIndex index) const {
    const Unit& unit = units_[index];
    const UnitEvidence& evidence = evidence_.units[index];
    Weighed weighed;
    for (std::size_t r = 0; r < kRates; ++r)
        weighed.log_likelihood[r] = -evidence.sent_any_time * prior_.rates()[r];
    add_losses(index, unit.lossy_any_time, weighed.log_likelihood);
    if (unit.lossy.empty()) {
        // Nothing lost in any epoch: bursts do not matter, and the epochs are one.
        double sent = 0;
        for (const EpochLoad& load : evidence.epochs)
            sent += load.sent;
        for (std::size_t r = 0; r < kRates; ++r)
            weighed.log_likelihood[r] -= sent * prior_.rates()[r];
        return weighed;
    }
    const auto epochs = evidence_by_epoch(index);
    const LinkHistory history = weigh_history(epochs, prior_, config_.burst);
    for (std::size_t r = 0; r < kRates; ++r)
        weighed.log_likelihood[r] += history.log_likelihood[r];
    std::size_t next = 0;
    for (std::size_t i = 0; i < epochs.size() && next < unit.lossy_epochs.size(); ++i) {
        if (epochs[i].epoch != unit.lossy_epochs[next]) continue;
        weighed.healthy_rate.push_back(history.healthy_rate[i]);
        weighed.faulty_rate.push_back(history.faulty_rate[i]);
        ++next;
    }
    return weighed;
}

/// Mean of `rates` under the (unnormalised) log weights, and log of their sum.
struct Mean {
    double log_sum = 0;
    double rate = 0;
};
Mean mean_rate(std::span<const double> log_weights, std::span<const double> rates) {
    Mean mean{log_sum_exp(log_weights), 0};
    for (std::size_t i = 0; i < rates.size(); ++i)
        mean.rate += std::exp(log_weights[i] - mean.log_sum) * rates[i];
    return mean;
}

/// Top of the parabola through the largest value and its neighbours, in log rate: finer than the grid.
double most_likely_rate(std::span<const double> log_weights, std::span<const double> rates) {
    const auto top = static_cast<std::size_t>(std::max_element(log_weights.begin(), log_weights.end()) -
                                              log_weights.begin());
    if (top == 0 || top + 1 == rates.size()) return rates[top];
    const double left = log_weights[top - 1] - log_weights[top];
    const double right = log_weights[top + 1] - log_weights[top];
    const double shift = left + right < 0 ? 0.5 * (left - right) / (left + right) : 0;
    return rates[top] * std::pow(rates[top + 1] / rates[top], std::clamp(shift, -0.5, 0.5));
}

/// Weighs one unit against the others as they stand and takes over the belief, but not yet its rates.
void Sweeper::judge(UnitIndex index) {
    Weighed& weighed = weighed_[index];
    if (std::exchange(units_[index].stale, false)) weighed = weigh(index);
    PerRate log_weights{};
    for (std::size_t r = 0; r < kRates; ++r)
        log_weights[r] = weighed.log_likelihood[r] + prior_.log_mass()[r];
    const std::span<const double> all(log_weights);
    const std::span<const double> rates(prior_.rates());
    const Mean healthy = mean_rate(all.first(kHealthyRates), rates.first(kHealthyRates));
    const Mean faulty = mean_rate(all.subspan(kHealthyRates), rates.subspan(kHealthyRates));

    Belief& belief = beliefs_[index];
    belief.log_bayes_factor = faulty.log_sum - healthy.log_sum;
    belief.log_odds = belief.log_bayes_factor + prior_.log_odds() + evidence_.units[index].prior_log_odds;
    belief.loss_rate = most_likely_rate(all.subspan(kHealthyRates), rates.subspan(kHealthyRates));
    const double faulty_chance = probability(belief.log_odds);
    double top = 0;
    for (std::size_t i = 0; i < kFaultyRates; ++i) {
        const double weight = std::exp(log_weights[kHealthyRates + i] - faulty.log_sum);
        faulty_rates_[index][i] = faulty_chance * weight;
        top = std::max(top, weight);
    }
    // Where one grid point holds most of the weight, the top between the points is nearer the truth.
    const double faulty_rate = top > kGridTooCoarse ? belief.loss_rate : faulty.rate;
    weighed.expected_rate = faulty_chance * faulty_rate + (1 - faulty_chance) * healthy.rate;
}

/// Judges a unit and takes over what it is now believed to lose; whether anything changed.
bool Sweeper::update(UnitIndex index) {
    Unit& unit = units_[index];
    const bool was_stale = unit.stale;
    const double chance_before = probability(beliefs_[index].log_odds);
    judge(index);
    const double chance = probability(beliefs_[index].log_odds);
    const bool moved = std::abs(chance - chance_before) > config_.belief_settled;
    if (!was_stale && !moved) return false;

    const Weighed& weighed = weighed_[index];
    for (const std::uint32_t p : unit.lossy_any_time)
        path_rate_[p] += weighed.expected_rate - unit.rate_any_time;
    unit.rate_any_time = weighed.expected_rate;
    for (const std::uint32_t p : unit.lossy)
        path_rate_[p] -= rate_at(index, evidence_.lossy[p].epoch);
    for (std::size_t i = 0; i < unit.rate.size(); ++i) {
        unit.rate[i] = chance * weighed.faulty_rate[i] + (1 - chance) * weighed.healthy_rate[i];
    }
    for (const std::uint32_t p : unit.lossy)
        path_rate_[p] += rate_at(index, evidence_.lossy[p].epoch);
    tell_others(index);
    return true;
}

/// Units that share a path with `index` must be weighed again where it is believed to lose otherwise than
/// before.
void Sweeper::tell_others(UnitIndex index) {
    for (const auto* paths : {&units_[index].lossy_any_time, &units_[index].lossy}) {
        for (const std::uint32_t p : *paths) {
            if (std::abs(path_rate_[p] - told_rate_[p]) <= config_.rate_settled * told_rate_[p]) continue;
            told_rate_[p] = path_rate_[p];
            const LossyPath& path = evidence_.lossy[p];
            for (std::uint32_t i = 0; i < path.unit_count; ++i) {
                const UnitIndex other = evidence_.path_units[path.first_unit + i];
                if (other != index) units_[other].stale = true;
            }
        }
    }
}

/// The units with the strongest evidence first: they explain what others would take for their own.
std::vector<UnitIndex> Sweeper::order() const {
    std::vector<UnitIndex> order(units_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
                     [&](UnitIndex a, UnitIndex b) { return beliefs_[a].log_odds > beliefs_[b].log_odds; });
    return order;
}

void Sweeper::learn() {
    std::array<double, kFaultyRates> faulty{};
    double links = 0;
    for (UnitIndex u = 0; u < units_.size(); ++u) {
        if (evidence_.units[u].prior_log_odds < 0) continue;  // another population
        links += 1;
        for (std::size_t i = 0; i < kFaultyRates; ++i)
            faulty[i] += faulty_rates_[u][i];
    }
    prior_.learn(faulty, links);
}

double Sweeper::evidence_of_faults() const {
    double sum = 0;
    for (UnitIndex u = 0; u < units_.size(); ++u) {
        const double prior = probability(prior_.log_odds() + evidence_.units[u].prior_log_odds);
        const double faulty = beliefs_[u].log_bayes_factor + std::log(prior);
        const double healthy = std::log1p(-prior);
        sum += std::max(faulty, healthy) + std::log1p(std::exp(-std::abs(faulty - healthy)));
    }
    return sum;
}

Beliefs Sweeper::run() {
    // At first each is judged alone, as if the others were healthy. That finds an order in which to blame.
    sum_up_paths();
    told_rate_ = path_rate_;
    for (UnitIndex unit = 0; unit < units_.size(); ++unit)
        judge(unit);
    for (Unit& unit : units_)
        unit.stale = true;
    for (int sweep = 0; sweep < config_.max_sweeps; ++sweep) {
        sum_up_paths();
        bool moved = false;
        for (const UnitIndex unit : order())
            moved = update(unit) || moved;
        learn();
        if (!moved) break;
    }
    return {beliefs_, evidence_of_faults()};
}

}  // namespace

Beliefs infer_units(const Evidence& evidence, const InferenceConfig& config) {
    return Sweeper(evidence, config).run();
}

}  // namespace dyetrace::localise
