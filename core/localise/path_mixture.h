// SPDX-License-Identifier: GPL-2.0-or-later
// Likelihoods of packets whose path is not known, only the set that it is from.
//
// With choices c of weight w_c, each losing at rate R_c in all, a flow of n packets that lost x of them has
// the likelihood  sum_c w_c exp(-n R_c) (n R_c)^x / x! . For one unit's rate r, the others standing still:
//
//     lossless    log(1 - f + f exp(-n r))    f: chance that the flow took a choice with the unit, given that
//                                             it lost nothing and the unit loses nothing
//     lossy       the sum itself, choice by choice
//
// Small flows see the mean rate of their choices; a large flow that lost nothing says that one choice is
// good, and no more than that. Lossless flows are many: they are kept as a histogram of f and n for each
// unit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/localise/laid_out.h"
#include "core/localise/rate_prior.h"

namespace dyetrace::localise {

/// Sum of logarithms of many factors at each rate, with few logarithms taken.
class LogProduct {
  public:
    void multiply(const PerRate& factors) {
        for (std::size_t r = 0; r < kRates; ++r)
            product_[r] *= factors[r];
        settle();
    }
    /// (1 + rates * per_rate)^power
    void multiply(const PerRate& rates, double per_rate, double power);
    void add(const PerRate& logs) {
        for (std::size_t r = 0; r < kRates; ++r)
            sum_[r] += logs[r];
    }
    /// Adds the sum to `sum`, and begins anew.
    void add_to(PerRate& sum);

  private:
    static constexpr double kLarge = 1e150;
    void settle();

    PerRate product_ = ones();
    PerRate sum_{};
    static constexpr PerRate ones() {
        PerRate all{};
        for (double& one : all)
            one = 1;
        return all;
    }
};

class PathMixture {
  public:
    PathMixture(const Evidence& evidence, const RatePrior& prior);

    /// Whether any flow without loss took an unknown path (at an unknown time).
    [[nodiscard]] bool any_lossless() const { return !groups_.empty(); }
    /// Shares lossless flows out among their choices, with units at these rates; false where they have hardly
    /// moved since the last time, or that has been done often enough.
    bool weigh_lossless(std::span<const double> unit_rates);
    /// log likelihood of lossless flows at each rate of the unit, relative to rate 0.
    [[nodiscard]] const PerRate& lossless(UnitIndex unit) const {
        static constexpr PerRate kNothing{};
        return any_lossless() ? lossless_[unit] : kNothing;
    }
    /// The same of a device, whose units are `members`, by index.
    /// `spared` is believed to lose nothing.
    [[nodiscard]] PerRate lossless_of(std::span<const UnitIndex> members,
                                      std::optional<UnitIndex> spared = std::nullopt) const;

    /// Rates of the choices of lossy path `p`, which has a set.
    [[nodiscard]] std::span<double> choice_rates(std::uint32_t p);
    [[nodiscard]] std::span<const double> choice_rates(std::uint32_t p) const;
    /// Those of all paths, to be kept and put back.
    [[nodiscard]] const std::vector<double>& all_choice_rates() const { return choice_rates_; }
    void set_all_choice_rates(std::vector<double> rates);
    [[nodiscard]] std::span<const UnitIndex> units_of(const PathChoice& choice) const;
    [[nodiscard]] std::span<const PathChoice> choices_of(SetIndex set) const;
    /// Units of any choice, each once, by index.
    [[nodiscard]] std::span<const UnitIndex> units_of(SetIndex set) const;
    /// Adds what lossy path `p` says of each rate of the unit (or device: several `members`, by index) that
    /// is now believed to lose at `own`. Units crossed for certain lose `certain` together, this one included
    /// where `among_certain`.
    void add_lossy(std::uint32_t p, double certain, double own, bool among_certain,
                   std::span<const UnitIndex> members, LogProduct& log_likelihood) const;
    /// To be called after `choice_rates(p)` were changed.
    void rates_changed(std::uint32_t p);
    /// Chance of each choice of lossy path `p`, as rates stand.
    [[nodiscard]] std::vector<double> responsibilities(std::uint32_t p, double certain) const;

  private:
    struct Group {
        SetIndex set = 0;
        std::uint32_t bin = 0;
        double weight = 0;  ///< packets over the bin's
    };
    void add_many_lost(std::uint32_t p, double certain, double own, bool among_certain,
                       std::span<const UnitIndex> members, LogProduct& log_likelihood) const;
    [[nodiscard]] bool crosses(const PathChoice& choice, std::span<const UnitIndex> members) const;
    void group_lossless();
    void tabulate();
    [[nodiscard]] PerRate sum_up(std::span<const float> histogram) const;

    const Evidence& evidence_;
    PerRate rates_;
    std::vector<Group> groups_;  ///< by set
    std::vector<PerRate> lossless_;
    std::vector<float> table_;         ///< log(1 - f + f exp(-n r)) by bin of n, f and r
    std::vector<float> histogram_;     ///< of each unit, by bin of n and f
    std::vector<double> pass_;         ///< exp(-n r) of each unit and bin
    std::vector<double> weighed_at_;   ///< rates of units when last weighed
    std::vector<std::uint32_t> bins_;  ///< those with flows; what is indexed by bin is so by place in here
    int times_weighed_ = 0;
    std::vector<std::uint32_t> first_rate_;  ///< of each lossy path, into `choice_rates_`
    std::vector<double> choice_rates_;
    std::vector<double> chances_;          ///< of the same, up to a factor: weight * exp(-sent * rate)
    std::vector<std::uint32_t> pass_row_;  ///< of each lossy path with a set, into `path_pass_`
    std::vector<PerRate> path_pass_;       ///< exp(-sent * r)
    std::vector<std::vector<UnitIndex>> set_units_;
    std::vector<std::vector<std::uint16_t>>
        set_places_;  ///< of each set's choice's unit, among its set's units
};

/// Others on a path lose at least this; keeps a loss that only one unit can explain from weighing infinitely.
inline constexpr double kRateFloor = 1e-7;

}  // namespace dyetrace::localise
