// SPDX-License-Identifier: GPL-2.0-or-later
// Tells a link that loses steadily from one whose queue overflows now and then.
//
// Time is cut into epochs. In each, a link is calm or in a burst of congestion; bursts begin rarely, tend to
// go on for a few epochs, and lose at any rate. On top of that a faulty link loses at one steady rate from
// its onset to the end. A hidden Markov chain over the epochs weighs both explanations: a burst, however
// heavy, is worth only so much as evidence of a fault, because congestion explains it too, whereas a
// steady loss would need a burst in nearly every epoch.
//
//              enter                        onset (once)
//      calm ----------> burst      healthy --------------> faulty      (calm and burst in both)
//           <----------
//              1 - stay
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/localise/rate_prior.h"

namespace dyetrace::localise {

struct BurstConfig {
    double enter = 0.02;  ///< chance that a calm link is in a burst in the next epoch
    double stay = 0.7;    ///< chance that a burst lasts another epoch
    double rate_min =
        0.002;  ///< a burst loses at least this share of an epoch's packets, log-uniform up to 1
};

/// One link over one epoch, or over several in which it lost nothing. `log_likelihood[r]`: of the losses
/// where this link loses at rate r, beside what other links are believed to lose, relative to rate 0.
struct EpochEvidence {
    std::int32_t epoch = 0;   ///< the last one
    double burst_factor = 1;  ///< scales `enter`: below 1 where queues were seen to be short
    bool onset = true;        ///< a fault may begin here
    PerRate log_likelihood{};
};

/// What a link may have lost, epoch by epoch.
struct LinkHistory {
    PerRate log_likelihood{};          ///< of each rate as the steady one, bursts allowed
    std::vector<double> healthy_rate;  ///< expected loss rate at each evidence if the link is healthy ..
    std::vector<double> faulty_rate;   ///< .. and if it is faulty at its most likely rate
};

/// `epochs` rise in time. `prior` weighs the faulty rates when looking for the most likely one.
[[nodiscard]] LinkHistory weigh_history(std::span<const EpochEvidence> epochs, const RatePrior& prior,
                                        const BurstConfig& config);

}  // namespace dyetrace::localise
