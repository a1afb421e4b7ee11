// SPDX-License-Identifier: GPL-2.0-or-later
// Sweeps over units until beliefs about them stand still, and answers what-if questions about them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/localise/inference.h"
#include "core/localise/path_mixture.h"
#include "core/localise/rate_prior.h"

namespace dyetrace::localise {

/// Packets lost on which paths, and what is believed to be lost here. Of a unit, or of a device.
struct LossShare {
    std::vector<std::uint32_t> any_time;     ///< lossy paths without an epoch
    std::vector<std::uint32_t> timed;        ///< lossy paths with one, by epoch
    std::vector<std::int32_t> lossy_epochs;  ///< those epochs, each once
    std::vector<std::uint32_t> epoch_ends;   ///< where in `timed` the paths of each end
    double rate_any_time = 0;
    std::vector<double> rate;  ///< in each of `lossy_epochs`
    bool stale = true;         ///< what others are believed to lose on its paths has changed

    /// Lossy paths of one of `lossy_epochs`.
    [[nodiscard]] std::span<const std::uint32_t> in_epoch(std::size_t place) const {
        const std::size_t begin = place == 0 ? 0 : epoch_ends[place - 1];
        return std::span(timed).subspan(begin, epoch_ends[place] - begin);
    }
};

class Sweeper {
  public:
    Sweeper(const Evidence& evidence, const InferenceConfig& config);

    void run();
    [[nodiscard]] const std::vector<Belief>& beliefs() const { return beliefs_; }
    [[nodiscard]] const RatePrior& prior() const { return prior_; }
    /// log Bayes factor of "some unit is faulty" against "none is".
    [[nodiscard]] double log_evidence_of_faults() const;

    /// log likelihood of each rate of `unit`, but for the losses on its paths.
    [[nodiscard]] PerRate weigh_carried(UnitIndex unit) const;

    /// What evidence says of a rate that is the same for a unit or a device at all times.
    struct Weight {
        double log_bayes_factor = 0;
        double loss_rate = 0;
        double log_gain = 0;  ///< log likelihood over that of a link that is healthy and never congested
        double log_gain_healthy = 0;  ///< .. of a healthy link, congested or not
    };
    [[nodiscard]] Weight weigh_unit(UnitIndex unit);
    [[nodiscard]] Weight weigh_device(const DeviceEvidence& device);

    /// How much better it explains everything that `first` is faulty and `second` is not than the other way
    /// round.
    struct Comparison {
        double log_ratio = 0;
        double second_loss_rate = 0;  ///< if it is the faulty one
    };
    [[nodiscard]] Comparison compare(UnitIndex first, UnitIndex second);

    /// As long as it lives, these units are believed to lose no more than any healthy one.
    class Acquitted {
      public:
        Acquitted(Sweeper& sweeper, std::span<const UnitIndex> units);
        ~Acquitted();
        Acquitted(const Acquitted&) = delete;
        Acquitted& operator=(const Acquitted&) = delete;
        /// Lets `unit` be faulty, at the rate that explains most of what is unexplained.
        void convict(UnitIndex unit);

      private:
        Sweeper& sweeper_;
        std::vector<LossShare> shares_;
        std::vector<double> path_rate_;
        std::vector<double> mixture_rates_;
    };

    /// The host, if any, that claims what the others deny of `unit`: most of the unit's losses are by its
    /// word, and the others' packets that cross the unit speak against it.
    [[nodiscard]] std::optional<LiarBelief> contradicted(UnitIndex unit) const;

    /// Units that are on paths with at least `share` of what was lost on the paths of `unit`; by index.
    [[nodiscard]] std::vector<UnitIndex> crossing_losses(UnitIndex unit, double share) const;

  private:
    /// Likelihoods of a unit's rates, and its expected rates if healthy and if faulty.
    struct Weighed {
        PerRate log_likelihood{};
        std::vector<double> healthy_rate;  ///< in each of the lossy epochs, if the unit is healthy ..
        std::vector<double> faulty_rate;   ///< .. and if it is faulty
        bool knows_faulty_rate = false;    ///< else that is the healthy one
        double expected_rate = 0;          ///< over all time
        double log_calm = 0;               ///< log likelihood of a healthy link without congestion
    };
    /// Which rates are asked for, beside likelihoods.
    enum class Rates { None, IfLikely, Both };  ///< `IfLikely`: the faulty one where the unit may be faulty

    [[nodiscard]] static double rate_at(const LossShare& share, std::int32_t epoch);
    void index_epochs(LossShare& share) const;
    void sum_up_paths();
    void set_rates(UnitIndex unit, const std::vector<double>& timed, double any_time);
    /// What is weighed: a unit, or the units of a device together.
    using Members = std::span<const UnitIndex>;
    [[nodiscard]] bool crosses_for_certain(const LossyPath& path, Members members) const;
    void move_rate(std::uint32_t p, UnitIndex unit, double by);
    [[nodiscard]] bool list_losses(std::span<const std::uint32_t> paths, double own, Members members,
                                   std::vector<EpochLoss>& losses, PerRate& more) const;
    void gather_history(const LossShare& share, const UnitEvidence& evidence, Members members,
                        std::int32_t together);
    [[nodiscard]] Weighed weigh(const LossShare& share, const UnitEvidence& evidence, Members members,
                                const PerRate& lossless, Rates rates);
    void weigh_sent(const UnitEvidence& evidence, bool at_any_time, PerRate& log_likelihood) const;
    void weigh_steady(const LossShare& share, const UnitEvidence& evidence, Members members,
                      const PerRate& lossless, bool at_any_time, Weighed& weighed);
    void find_rates(const LossShare& share, double prior_log_odds, Rates rates, Weighed& weighed);
    [[nodiscard]] Weighed weigh_alone(UnitIndex unit, Rates rates);
    void add_told(const UnitEvidence& evidence, PerRate& log_likelihood) const;
    void add_conclusion(const UnitEvidence& evidence, PerRate& log_likelihood) const;
    [[nodiscard]] Weight to_weight(const Weighed& weighed) const;
    void share_out_lossless();
    double add_alternatives(std::uint32_t p, UnitIndex unit, std::map<UnitIndex, double>& lost) const;
    void tell_others(UnitIndex unit);
    void judge(UnitIndex unit);
    bool update(UnitIndex unit);
    [[nodiscard]] std::vector<UnitIndex> look_first();
    [[nodiscard]] std::vector<UnitIndex> order() const;
    void learn();

    const Evidence& evidence_;
    const InferenceConfig& config_;
    RatePrior prior_;
    BurstModel bursts_;
    HistoryEvidence history_;        ///< of what is being weighed
    std::vector<EpochLoss> losses_;  ///< the same
    std::vector<LossShare> shares_;  ///< of each unit
    std::vector<Weighed> weighed_;   ///< of each unit, when it was last weighed
    PathMixture mixture_;
    std::vector<UnitIndex> ids_;     ///< 0, 1, ..: a unit is the only member of itself
    bool has_sets_;                  ///< some lossy paths are not known
    std::vector<double> path_lost_;  ///< of each lossy path, apart from the rest of it: to be read fast
    std::vector<double> path_rate_;  ///< of each lossy path, summed over its certain units
    std::vector<double> told_rate_;  ///< .. when units on it were last told
    std::vector<Belief> beliefs_;
    std::vector<std::array<double, kFaultyRates>>
        faulty_rates_;  ///< of each unit, sums to its chance of being faulty
};

}  // namespace dyetrace::localise
