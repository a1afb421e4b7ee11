// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/inference.h"

#include <algorithm>
#include <cmath>

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
    double units = 0;
    for (const UnitIndex unit : likely) {
        const double guilt = sweeper.weigh_unit(unit).log_bayes_factor + sweeper.prior().log_odds();
        if (guilt <= 0) continue;  // those before it explain its losses
        units += guilt;
        acquitted.convict(unit);
    }
    DeviceBelief belief;
    belief.device = device.device;
    belief.loss_rate = weight.loss_rate;
    belief.log_odds = weight.log_bayes_factor + config.device_log_odds - units;
    return belief;
}

}  // namespace

Beliefs infer_units(const Evidence& evidence, const InferenceConfig& config) {
    Sweeper sweeper(evidence, config);
    sweeper.run();
    Beliefs beliefs{sweeper.beliefs(), sweeper.log_evidence_of_faults(), {}, {}};
    const auto likely = likely_units(sweeper, config);
    for (const UnitIndex unit : likely) {
        const auto rivals = find_rivals(sweeper, unit, config);
        beliefs.rivals.insert(beliefs.rivals.end(), rivals.begin(), rivals.end());
    }
    for (const DeviceEvidence& device : evidence.devices) {
        std::vector<UnitIndex> own;
        for (const UnitIndex unit : likely) {
            if (std::binary_search(device.units.begin(), device.units.end(), unit)) own.push_back(unit);
        }
        if (own.size() < 2) continue;
        const DeviceBelief belief = judge_device(sweeper, device, own, config);
        if (belief.log_odds > config.second_look_log_odds) beliefs.devices.push_back(belief);
    }
    return beliefs;
}

}  // namespace dyetrace::localise
