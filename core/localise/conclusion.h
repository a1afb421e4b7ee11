// SPDX-License-Identifier: GPL-2.0-or-later
// What one health service says to another: of each link or device that it holds for likely to be faulty, how
// much its evidence speaks for that. What it believed before it looked is not in it, since the other believes
// the same.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"

namespace dyetrace::localise {

/// About a link or a device, one of the two.
struct Conclusion {
    std::optional<LinkId> link;
    NodeId device;
    double log_bayes_factor = 0;  ///< of faulty against healthy, natural logarithm
    double loss_rate = 0;         ///< most likely probability of losing a packet; 0: not known

    bool operator==(const Conclusion&) const = default;
};

/// Whether it can be: a finite number, and a rate.
[[nodiscard]] bool is_possible(const Conclusion& conclusion);

/// What several say of one link together, each word weighed; at the rate that the surest of them saw.
struct ConcludedOfLink {
    double conclusion = 0;  ///< log Bayes factor
    double loss_rate = 0;   ///< 0: not known
    double surest = 0;      ///< of the words

    void add(double weighed, double rate) {
        conclusion += weighed;
        if (weighed <= surest) return;
        surest = weighed;
        loss_rate = rate;
    }
};

/// Evidence alone for what has these log odds with the prior, one of a group of so many that nothing tells
/// apart. `timed`: losses have a time there, or are to be added to evidence whose losses have.
[[nodiscard]] double log_bayes_factor(const Suspect& suspect, std::size_t group_size,
                                      const FabricGraph& graph, const LocaliserConfig& config, bool timed);

/// Of all suspects and candidates of a verdict on losses that have a time.
[[nodiscard]] std::vector<Conclusion> conclusions_of(const Verdict& verdict, const FabricGraph& graph,
                                                     const LocaliserConfig& config);

/// What such a word counts: a part of it, and within bounds; nothing where it is no finite number.
[[nodiscard]] double weighed(const Conclusion& conclusion, const LocaliserConfig& config);

}  // namespace dyetrace::localise
