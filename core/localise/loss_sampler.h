// SPDX-License-Identifier: GPL-2.0-or-later
// Who lost which packet: beliefs that keep what weak faults have in common, by sampling.
//
// Sweeps judge one unit at a time, the others standing at what they lose on average. Where faults are weak
// that forgets what matters: if this link did not lose those three packets, that one did. Here each lost
// packet is given to one unit of its path, and given again and again, drawn by what the other losses make of
// each unit (collapsed Gibbs sampling: rates are summed over, and never drawn). A unit of whose log
// likelihood of rate r without its losses is L(r), and that has been given c losses, has the weight
//
//     W(c) = sum over r of  prior(r) * exp(L(r)) * r^c
//
// so the next packet is given to it in proportion to W(c + 1) / W(c), and the chance that it is faulty is the
// share of the faulty rates in W(c). The mean of that chance over sweeps is the belief. The share of faulty
// units and their rates are learned on the way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/random.h"
#include "core/localise/inference.h"
#include "core/localise/rate_prior.h"

namespace dyetrace::localise {

class LossSampler {
  public:
    /// `carried`: of each unit, the log likelihood of each rate but for the losses on its paths.
    LossSampler(const Evidence& evidence, const InferenceConfig& config, std::vector<PerRate> carried,
                const RatePrior& prior);

    /// Whether evidence is of the kind that is sampled: all losses with a known path, none with an epoch, and
    /// not so many that sweeps alone are as good.
    [[nodiscard]] static bool takes(const Evidence& evidence, const InferenceConfig& config);

    /// Begins with what sweeps believe.
    void run(std::span<const Belief> beliefs);
    /// Replaces odds and rates, where it has learned any.
    void update(std::vector<Belief>& beliefs) const;
    /// log Bayes factor of "some unit is faulty" against "none is".
    [[nodiscard]] double log_evidence_of_faults() const;

  private:
    /// A unit that has been given so many losses; filled in when one first has.
    struct Place {
        double next_rate = -1;  ///< W(c + 1) / W(c); below 0: not known yet
        double faulty = 0;      ///< chance of it
        double healthy = 1;     ///< .. and of the opposite, exact where it is small
    };
    /// Likelihoods of a place, all divided by exp(`log_scale`).
    struct Row {
        std::array<double, kFaultyRates> faulty{};
        double healthy = 0;  ///< mean over the healthy rates
        double log_scale = 0;
        double weight = 0;  ///< W, so divided
        std::uint32_t place = 0;
        UnitIndex unit = 0;
    };
    static constexpr std::uint32_t kNoRow = 0xffffffff;

    [[nodiscard]] std::uint32_t place_of(UnitIndex unit) const { return first_place_[unit] + given_[unit]; }
    std::uint32_t row_at(UnitIndex unit, std::uint32_t place);
    void fill(UnitIndex unit, std::uint32_t place);
    void weigh(Row& row);
    void set_next_rate(std::uint32_t place);
    void moved(UnitIndex unit);
    [[nodiscard]] std::uint32_t draw(const LossyPath& path, std::span<const double> rates);
    void begin(std::span<const Belief> beliefs);
    void take_prior();
    void sweep();
    void count();
    void learn();

    const Evidence& evidence_;
    const InferenceConfig& config_;
    std::vector<PerRate> carried_;
    RatePrior prior_;
    Random random_;
    std::array<double, kRates> log_rates_{};
    std::array<double, kFaultyRates> mass_{};  ///< prior of the faulty rates
    std::vector<double> prior_chance_;         ///< of each unit, to be faulty
    std::vector<std::uint32_t> first_place_;   ///< of each unit, into `places_`: by losses given to it
    std::vector<Place> places_;
    std::vector<std::uint32_t> row_of_;  ///< of each place
    std::vector<Row> rows_;
    std::vector<std::uint32_t> path_of_;   ///< of each lost packet
    std::vector<std::uint32_t> given_to_;  ///< place on its path; past the last: links that are no units
    std::vector<std::uint32_t> given_;     ///< to each unit
    std::vector<double> next_rate_;        ///< of each unit as it stands
    std::vector<double> cumulated_;        ///< along one path

    // Sums over the sweeps that count.
    std::size_t counted_ = 0;
    std::vector<double> faulty_, healthy_;
    std::vector<std::array<double, kFaultyRates>> faulty_rates_;
    double prior_none_ = 0;  ///< log chance that no unit is faulty
    double log_none_ = 0;    ///< log of the sum of its chance after looking over that before
};

}  // namespace dyetrace::localise
