// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/sweeper.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/result.h"
#include "core/localise/rate_lanes.h"

namespace dyetrace::localise {
namespace {

// A grid point that holds more of the weight than this has its neighbours too far away.
constexpr double kGridTooCoarse = 0.4;

// Evidence of more than this is as good as certain.
constexpr double kBeyondDoubt = 50;

// What a unit loses if it is faulty does not matter where the chance of that is no larger.
constexpr double kNegligible = 1e-8;

/// Rates under log weights, which need not sum to 1: log of the weights' sum, and the mean.
struct Mean {
    double log_sum = 0;
    double rate = 0;
};

struct Posterior {
    Mean healthy, faulty;
    std::array<double, kFaultyRates> faulty_share{};  ///< of the weight of all faulty rates
    double most_likely = 0;                           ///< faulty rate
};

Posterior posterior_of(const PerRate& log_likelihood, const RatePrior& prior) {
    const std::span<const double> rates(prior.rates());
    PerRate weights;
    for (std::size_t r = 0; r < kRates; ++r)
        weights[r] = log_likelihood[r] + prior.log_mass()[r];
    const std::span<const double> healthy = std::span<const double>(weights).first(kHealthyRates);
    const std::span<const double> faulty = std::span<const double>(weights).subspan(kHealthyRates);
    const double top_healthy = *std::max_element(healthy.begin(), healthy.end());
    const double top_faulty = *std::max_element(faulty.begin(), faulty.end());
    Posterior posterior;
    posterior.most_likely = most_likely_rate(faulty, rates.subspan(kHealthyRates));
    for (std::size_t r = 0; r < kRates; ++r)
        weights[r] -= r < kHealthyRates ? top_healthy : top_faulty;
    exponentiate(weights);
    double sum = 0;
    for (std::size_t r = 0; r < kHealthyRates; ++r) {
        sum += weights[r];
        posterior.healthy.rate += weights[r] * rates[r];
    }
    posterior.healthy = {top_healthy + std::log(sum), posterior.healthy.rate / sum};
    sum = 0;
    for (std::size_t r = kHealthyRates; r < kRates; ++r) {
        sum += weights[r];
        posterior.faulty.rate += weights[r] * rates[r];
    }
    posterior.faulty = {top_faulty + std::log(sum), posterior.faulty.rate / sum};
    for (std::size_t i = 0; i < kFaultyRates; ++i)
        posterior.faulty_share[i] = weights[kHealthyRates + i] / sum;
    return posterior;
}

}  // namespace

Sweeper::Sweeper(const Evidence& evidence, const InferenceConfig& config)
    : evidence_(evidence),
      config_(config),
      prior_(config.healthy_rate_max, config.faulty_rate_min, config.faulty_share,
             config.faulty_share_strength),
      bursts_(prior_, config.burst),
      shares_(evidence.units.size()),
      weighed_(evidence.units.size()),
      mixture_(evidence, prior_),
      ids_(evidence.units.size()),
      has_sets_(std::any_of(evidence.lossy.begin(), evidence.lossy.end(),
                            [](const LossyPath& path) { return path.set != kNoSet; })),
      path_rate_(evidence.lossy.size()),
      told_rate_(evidence.lossy.size()),
      beliefs_(evidence.units.size()),
      faulty_rates_(evidence.units.size()) {
    std::iota(ids_.begin(), ids_.end(), 0U);
    path_lost_.reserve(evidence.lossy.size());
    for (const LossyPath& path : evidence.lossy)
        path_lost_.push_back(path.lost);
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
    const auto is_earlier = [&](std::uint32_t x, std::uint32_t y) {
        return evidence_.lossy[x].epoch < evidence_.lossy[y].epoch;
    };
    if (!std::is_sorted(share.timed.begin(), share.timed.end(), is_earlier))
        std::stable_sort(share.timed.begin(), share.timed.end(), is_earlier);
    for (std::uint32_t i = 0; i < share.timed.size(); ++i) {
        const std::int32_t epoch = evidence_.lossy[share.timed[i]].epoch;
        if (share.lossy_epochs.empty() || share.lossy_epochs.back() != epoch) {
            share.lossy_epochs.push_back(epoch);
            share.epoch_ends.push_back(i);
        }
        share.epoch_ends.back() = i + 1;
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
    for (std::uint32_t p = 0; p < path_rate_.size(); ++p)
        path_rate_[p] = evidence_.lossy[p].others_rate;
    for (UnitIndex unit = 0; unit < shares_.size(); ++unit) {
        const LossShare& share = shares_[unit];
        const auto is_certain = [&](std::uint32_t p) {
            return !has_sets_ || evidence_.lossy[p].set == kNoSet ||
                   crosses_for_certain(evidence_.lossy[p], {&ids_[unit], 1});
        };
        for (const std::uint32_t p : share.any_time)
            path_rate_[p] += is_certain(p) ? share.rate_any_time : 0;
        for (std::size_t place = 0; place < share.lossy_epochs.size(); ++place) {
            for (const std::uint32_t p : share.in_epoch(place))
                path_rate_[p] += is_certain(p) ? share.rate[place] : 0;
        }
    }
    if (!has_sets_) return;
    for (std::uint32_t p = 0; p < path_rate_.size(); ++p) {
        const LossyPath& path = evidence_.lossy[p];
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
    if (!has_sets_ || path.set == kNoSet || crosses_for_certain(path, {&unit, 1})) {
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

/// What one path after the other says; whether any of it is in `more`: what depends on the rate in other
/// ways.
bool Sweeper::list_losses(std::span<const std::uint32_t> paths, double own, Members members,
                          std::vector<EpochLoss>& losses, PerRate& more) const {
    const auto list = [&](std::uint32_t p) {
        losses.push_back({path_lost_[p], 1 / std::max(path_rate_[p] - own, kRateFloor)});
    };
    if (!has_sets_) {
        std::for_each(paths.begin(), paths.end(), list);
        return false;
    }
    LogProduct product;
    bool any = false;
    for (const std::uint32_t p : paths) {
        const LossyPath& path = evidence_.lossy[p];
        if (path.set == kNoSet) {
            list(p);
        } else {
            any = true;
            mixture_.add_lossy(p, path_rate_[p], own, crosses_for_certain(path, members), members, product);
        }
    }
    if (any) product.add_to(more);
    return any;
}

/// Epochs in which the unit's paths lost something, each by itself, or so many of them `together`; those in
/// between, taken together.
void Sweeper::gather_history(const LossShare& share, const UnitEvidence& evidence, Members members,
                             std::int32_t together) {
    history_.clear();
    std::size_t next = 0;    // of lossy epochs
    std::int32_t began = 0;  // what is being gathered
    for (const EpochLoad& load : evidence.epochs) {
        const bool lossless = next == share.lossy_epochs.size() || share.lossy_epochs[next] != load.epoch;
        const bool joins = !history_.epochs.empty() && (began == load.epoch / together ||
                                                        (lossless && history_.epochs.back().is_lossless()));
        if (!joins) {
            history_.epochs.emplace_back();
            history_.epochs.back().first_loss = static_cast<std::uint32_t>(history_.losses.size());
            began = load.epoch / together;
        }
        EpochEvidence& epoch = history_.epochs.back();
        epoch.epoch = load.epoch;
        epoch.onset = load.epoch <= evidence_.last_onset;
        epoch.sent += load.sent;
        if (lossless) continue;
        epoch.burst_factor =
            epoch.is_lossless() ? load.burst_factor : std::max(epoch.burst_factor, load.burst_factor);
        PerRate more{};
        const bool any = list_losses(share.in_epoch(next), share.rate[next], members, history_.losses, more);
        ++next;
        epoch.loss_count = static_cast<std::uint32_t>(history_.losses.size()) - epoch.first_loss;
        if (!any) continue;
        if (epoch.more == EpochEvidence::kNothing) {
            epoch.more = static_cast<std::uint32_t>(history_.more.size());
            history_.more.emplace_back();
        }
        for (std::size_t r = 0; r < kRates; ++r)
            history_.more[epoch.more][r] += more[r];
    }
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
void Sweeper::add_told(const UnitEvidence& evidence, PerRate& log_likelihood) const {
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
    if (evidence.conclusion != 0) add_conclusion(evidence, log_likelihood);
}

/// Over all faulty rates together it counts what it says, most of it near the rate that others saw.
void Sweeper::add_conclusion(const UnitEvidence& evidence, PerRate& log_likelihood) const {
    constexpr double kLogWidth = 1;  // what is lost differs by the hour and by the path
    PerRate shape{}, weighted{};
    for (std::size_t r = kHealthyRates; r < kRates; ++r) {
        const double off = evidence.conclusion_rate > 0
                               ? std::log(prior_.rates()[r] / evidence.conclusion_rate) / kLogWidth
                               : 0;
        shape[r] = -off * off / 2;
        weighted[r] = shape[r] + prior_.log_mass()[r];
    }
    const auto faulty = [](const PerRate& of) {
        return log_sum_exp(std::span<const double>(of).subspan(kHealthyRates));
    };
    const double mean = faulty(weighted) - faulty(prior_.log_mass());
    for (std::size_t r = kHealthyRates; r < kRates; ++r)
        log_likelihood[r] += evidence.conclusion + shape[r] - mean;
}

/// What was sent at no known time speaks for small rates, and where `at_any_time` all the rest too.
void Sweeper::weigh_sent(const UnitEvidence& evidence, bool at_any_time, PerRate& log_likelihood) const {
    double sent = evidence.sent_any_time;
    if (at_any_time) {
        for (const EpochLoad& load : evidence.epochs)
            sent += load.sent;
    }
    for (std::size_t r = 0; r < kRates; ++r)
        log_likelihood[r] -= sent * prior_.rates()[r];
}

/// What is known of no epoch, and where `at_any_time` all the rest as if nobody knew its epochs either.
void Sweeper::weigh_steady(const LossShare& share, const UnitEvidence& evidence, Members members,
                           const PerRate& lossless, bool at_any_time, Weighed& weighed) {
    weighed.log_likelihood = lossless;
    weigh_sent(evidence, at_any_time, weighed.log_likelihood);
    losses_.clear();
    static_cast<void>(
        list_losses(share.any_time, share.rate_any_time, members, losses_, weighed.log_likelihood));
    if (at_any_time)
        static_cast<void>(
            list_losses(share.timed, share.rate_any_time, members, losses_, weighed.log_likelihood));
    bursts_.add_losses(losses_, weighed.log_likelihood);
    add_told(evidence, weighed.log_likelihood);
    weighed.log_calm = weighed.log_likelihood[kHealthyRates / 2];
}

Sweeper::Weighed Sweeper::weigh(const LossShare& share, const UnitEvidence& evidence, Members members,
                                const PerRate& lossless, Rates rates) {
    Weighed weighed;
    weigh_steady(share, evidence, members, lossless, share.timed.empty(), weighed);
    weighed.knows_faulty_rate = true;
    if (share.timed.empty()) return weighed;

    gather_history(share, evidence, members, 1);
    const BurstModel::Weight history = bursts_.weigh(history_);
    weighed.log_calm += history.log_calm;
    for (std::size_t r = 0; r < kRates; ++r)
        weighed.log_likelihood[r] += history.log_likelihood[r];
    if (rates != Rates::None) find_rates(share, evidence.prior_log_odds, rates, weighed);
    return weighed;
}

/// In the lossy epochs, of the history that was weighed last.
void Sweeper::find_rates(const LossShare& share, double prior_log_odds, Rates rates, Weighed& weighed) {
    const Posterior posterior = posterior_of(weighed.log_likelihood, prior_);
    const double log_bayes_factor = posterior.faulty.log_sum - posterior.healthy.log_sum;
    weighed.knows_faulty_rate = rates == Rates::Both || probability(log_bayes_factor + prior_.log_odds() +
                                                                    prior_log_odds) > kNegligible;
    // What it carried without loss says how healthy it is, as of a unit whose losses have no epoch.
    const double healthy_rate = posterior.healthy.rate;
    const std::vector<double> healthy = bursts_.healthy_rates(healthy_rate);
    std::vector<double> faulty;
    if (weighed.knows_faulty_rate) {
        std::size_t likely = kHealthyRates;
        double best = -std::numeric_limits<double>::infinity();
        for (std::size_t r = kHealthyRates; r < kRates; ++r) {
            const double weight = weighed.log_likelihood[r] + prior_.log_mass()[r];
            if (weight > best) likely = r;
            best = std::max(best, weight);
        }
        faulty = bursts_.faulty_rates(likely, healthy_rate);
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < healthy.size() && next < share.lossy_epochs.size(); ++i) {
        if (history_.epochs[i].epoch != share.lossy_epochs[next]) continue;
        weighed.healthy_rate.push_back(healthy[i]);
        weighed.faulty_rate.push_back(weighed.knows_faulty_rate ? faulty[i] : healthy[i]);
        ++next;
    }
}

Sweeper::Weighed Sweeper::weigh_alone(UnitIndex unit, Rates rates) {
    return weigh(shares_[unit], evidence_.units[unit], Members(&ids_[unit], 1), mixture_.lossless(unit),
                 rates);
}

/// Takes over the belief in one unit, weighed against the others as they stand, but not yet its rates.
void Sweeper::judge(UnitIndex index) {
    Weighed& weighed = weighed_[index];
    const Posterior posterior = posterior_of(weighed.log_likelihood, prior_);

    Belief& belief = beliefs_[index];
    belief.log_bayes_factor = posterior.faulty.log_sum - posterior.healthy.log_sum;
    belief.log_odds = belief.log_bayes_factor + prior_.log_odds() + evidence_.units[index].prior_log_odds;
    belief.loss_rate = posterior.most_likely;
    const double faulty_chance = probability(belief.log_odds);
    double top = 0;
    for (std::size_t i = 0; i < kFaultyRates; ++i) {
        faulty_rates_[index][i] = faulty_chance * posterior.faulty_share[i];
        top = std::max(top, posterior.faulty_share[i]);
    }
    // Where one grid point holds most of the weight, the top between the points is nearer the truth.
    const double faulty_rate = top > kGridTooCoarse ? belief.loss_rate : posterior.faulty.rate;
    weighed.expected_rate = faulty_chance * faulty_rate + (1 - faulty_chance) * posterior.healthy.rate;
}

/// Judges a unit and takes over what it is now believed to lose; whether anything changed.
bool Sweeper::update(UnitIndex index) {
    LossShare& share = shares_[index];
    const bool was_stale = std::exchange(share.stale, false);
    const double chance_before = probability(beliefs_[index].log_odds);
    if (was_stale) weighed_[index] = weigh_alone(index, Rates::IfLikely);
    judge(index);
    if (!weighed_[index].knows_faulty_rate && probability(beliefs_[index].log_odds) > kNegligible) {
        // What is believed of all links has changed, so that it now may be faulty.
        weighed_[index] = weigh_alone(index, Rates::Both);
        judge(index);
    }
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

/// Judges each alone, as if the others were healthy, to find an order in which to blame. Of units that are
/// faulty beyond doubt, the one comes first that explains most if losses were all its own: bursts explain so
/// much that an epoch more, or ten losses in it in place of one, hardly counts. To find an order, a history
/// is looked at in a few large pieces.
std::vector<UnitIndex> Sweeper::look_first() {
    constexpr std::int32_t kPieces = 32;
    std::vector<double> explained(shares_.size());
    for (UnitIndex unit = 0; unit < shares_.size(); ++unit) {
        const LossShare& share = shares_[unit];
        const UnitEvidence& evidence = evidence_.units[unit];
        const Members members(&ids_[unit], 1);
        const PerRate& lossless = mixture_.lossless(unit);
        Weighed& weighed = weighed_[unit];
        weigh_steady(share, evidence, members, lossless, share.timed.empty(), weighed);
        if (!share.timed.empty()) {
            gather_history(share, evidence, members, evidence.epochs.back().epoch / kPieces + 1);
            const BurstModel::Weight history = bursts_.weigh(history_);
            for (std::size_t r = 0; r < kRates; ++r)
                weighed.log_likelihood[r] += history.log_likelihood[r];
        }
        judge(unit);
        explained[unit] = beliefs_[unit].log_odds;
        if (explained[unit] < kBeyondDoubt || share.timed.empty()) continue;
        Weighed steady;
        weigh_steady(share, evidence, members, lossless, true, steady);
        explained[unit] += to_weight(steady).log_bayes_factor - beliefs_[unit].log_bayes_factor;
    }
    std::vector<UnitIndex> order(ids_);
    std::stable_sort(order.begin(), order.end(), [&](UnitIndex a, UnitIndex b) {
        const bool both = std::min(beliefs_[a].log_odds, beliefs_[b].log_odds) >= kBeyondDoubt;
        return both ? explained[a] > explained[b] : beliefs_[a].log_odds > beliefs_[b].log_odds;
    });
    return order;
}

void Sweeper::run() {
    sum_up_paths();
    told_rate_ = path_rate_;
    share_out_lossless();
    const std::vector<UnitIndex> first = look_first();
    for (int sweep = 0; sweep < config_.max_sweeps; ++sweep) {
        sum_up_paths();
        if (sweep > 0) share_out_lossless();
        bool moved = false;
        for (const UnitIndex unit : sweep == 0 ? first : order())
            moved = update(unit) || moved;
        learn();
        if (!moved) break;
    }
}

}  // namespace dyetrace::localise
