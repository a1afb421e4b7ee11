// SPDX-License-Identifier: GPL-2.0-or-later
// The numbers behind `Localiser`: how likely each unit of links is faulty, given all evidence.
//
// A unit is a link, or several that every observation crosses together and that nothing can tell apart. A
// path loses about sent * (sum of its units' rates) packets, Poisson. For one unit at a time, with the others
// at what they are now believed to lose, the likelihood of every possible rate is summed up exactly; sweeps
// over the units go on until beliefs stand still. Losses are thus shared out among the units of a path by
// what the rest of the fabric says of each, and losslessness counts as much as loss.
#pragma once

#include <cstdint>
#include <vector>

#include "core/localise/burst_model.h"
#include "core/localise/laid_out.h"
#include "core/localise/rate_prior.h"

namespace dyetrace::localise {

/// How long losses are given to units and taken back (loss_sampler.h).
struct SamplerConfig {
    std::size_t max_losses = 20'000;  ///< with more, sweeps over units alone must do: little is in doubt
    int sweeps_before = 4;        ///< over units: a first order, and rates to compare rivals and devices by
    std::size_t draws = 250'000;  ///< of so many losses the unit is drawn ..
    int min_sweeps = 60;          ///< .. in so many sweeps over all of them
    int max_sweeps = 200;
    double warm_up = 0.2;  ///< share of the sweeps after which they count ..
    int count_every = 2;   ///< .. one out of so many
    int learn_every = 20;  ///< sweeps between two looks at the share and the rates of faulty units
    /// Taken off the evidence that there are faults: healthy links too teach what faults look like, and then
    /// look like them. What a healthy fabric shows once in a hundred times.
    double learned_evidence = 4.5;
    std::uint64_t seed = 1;
};

struct InferenceConfig {
    double healthy_rate_max = 1e-4;
    double faulty_rate_min = 3e-4;
    double faulty_share = 0.014;
    double faulty_share_strength = 1000;
    double device_log_odds = -7;  ///< prior of a faulty device: one in a thousand
    double counter_trust = 0.99;
    double counter_silence_trust = 0.5;
    double liar_log_odds = -7;
    std::size_t max_liars = 8;
    double others_acquit_log_odds = -8;  ///< a word is doubted where the others hold the unit for no likelier
    BurstConfig burst;
    double second_look_log_odds =
        -2;  ///< units above this are asked for rivals, and whether a device is to blame
    std::size_t max_second_looks = 64;  ///< bound on their number
    double rival_log_odds = 1;          ///< evidence that differs by less than this tells nothing apart
    double rival_share = 0.7;           ///< a rival is on the paths of at least this share of the losses
    SamplerConfig sampler;
    int max_sweeps = 12;
    double belief_settled = 0.002;  ///< a chance of being faulty that moves by less has not moved
    double rate_settled = 0.02;     ///< a path's rate that moves by a smaller share has not moved
};

/// What is believed of one unit.
struct Belief {
    double log_bayes_factor = 0;  ///< of faulty against healthy, from the evidence alone
    double log_odds = 0;          ///< with the prior
    double loss_rate = 0;         ///< most likely one if it is faulty
};

/// Another unit that may be faulty in the place of one that is believed to be.
struct Rival {
    UnitIndex unit = 0;
    UnitIndex rival = 0;
    double behind = 0;  ///< by how much less it explains, as a log likelihood
    double loss_rate = 0;
};

struct DeviceBelief {
    std::uint32_t device = 0;
    double log_odds = 0;  ///< that it is faulty rather than several of its links, each by itself
    double loss_rate = 0;
};

/// A host whose word the others contradict: what it says was lost, it did not lose where it says.
struct LiarBelief {
    std::uint32_t host = 0;  ///< NodeId of it
    double log_odds = 0;     ///< that it reports nonsense, or is sick itself
    double loss_rate = 0;    ///< that it claims
};

struct Beliefs {
    std::vector<Belief> units;
    double log_evidence_of_faults = 0;  ///< log Bayes factor of "some unit is faulty" against "none is"
    std::vector<Rival> rivals;          ///< of likely units
    std::vector<DeviceBelief> devices;  ///< that are likely
    std::vector<LiarBelief> liars;      ///< whose losses were set aside
};

[[nodiscard]] Beliefs infer_units(const Evidence& evidence, const InferenceConfig& config);

}  // namespace dyetrace::localise
