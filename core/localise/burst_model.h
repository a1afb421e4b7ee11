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

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/localise/rate_lanes.h"
#include "core/localise/rate_prior.h"

namespace dyetrace::localise {

struct BurstConfig {
    double enter = 0.02;  ///< chance that a calm link is in a burst in the next epoch
    double stay = 0.7;    ///< chance that a burst lasts another epoch
    double rate_min =
        0.002;  ///< a burst loses at least this share of an epoch's packets, log-uniform up to 1
};

/// Packets lost on a path of which the link is one.
struct EpochLoss {
    double lost = 0;
    double per_rate = 0;  ///< 1 over what the others on that path are believed to lose
};

/// One link over one epoch, or over several.
struct EpochEvidence {
    static constexpr std::uint32_t kNothing = 0xffffffff;

    std::int32_t epoch = 0;   ///< the last one
    double burst_factor = 1;  ///< scales `enter`: below 1 where queues were seen to be short
    bool onset = true;        ///< a fault may begin here
    double sent = 0;          ///< packets that crossed it
    std::uint32_t first_loss = 0, loss_count = 0;  ///< of `HistoryEvidence::losses`
    std::uint32_t more = kNothing;                 ///< place in `HistoryEvidence::more`

    [[nodiscard]] bool is_lossless() const { return loss_count == 0 && more == kNothing; }
};

struct HistoryEvidence {
    std::vector<EpochEvidence> epochs;  ///< rising in time
    std::vector<EpochLoss> losses;
    std::vector<PerRate> more;  ///< log likelihoods of what else was seen in an epoch, relative to rate 0

    void clear() {
        epochs.clear();
        losses.clear();
        more.clear();
    }
};

/// Weighs histories, one after the other; what it needs for that it keeps.
class BurstModel {
  public:
    /// Of `prior` only the rates matter. `wide`: by vectors of four, if the processor has them; the same
    /// comes of it.
    BurstModel(const RatePrior& prior, const BurstConfig& config, bool wide = has_wide_vectors());

    struct Weight {
        PerRate log_likelihood{};  ///< of each rate as the steady one, bursts allowed, relative to rate 0
        double log_calm = 0;       ///< of a healthy link that has no bursts
    };
    [[nodiscard]] Weight weigh(const HistoryEvidence& history);

    /// Expected loss rate at each evidence of what was weighed last, if the link is healthy and then loses at
    /// `healthy_rate` where it has no burst ..
    [[nodiscard]] std::vector<double> healthy_rates(double healthy_rate);
    /// .. and if it is faulty and loses at rate `faulty` of the grid.
    [[nodiscard]] std::vector<double> faulty_rates(std::size_t faulty, double healthy_rate);

    /// log likelihood of losses on `paths`, whenever they were, at each rate; relative to rate 0. Added.
    void add_losses(std::span<const EpochLoss> paths, PerRate& log_likelihood) const;

    /// Used inside.
    struct Grid {
        Lanes rates;
        double least;                                 ///< of the rates
        std::array<double, kFaultyRates> burst_mass;  ///< prior of each as the rate of a burst
        std::array<double, kFaultyRates> weaker;      ///< .. of all below it
        std::array<double, kFaultyRates> burst_rate;  ///< its mass times its rate
    };
    /// What one epoch says, as plain likelihoods scaled by a common factor.
    struct alignas(32) Emission {
        std::array<double, kLanes> calm;         ///< the link loses at this steady rate, no burst
        std::array<double, kFaultyRates> burst;  ///< .. and is in a burst besides; [i]: at faulty rate i
        double healthy_burst;                    ///< in a burst, steady rate negligible
        double burst_rate;                       ///< expected rate in a burst, given that there is one
        double enter;                            ///< chance that a burst begins
        double stay;   ///< chance that one has lasted since the last epoch with traffic
        double onset;  ///< chance that a fault begins
    };

  private:
    void set_chances(std::span<const EpochEvidence> epochs);
    static constexpr std::int64_t kLongGap = 100;  ///< epochs after which hardly any burst lasts

    Grid grid_;
    BurstConfig config_;
    std::array<double, kLongGap + 1> stay_;  ///< chance that a burst lasts so many epochs
    bool wide_;
    std::vector<Emission> emissions_;
    std::vector<std::array<double, 4>> forward_;  ///< chances of states while smoothing
};

}  // namespace dyetrace::localise
