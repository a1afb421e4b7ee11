// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/inference.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "core/localise/loss_sampler.h"
#include "core/localise/sweeper.h"

namespace dyetrace::localise {
namespace {

/// Units worth a second look, the most likely first.
std::vector<UnitIndex> likely_units(const Sweeper& sweeper, const InferenceConfig& config) {
    const auto& beliefs = sweeper.beliefs();
    std::vector<UnitIndex> units;
    for (UnitIndex u = 0; u < beliefs.size(); ++u) {
        if (beliefs[u].log_odds > config.second_look_log_odds) units.push_back(u);
    }
    std::stable_sort(units.begin(), units.end(),
                     [&](UnitIndex a, UnitIndex b) { return beliefs[a].log_odds > beliefs[b].log_odds; });
    if (units.size() > config.max_second_looks) units.resize(config.max_second_looks);
    return units;
}

/// Others that would explain as well what `unit` is believed to be guilty of.
std::vector<Rival> find_rivals(Sweeper& sweeper, UnitIndex unit, const InferenceConfig& config) {
    std::vector<Rival> rivals;
    for (const UnitIndex other : sweeper.crossing_losses(unit, config.rival_share)) {
        if (sweeper.beliefs()[other].log_odds > config.second_look_log_odds) continue;
        const Sweeper::Comparison comparison = sweeper.compare(unit, other);
        if (comparison.log_ratio >= config.rival_log_odds) continue;
        rivals.push_back({unit, other, comparison.log_ratio, comparison.second_loss_rate});
    }
    return rivals;
}

/// Whether one faulty device explains the losses of several of its units better than so many faulty units do.
DeviceBelief judge_device(Sweeper& sweeper, const DeviceEvidence& device,
                          const std::vector<UnitIndex>& likely, const InferenceConfig& config) {
    Sweeper::Acquitted acquitted(sweeper, device.units);
    const Sweeper::Weight weight = sweeper.weigh_device(device);
    // Both hypotheses are weighed against a fabric without fault or congestion: what a burst at each of its
    // links would explain as well is no reason to believe in the links rather than in the device.
    double units = 0;
    for (const UnitIndex unit : likely) {
        const Sweeper::Weight guilt = sweeper.weigh_unit(unit);
        const double faulty = guilt.log_gain + sweeper.prior().log_odds();
        if (faulty <= guilt.log_gain_healthy) continue;  // those before it explain its losses
        units += faulty;
        acquitted.convict(unit);
    }
    DeviceBelief belief;
    belief.device = device.device;
    belief.loss_rate = weight.loss_rate;
    // Nor is what a burst of the whole device explains as well a reason to believe in its fault.
    belief.log_odds = weight.log_gain + config.device_log_odds + device.conclusion -
                      std::max(units, weight.log_gain_healthy);
    return belief;
}

/// Hosts whose word the others contradict, each with the unit that it would have framed.
std::vector<LiarBelief> find_liars(const Sweeper& sweeper, const std::vector<UnitIndex>& likely) {
    std::map<std::uint32_t, LiarBelief> liars;
    for (const UnitIndex unit : likely) {
        const auto liar = sweeper.contradicted(unit);
        if (!liar) continue;
        LiarBelief& belief = liars.try_emplace(liar->host, *liar).first->second;
        if (liar->log_odds > belief.log_odds) belief = *liar;
    }
    std::vector<LiarBelief> all;
    all.reserve(liars.size());
    for (const auto& [host, belief] : liars)
        all.push_back(belief);
    std::stable_sort(all.begin(), all.end(),
                     [](const LiarBelief& a, const LiarBelief& b) { return a.log_odds > b.log_odds; });
    return all;
}

/// The same without what one host says was lost.
Evidence without_word_of(const Evidence& evidence, std::uint32_t host) {
    Evidence rest = evidence;
    rest.lossy.erase(
        std::remove_if(rest.lossy.begin(), rest.lossy.end(),
                       [&](const LossyPath& path) { return path.source == host || path.target == host; }),
        rest.lossy.end());
    return rest;
}

/// A unit and its rivals: sampling does not choose between them, each is guilty some of the time. Where it is
/// clear that one of them is, the first is named for it, and the others with it. Where it is not, losses are
/// few, sampling has gone to and fro between all that may explain them, and each has its own chance.
void join_rivals(const std::vector<Belief>& swept, Beliefs& beliefs) {
    constexpr double kClear = 0.9;
    std::vector<double> together(beliefs.units.size());
    for (UnitIndex unit = 0; unit < together.size(); ++unit)
        together[unit] = probability(beliefs.units[unit].log_odds);
    std::vector<bool> joined(beliefs.units.size());
    for (const Rival& rival : beliefs.rivals) {
        if (!joined[rival.rival]) together[rival.unit] += probability(beliefs.units[rival.rival].log_odds);
        joined[rival.rival] = true;
    }
    beliefs.rivals.erase(std::remove_if(beliefs.rivals.begin(), beliefs.rivals.end(),
                                        [&](const Rival& rival) { return together[rival.unit] < kClear; }),
                         beliefs.rivals.end());
    for (const Rival& rival : beliefs.rivals) {
        const double all = together[rival.unit];
        const double together_odds = all < 1 ? log_odds(all) : swept[rival.unit].log_odds;
        beliefs.units[rival.unit].log_odds = std::max(beliefs.units[rival.unit].log_odds, together_odds);
        beliefs.units[rival.rival] = swept[rival.rival];
    }
}

void sample(const Evidence& evidence, const InferenceConfig& config, const Sweeper& sweeper,
            Beliefs& beliefs) {
    std::vector<PerRate> carried;
    carried.reserve(evidence.units.size());
    for (UnitIndex unit = 0; unit < evidence.units.size(); ++unit)
        carried.push_back(sweeper.weigh_carried(unit));
    LossSampler sampler(evidence, config, std::move(carried), sweeper.prior());
    sampler.run(sweeper.beliefs());
    sampler.update(beliefs.units);
    beliefs.log_evidence_of_faults = sampler.log_evidence_of_faults() - config.sampler.learned_evidence;
    join_rivals(sweeper.beliefs(), beliefs);
}

Beliefs believe(const Evidence& evidence, const InferenceConfig& config, std::vector<LiarBelief>& liars) {
    const bool sampled = LossSampler::takes(evidence, config);
    InferenceConfig sweeping = config;
    if (sampled) sweeping.max_sweeps = std::min(config.max_sweeps, config.sampler.sweeps_before);
    Sweeper sweeper(evidence, sweeping);
    sweeper.run();
    const auto likely = likely_units(sweeper, config);
    if (liars.size() < config.max_liars) {
        const auto found = find_liars(sweeper, likely);
        if (!found.empty()) {
            liars.push_back(found.front());
            return believe(without_word_of(evidence, found.front().host), config, liars);
        }
    }
    Beliefs beliefs{sweeper.beliefs(), sweeper.log_evidence_of_faults(), {}, {}, {}};
    for (const UnitIndex unit : likely) {
        const auto rivals = find_rivals(sweeper, unit, config);
        beliefs.rivals.insert(beliefs.rivals.end(), rivals.begin(), rivals.end());
    }
    if (sampled) sample(evidence, config, sweeper, beliefs);
    for (const DeviceEvidence& device : evidence.devices) {
        std::vector<UnitIndex> own;
        for (const UnitIndex unit : likely) {
            if (std::binary_search(device.units.begin(), device.units.end(), unit)) own.push_back(unit);
        }
        if (own.size() < 2 && device.conclusion <= 0) continue;
        const DeviceBelief belief = judge_device(sweeper, device, own, config);
        if (belief.log_odds > config.second_look_log_odds) beliefs.devices.push_back(belief);
    }
    return beliefs;
}

}  // namespace

Beliefs infer_units(const Evidence& evidence, const InferenceConfig& config) {
    std::vector<LiarBelief> liars;
    Beliefs beliefs = believe(evidence, config, liars);
    beliefs.liars = std::move(liars);
    return beliefs;
}

}  // namespace dyetrace::localise
