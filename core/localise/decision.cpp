// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/decision.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dyetrace::localise {

Decision decide(const Beliefs& beliefs, const DecisionConfig& config) {
    Decision decision;
    decision.ranked.resize(beliefs.units.size());
    std::iota(decision.ranked.begin(), decision.ranked.end(), 0U);
    std::stable_sort(decision.ranked.begin(), decision.ranked.end(), [&](UnitIndex a, UnitIndex b) {
        return beliefs.units[a].log_odds > beliefs.units[b].log_odds;
    });
    if (beliefs.log_evidence_of_faults < config.evidence_of_faults_min) return decision;

    double faults = 0;    // expected number
    double none_log = 0;  // log of the chance that there is none
    for (const Belief& belief : beliefs.units) {
        faults += probability(belief.log_odds);
        none_log -= belief.log_odds > 0 ? belief.log_odds + std::log1p(std::exp(-belief.log_odds))
                                        : std::log1p(std::exp(belief.log_odds));
    }
    // To name nothing is right, with a score of 1, where nothing is faulty.
    double best = std::exp(none_log);
    double hits = 0;
    for (std::size_t named = 1; named <= decision.ranked.size(); ++named) {
        hits += probability(beliefs.units[decision.ranked[named - 1]].log_odds);
        const double score =
            (1 + config.missed_weight) * hits / (static_cast<double>(named) + config.missed_weight * faults);
        if (score <= best) continue;
        best = score;
        decision.named = named;
    }
    return decision;
}

}  // namespace dyetrace::localise
