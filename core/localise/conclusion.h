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

/// Evidence alone for what has these log odds with the prior, one of a group of so many that nothing tells
/// apart. `timed`: losses have a time there, or are to be added to evidence whose losses have.
[[nodiscard]] double log_bayes_factor(const Suspect& suspect, std::size_t group_size,
                                      const FabricGraph& graph, const LocaliserConfig& config, bool timed);

/// Of all suspects and candidates of a verdict on losses that have a time.
[[nodiscard]] std::vector<Conclusion> conclusions_of(const Verdict& verdict, const FabricGraph& graph,
                                                     const LocaliserConfig& config);

/// What such a word counts: a part of it, and within bounds. None where it is no finite number.
[[nodiscard]] std::optional<double> weighed_conclusion(double log_bayes_factor,
                                                       const LocaliserConfig& config);

}  // namespace dyetrace::localise
