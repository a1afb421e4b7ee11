// SPDX-License-Identifier: GPL-2.0-or-later
// What-if questions, once beliefs stand still.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/localise/sweeper.h"

namespace dyetrace::localise {

Sweeper::Weight Sweeper::weigh_unit(UnitIndex unit) {
    return to_weight(weigh_alone(unit, Rates::None));
}

PerRate Sweeper::weigh_carried(UnitIndex unit) const {
    PerRate log_likelihood = mixture_.lossless(unit);
    const UnitEvidence& evidence = evidence_.units[unit];
    weigh_sent(evidence, true, log_likelihood);
    add_told(evidence, log_likelihood);
    return log_likelihood;
}

void Sweeper::set_rates(UnitIndex unit, const std::vector<double>& timed, double any_time) {
    LossShare& share = shares_[unit];
    for (const std::uint32_t p : share.any_time)
        move_rate(p, unit, any_time - share.rate_any_time);
    share.rate_any_time = any_time;
    for (std::size_t place = 0; place < share.lossy_epochs.size(); ++place) {
        for (const std::uint32_t p : share.in_epoch(place))
            move_rate(p, unit, timed[place] - share.rate[place]);
    }
    share.rate = timed;
}

Sweeper::Comparison Sweeper::compare(UnitIndex first, UnitIndex second) {
    const std::vector<double> first_rate = shares_[first].rate, second_rate = shares_[second].rate;
    const double first_any_time = shares_[first].rate_any_time,
                 second_any_time = shares_[second].rate_any_time;
    const std::vector<double> first_zero(first_rate.size()), second_zero(second_rate.size());
    // The one is weighed where the other loses nothing, also as to where lossless flows went.
    const PerRate first_lossless = mixture_.lossless_of({&first, 1}, second);
    const PerRate second_lossless = mixture_.lossless_of({&second, 1}, first);
    const auto weigh_beside = [&](UnitIndex unit, Rates rates) {
        return weigh(shares_[unit], evidence_.units[unit], Members(&ids_[unit], 1),
                     unit == first ? first_lossless : second_lossless, rates);
    };
    const auto log_weight = [&](const Weighed& weighed, std::size_t begin, std::size_t end) {
        PerRate log_weights{};
        for (std::size_t r = begin; r < end; ++r)
            log_weights[r] = weighed.log_likelihood[r] + prior_.log_mass()[r];
        return log_sum_exp(std::span<const double>(log_weights).subspan(begin, end - begin));
    };
    const auto healthy = [&](const Weighed& weighed) { return log_weight(weighed, 0, kHealthyRates); };
    const auto faulty = [&](const Weighed& weighed) { return log_weight(weighed, kHealthyRates, kRates); };

    // Both likelihoods are relative to both units losing nothing: one unit's share given that the other loses
    // nothing, and the other's given what the one then loses.
    set_rates(first, first_zero, 0);
    set_rates(second, second_zero, 0);
    const Weighed first_alone = weigh_beside(first, Rates::Both);
    const Weighed second_alone = weigh_beside(second, Rates::Both);
    const double second_loss = to_weight(second_alone).loss_rate;
    set_rates(second, second_alone.faulty_rate, second_loss);
    const double first_beside = healthy(weigh_beside(first, Rates::None));
    set_rates(second, second_zero, 0);
    set_rates(first, first_alone.faulty_rate, to_weight(first_alone).loss_rate);
    const double second_beside = healthy(weigh_beside(second, Rates::None));

    set_rates(first, first_rate, first_any_time);
    set_rates(second, second_rate, second_any_time);
    // Besides, the second alone must look as guilty as the first alone: bursts must not be what it explains
    // with.
    const double guilt =
        faulty(first_alone) - healthy(first_alone) - faulty(second_alone) + healthy(second_alone);
    const double likelihood = faulty(first_alone) + second_beside - faulty(second_alone) - first_beside;
    return {std::max(likelihood, guilt), second_loss};
}

/// Its links are to be acquitted: what they lose is what the device is weighed for.
Sweeper::Weight Sweeper::weigh_device(const DeviceEvidence& device) {
    LossShare share;
    std::vector<std::uint32_t> paths;
    for (const UnitIndex unit : device.units) {
        paths.insert(paths.end(), shares_[unit].any_time.begin(), shares_[unit].any_time.end());
        paths.insert(paths.end(), shares_[unit].timed.begin(), shares_[unit].timed.end());
    }
    std::sort(paths.begin(), paths.end());
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    for (const std::uint32_t p : paths) {
        (evidence_.lossy[p].epoch == kNoEpoch ? share.any_time : share.timed).push_back(p);
    }
    index_epochs(share);  // in place of one of the two healthy links that a packet crosses there

    UnitEvidence evidence;
    std::map<std::int32_t, EpochLoad> epochs;
    for (const UnitIndex unit : device.entered_by) {
        evidence.sent_any_time += evidence_.units[unit].sent_any_time;
        for (const EpochLoad& load : evidence_.units[unit].epochs) {
            EpochLoad& sum = epochs.try_emplace(load.epoch, EpochLoad{load.epoch, 0, 0}).first->second;
            sum.sent += load.sent;
            sum.burst_factor = std::max(sum.burst_factor, load.burst_factor);
        }
    }
    for (const auto& [epoch, load] : epochs)
        evidence.epochs.push_back(load);
    return to_weight(weigh(share, evidence, device.units, mixture_.lossless_of(device.units), Rates::None));
}

Sweeper::Acquitted::Acquitted(Sweeper& sweeper, std::span<const UnitIndex> units)
    : sweeper_(sweeper),
      shares_(sweeper.shares_),
      path_rate_(sweeper.path_rate_),
      mixture_rates_(sweeper.mixture_.all_choice_rates()) {
    for (const UnitIndex unit : units) {
        LossShare& share = sweeper_.shares_[unit];
        share.rate_any_time = sweeper_.prior_.healthy_mean();
        std::fill(share.rate.begin(), share.rate.end(), sweeper_.prior_.healthy_mean());
    }
    sweeper_.sum_up_paths();
}

Sweeper::Acquitted::~Acquitted() {
    sweeper_.shares_ = std::move(shares_);
    sweeper_.path_rate_ = std::move(path_rate_);
    sweeper_.mixture_.set_all_choice_rates(std::move(mixture_rates_));
}

void Sweeper::Acquitted::convict(UnitIndex unit) {
    const Weighed weighed = sweeper_.weigh_alone(unit, Rates::Both);
    sweeper_.set_rates(unit, weighed.faulty_rate, sweeper_.to_weight(weighed).loss_rate);
}

std::optional<LiarBelief> Sweeper::contradicted(UnitIndex unit) const {
    const UnitEvidence& evidence = evidence_.units[unit];
    // Of packets that may have crossed it, nobody says that they did.
    const auto went_there = [&](std::uint32_t p) {
        return evidence_.lossy[p].set == kNoSet || crosses_for_certain(evidence_.lossy[p], {&unit, 1});
    };
    const auto choices_rate = [&](std::uint32_t p) {
        double rate = 0;
        if (evidence_.lossy[p].set == kNoSet) return rate;
        const auto choices = mixture_.choices_of(evidence_.lossy[p].set);
        for (std::size_t c = 0; c < choices.size(); ++c)
            rate += choices[c].weight * mixture_.choice_rates(p)[c];
        return rate;
    };
    std::map<std::uint32_t, double> lost_by;  // by either end
    double lost = 0;
    for (const auto* paths : {&shares_[unit].any_time, &shares_[unit].timed}) {
        for (const std::uint32_t p : *paths) {
            const LossyPath& path = evidence_.lossy[p];
            if (!went_there(p)) continue;
            lost += path.lost;
            for (const std::uint32_t end : {path.source, path.target}) {
                if (end != kNoReporter) lost_by[end] += path.lost;
            }
        }
    }
    std::optional<LiarBelief> worst;
    for (const auto& [host, claimed] : lost_by) {
        if (2 * claimed < lost) continue;
        for (const auto& [buckets, as_source] :
             {std::pair(&evidence.sent_by_source, true), {&evidence.sent_by_target, false}}) {
            double all = 0;
            for (const double sent : *buckets)
                all += sent;
            const double own = (*buckets)[reporter_bucket(NodeId{host})];
            if (all == 0) continue;
            // Its word and that of the others, each by itself: at one rate, or at two.
            PerRate its{}, others{};
            double its_lost = 0;
            for (const auto* paths : {&shares_[unit].any_time, &shares_[unit].timed}) {
                for (const std::uint32_t p : *paths) {
                    const LossyPath& path = evidence_.lossy[p];
                    if (!went_there(p)) continue;
                    const double rest = std::max(
                        path_rate_[p] + choices_rate(p) - rate_at(shares_[unit], path.epoch), kRateFloor);
                    const bool is_its = (as_source ? path.source : path.target) == host;
                    if (is_its) its_lost += path.lost;
                    for (std::size_t r = 0; r < kRates; ++r)
                        (is_its ? its : others)[r] += path.lost * std::log1p(prior_.rates()[r] / rest);
                }
            }
            if (2 * its_lost < lost) continue;
            PerRate together{};
            for (std::size_t r = 0; r < kRates; ++r) {
                its[r] += prior_.log_mass()[r] - own * prior_.rates()[r];
                others[r] += prior_.log_mass()[r] - (all - own) * prior_.rates()[r];
                together[r] = its[r] + others[r] - prior_.log_mass()[r];
            }
            const auto faulty = [](const PerRate& weights) {
                return log_sum_exp(std::span<const double>(weights).subspan(kHealthyRates));
            };
            const auto healthy = [](const PerRate& weights) {
                return log_sum_exp(std::span<const double>(weights).first(kHealthyRates));
            };
            // The others must acquit the unit by themselves, not only think it better than it says.
            const double link = faulty(together) + prior_.log_odds();
            const double liar = faulty(its) + healthy(others) + config_.liar_log_odds;
            const double others_odds = faulty(others) - healthy(others) + prior_.log_odds();
            if (liar <= link || others_odds > config_.others_acquit_log_odds) continue;
            if (worst && worst->log_odds >= liar - link) continue;
            worst = LiarBelief{host, liar - link,
                               most_likely_rate(std::span<const double>(its).subspan(kHealthyRates),
                                                std::span(prior_.rates()).subspan(kHealthyRates))};
        }
    }
    return worst;
}

/// What path `p`, whose way is not known, lost by choices with `unit`; it may as well have been lost by any
/// other unit of the set that is on as many choices.
double Sweeper::add_alternatives(std::uint32_t p, UnitIndex unit, std::map<UnitIndex, double>& lost) const {
    const LossyPath& path = evidence_.lossy[p];
    const auto choices = mixture_.choices_of(path.set);
    const auto chances = mixture_.responsibilities(p, path_rate_[p]);
    std::map<UnitIndex, double> weights;
    double here = 0;
    for (std::size_t c = 0; c < choices.size(); ++c) {
        const auto units = mixture_.units_of(choices[c]);
        for (const UnitIndex other : units)
            weights[other] += choices[c].weight;
        if (std::find(units.begin(), units.end(), unit) != units.end()) here += chances[c] * path.lost;
    }
    constexpr double kAlike = 0.1;
    for (const auto& [other, weight] : weights) {
        if (std::abs(weight - weights[unit]) <= kAlike * weights[unit]) lost[other] += here;
    }
    return here;
}

std::vector<UnitIndex> Sweeper::crossing_losses(UnitIndex unit, double share) const {
    std::map<UnitIndex, double> lost;
    for (const auto* paths : {&shares_[unit].any_time, &shares_[unit].timed}) {
        for (const std::uint32_t p : *paths) {
            const LossyPath& path = evidence_.lossy[p];
            double here = path.lost;  // by choices with the unit
            if (path.set != kNoSet && !crosses_for_certain(path, {&unit, 1}))
                here = add_alternatives(p, unit, lost);
            for (std::uint32_t i = 0; i < path.unit_count; ++i)
                lost[evidence_.path_units[path.first_unit + i]] += here;
        }
    }
    std::vector<UnitIndex> units;
    for (const auto& [other, count] : lost) {
        if (other != unit && count >= share * lost[unit]) units.push_back(other);
    }
    return units;
}

}  // namespace dyetrace::localise
