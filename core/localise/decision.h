// SPDX-License-Identifier: GPL-2.0-or-later
// From beliefs to a decision: which units to name, and whether to name any.
#pragma once

#include <cstddef>
#include <vector>

#include "core/localise/inference.h"

namespace dyetrace::localise {

struct DecisionConfig {
    double evidence_of_faults_min =
        2;                     ///< log Bayes factor for "there is a fault" below which nothing is named
    double missed_weight = 1;  ///< a fault that is missed costs as much as so many falsely named
};

struct Decision {
    std::vector<UnitIndex> ranked;  ///< all units, the most likely faulty first
    std::size_t named = 0;          ///< how many of the first are named
};

/// Names as many as makes the expected F score greatest. With precision and recall weighed alike that is
/// F1; `missed_weight` is the square of the beta of F-beta (van Rijsbergen 1979; Lipton et al. 2014).
[[nodiscard]] Decision decide(const Beliefs& beliefs, const DecisionConfig& config);

}  // namespace dyetrace::localise
