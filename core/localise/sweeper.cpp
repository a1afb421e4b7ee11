// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/sweeper.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/result.h"

namespace dyetrace::localise {
namespace {

// A grid point that holds more of the weight than this has its neighbours too far away.
constexpr double kGridTooCoarse = 0.4;

double probability(double log_odds) {
    return 1 / (1 + std::exp(-log_odds));
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

}  // namespace

Sweeper::Sweeper(const Evidence& evidence, const InferenceConfig& config)
    : evidence_(evidence),
      config_(config),
      prior_(config.healthy_rate_max, config.faulty_rate_min, config.faulty_share,
             config.faulty_share_strength),
      shares_(evidence.units.size()),
      weighed_(evidence.units.size()),
      mixture_(evidence, prior_),
      ids_(evidence.units.size()),
      path_rate_(evidence.lossy.size()),
      told_rate_(evidence.lossy.size()),
      beliefs_(evidence.units.size()),
      faulty_rates_(evidence.units.size()) {
    std::iota(ids_.begin(), ids_.end(), 0U);
    for (std::uint32_t p = 0; p < evidence.lossy.size(); ++p) {
        const LossyPath& path = evidence.lossy[p];
        const auto list = [&](UnitIndex unit) {
            LossShare& share = shares_[unit];
            (path.epoch == kNoEpoch ? share.any_time : share.timed).push_back(p);
        };
        const auto certain = std::span(evidence.path_units).subspan(path.first_unit, path.unit_count);
        std::for_each(certain.begin(), certain.end(), list);
        if (path.set == kNoSet) continue;
        for (const UnitIndex unit : mixture_.units_of(path.set)) {
            if (!crosses_for_certain(path, {&unit, 1})) list(unit);
        }
    }
    for (LossShare& share : shares_)
        index_epochs(share);
}

/// Sorts a share's timed paths, and believes it healthy.
void Sweeper::index_epochs(LossShare& share) const {
    std::stable_sort(share.timed.begin(), share.timed.end(), [&](std::uint32_t x, std::uint32_t y) {
        return evidence_.lossy[x].epoch < evidence_.lossy[y].epoch;
    });
    for (const std::uint32_t p : share.timed) {
        const std::int32_t epoch = evidence_.lossy[p].epoch;
        if (share.lossy_epochs.empty() || share.lossy_epochs.back() != epoch)
            share.lossy_epochs.push_back(epoch);
    }
    share.rate_any_time = prior_.healthy_mean();
    share.rate.assign(share.lossy_epochs.size(), prior_.healthy_mean());
}

/// `epoch`: one of the share's lossy ones, or none.
double Sweeper::rate_at(const LossShare& share, std::int32_t epoch) {
    if (epoch == kNoEpoch) return share.rate_any_time;
    const auto place = std::lower_bound(share.lossy_epochs.begin(), share.lossy_epochs.end(), epoch);
    DYETRACE_ASSERT(place != share.lossy_epochs.end() && *place == epoch);
    return share.rate[static_cast<std::size_t>(place - share.lossy_epochs.begin())];
}

/// From scratch before each sweep, so that rounding does not add up.
void Sweeper::sum_up_paths() {
    for (std::uint32_t p = 0; p < path_rate_.size(); ++p) {
        const LossyPath& path = evidence_.lossy[p];
        path_rate_[p] = path.others_rate;
        for (std::uint32_t i = 0; i < path.unit_count; ++i) {
            path_rate_[p] += rate_at(shares_[evidence_.path_units[path.first_unit + i]], path.epoch);
        }
        if (path.set == kNoSet) continue;
        const auto choices = mixture_.choices_of(path.set);
        for (std::size_t c = 0; c < choices.size(); ++c) {
            double rate = 0;
            for (const UnitIndex unit : mixture_.units_of(choices[c]))
                rate += rate_at(shares_[unit], path.epoch);
            mixture_.choice_rates(p)[c] = rate;
        }
        mixture_.rates_changed(p);
    }
}

bool Sweeper::crosses_for_certain(const LossyPath& path, Members members) const {
    const auto certain = std::span(evidence_.path_units).subspan(path.first_unit, path.unit_count);
    return std::any_of(certain.begin(), certain.end(), [&](UnitIndex unit) {
        return members.size() == 1 ? unit == members[0]
                                   : std::binary_search(members.begin(), members.end(), unit);
    });
}

/// `unit`, which is on path `p`, is believed to lose more.
void Sweeper::move_rate(std::uint32_t p, UnitIndex unit, double by) {
    const LossyPath& path = evidence_.lossy[p];
    if (path.set == kNoSet || crosses_for_certain(path, {&unit, 1})) {
        path_rate_[p] += by;
        return;
    }
    const auto choices = mixture_.choices_of(path.set);
    for (std::size_t c = 0; c < choices.size(); ++c) {
        const auto units = mixture_.units_of(choices[c]);
        if (std::find(units.begin(), units.end(), unit) != units.end()) mixture_.choice_rates(p)[c] += by;
    }
    mixture_.rates_changed(p);
}

void Sweeper::add_losses(const LossShare& share, std::span<const std::uint32_t> paths, Members members,
                         PerRate& log_likelihood) const {
    LogProduct product;
    for (const std::uint32_t p : paths) {
        const LossyPath& path = evidence_.lossy[p];
        const double own = rate_at(share, path.epoch);
        if (path.set != kNoSet) {
            mixture_.add_lossy(p, path_rate_[p], own, crosses_for_certain(path, members), members, product);
            continue;
        }
        const double others = std::max(path_rate_[p] - own, kRateFloor);
        product.multiply(prior_.rates(), 1 / others, path.lost);
    }
    product.add_to(log_likelihood);
}

/// Epochs in which the unit's paths lost something, each by itself; those in between, taken together.
std::vector<EpochEvidence> Sweeper::evidence_by_epoch(const LossShare& share, const UnitEvidence& evidence,
                                                      Members members) const {
    std::vector<EpochEvidence> epochs;
    auto lossy = share.timed.begin();
    bool may_extend = false;
    for (const EpochLoad& load : evidence.epochs) {
        const auto first = lossy;
        while (lossy != share.timed.end() && evidence_.lossy[*lossy].epoch == load.epoch)
            ++lossy;
        const bool lossless = first == lossy;
        if (!lossless || !may_extend) epochs.emplace_back();
        may_extend = lossless;
        EpochEvidence& epoch = epochs.back();
        epoch.epoch = load.epoch;
        epoch.burst_factor = lossless ? 1 : load.burst_factor;
        epoch.onset = load.epoch <= evidence_.last_onset;
        for (std::size_t r = 0; r < kRates; ++r)
            epoch.log_likelihood[r] -= load.sent * prior_.rates()[r];
        add_losses(share, {first, lossy}, members, epoch.log_likelihood);
    }
    return epochs;
}

/// Evidence for a faulty link against a healthy one.
Sweeper::Weight Sweeper::to_weight(const Weighed& weighed) const {
    PerRate log_weights{};
    for (std::size_t r = 0; r < kRates; ++r)
        log_weights[r] = weighed.log_likelihood[r] + prior_.log_mass()[r];
    const std::span<const double> all(log_weights);
    const auto faulty = all.subspan(kHealthyRates);
    const double log_faulty = log_sum_exp(faulty), log_healthy = log_sum_exp(all.first(kHealthyRates));
    return {log_faulty - log_healthy,
            most_likely_rate(faulty, std::span(prior_.rates()).subspan(kHealthyRates)),
            log_faulty - weighed.log_calm, log_healthy - weighed.log_calm};
}

/// A counter tells the truth with some chance; else it says as much of one rate as of another.
void Sweeper::add_counters(const UnitEvidence& evidence, PerRate& log_likelihood) const {
    for (const CounterReading& counter : evidence.counters) {
        PerRate honest{};
        for (std::size_t r = 0; r < kRates; ++r) {
            const double expected = counter.sent * prior_.rates()[r];
            honest[r] = counter.lost * std::log(expected) - expected - std::lgamma(counter.lost + 1);
        }
        const double top = *std::max_element(honest.begin(), honest.end());
        double mean = 0;
        for (const double log_chance : honest)
            mean += std::exp(log_chance - top) / kRates;
        const double trust = counter.lost > 0 ? config_.counter_trust : config_.counter_silence_trust;
        for (std::size_t r = 0; r < kRates; ++r)
            log_likelihood[r] += std::log(trust * std::exp(honest[r] - top) + (1 - trust) * mean);
    }
}

Sweeper::Weighed Sweeper::weigh(const LossShare& share, const UnitEvidence& evidence, Members members,
                                const PerRate& lossless) const {
    Weighed weighed;
    for (std::size_t r = 0; r < kRates; ++r)
        weighed.log_likelihood[r] = lossless[r] - evidence.sent_any_time * prior_.rates()[r];
    add_losses(share, share.any_time, members, weighed.log_likelihood);
    add_counters(evidence, weighed.log_likelihood);
    constexpr std::size_t kCalm = kHealthyRates / 2;
    if (share.timed.empty()) {
        // Nothing lost in any epoch: bursts do not matter, and the epochs are one.
        double sent = 0;
        for (const EpochLoad& load : evidence.epochs)
            sent += load.sent;
        for (std::size_t r = 0; r < kRates; ++r)
            weighed.log_likelihood[r] -= sent * prior_.rates()[r];
        weighed.log_calm = weighed.log_likelihood[kCalm];
        return weighed;
    }
    const auto epochs = evidence_by_epoch(share, evidence, members);
    weighed.log_calm = weighed.log_likelihood[kCalm];
    for (const EpochEvidence& epoch : epochs)
        weighed.log_calm += epoch.log_likelihood[kCalm];
    const LinkHistory history = weigh_history(epochs, prior_, config_.burst);
    for (std::size_t r = 0; r < kRates; ++r)
        weighed.log_likelihood[r] += history.log_likelihood[r];
    std::size_t next = 0;
    for (std::size_t i = 0; i < epochs.size() && next < share.lossy_epochs.size(); ++i) {
        if (epochs[i].epoch != share.lossy_epochs[next]) continue;
        weighed.healthy_rate.push_back(history.healthy_rate[i]);
        weighed.faulty_rate.push_back(history.faulty_rate[i]);
        ++next;
    }
    return weighed;
}

Sweeper::Weighed Sweeper::weigh_alone(UnitIndex unit) const {
    static constexpr PerRate kNothing{};
    return weigh(shares_[unit], evidence_.units[unit], Members(&ids_[unit], 1),
                 mixture_.any_lossless() ? mixture_.lossless(unit) : kNothing);
}

/// Weighs one unit against the others as they stand and takes over the belief, but not yet its rates.
void Sweeper::judge(UnitIndex index) {
    Weighed& weighed = weighed_[index];
    if (std::exchange(shares_[index].stale, false)) weighed = weigh_alone(index);
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
    LossShare& share = shares_[index];
    const bool was_stale = share.stale;
    const double chance_before = probability(beliefs_[index].log_odds);
    judge(index);
    const double chance = probability(beliefs_[index].log_odds);
    const bool moved = std::abs(chance - chance_before) > config_.belief_settled;
    if (!was_stale && !moved) return false;

    const Weighed& weighed = weighed_[index];
    std::vector<double> timed(share.rate.size());
    for (std::size_t i = 0; i < timed.size(); ++i) {
        timed[i] = chance * weighed.faulty_rate[i] + (1 - chance) * weighed.healthy_rate[i];
    }
    set_rates(index, timed, weighed.expected_rate);
    tell_others(index);
    return true;
}

/// Units that share a path with `index` must be weighed again where it is believed to lose otherwise than
/// before.
void Sweeper::tell_others(UnitIndex index) {
    const auto tell = [&](UnitIndex other) {
        if (other != index) shares_[other].stale = true;
    };
    for (const auto* paths : {&shares_[index].any_time, &shares_[index].timed}) {
        for (const std::uint32_t p : *paths) {
            const LossyPath& path = evidence_.lossy[p];
            double rate = path_rate_[p];
            if (path.set != kNoSet) {
                const auto choices = mixture_.choices_of(path.set);
                for (std::size_t c = 0; c < choices.size(); ++c)
                    rate += choices[c].weight * mixture_.choice_rates(p)[c];
            }
            if (std::abs(rate - told_rate_[p]) <= config_.rate_settled * told_rate_[p]) continue;
            told_rate_[p] = rate;
            const auto certain = std::span(evidence_.path_units).subspan(path.first_unit, path.unit_count);
            std::for_each(certain.begin(), certain.end(), tell);
            if (path.set == kNoSet) continue;
            const auto units = mixture_.units_of(path.set);
            std::for_each(units.begin(), units.end(), tell);
        }
    }
}

/// The units with the strongest evidence first: they explain what others would take for their own.
std::vector<UnitIndex> Sweeper::order() const {
    std::vector<UnitIndex> order(shares_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
                     [&](UnitIndex a, UnitIndex b) { return beliefs_[a].log_odds > beliefs_[b].log_odds; });
    return order;
}

void Sweeper::learn() {
    std::array<double, kFaultyRates> faulty{};
    double links = 0;
    for (UnitIndex u = 0; u < shares_.size(); ++u) {
        if (evidence_.units[u].prior_log_odds < 0) continue;  // another population
        links += 1;
        for (std::size_t i = 0; i < kFaultyRates; ++i)
            faulty[i] += faulty_rates_[u][i];
    }
    prior_.learn(faulty, links);
}

double Sweeper::log_evidence_of_faults() const {
    double sum = 0;
    for (UnitIndex u = 0; u < shares_.size(); ++u) {
        const double prior = probability(prior_.log_odds() + evidence_.units[u].prior_log_odds);
        const double faulty = beliefs_[u].log_bayes_factor + std::log(prior);
        const double healthy = std::log1p(-prior);
        sum += std::max(faulty, healthy) + std::log1p(std::exp(-std::abs(faulty - healthy)));
    }
    return sum;
}

void Sweeper::share_out_lossless() {
    if (!mixture_.any_lossless()) return;
    std::vector<double> rates;
    rates.reserve(shares_.size());
    for (const LossShare& share : shares_)
        rates.push_back(share.rate_any_time);
    if (!mixture_.weigh_lossless(rates)) return;
    for (LossShare& share : shares_)
        share.stale = true;
}

void Sweeper::run() {
    // At first each is judged alone, as if the others were healthy. That finds an order in which to blame.
    sum_up_paths();
    told_rate_ = path_rate_;
    share_out_lossless();
    for (UnitIndex unit = 0; unit < shares_.size(); ++unit)
        judge(unit);
    for (LossShare& share : shares_)
        share.stale = true;
    for (int sweep = 0; sweep < config_.max_sweeps; ++sweep) {
        sum_up_paths();
        if (sweep > 0) share_out_lossless();
        bool moved = false;
        for (const UnitIndex unit : order())
            moved = update(unit) || moved;
        learn();
        if (!moved) break;
    }
}

}  // namespace dyetrace::localise
