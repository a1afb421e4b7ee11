// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/conclusion.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace dyetrace::localise {

double log_bayes_factor(const Suspect& suspect, std::size_t group_size, const FabricGraph& graph,
                        const LocaliserConfig& config, bool timed) {
    // The odds are that one of the group is.
    const double posterior =
        suspect.log_odds - std::log(static_cast<double>(std::max<std::size_t>(group_size, 1)));
    if (suspect.kind == Suspect::Kind::Device) return posterior - config.device_log_odds;
    const double prior = log_odds_before(graph, config, suspect.from, suspect.to);
    return posterior - (timed ? prior : prior - config.windowed_log_odds);
}

std::vector<Conclusion> conclusions_of(const Verdict& verdict, const FabricGraph& graph,
                                       const LocaliserConfig& config) {
    std::vector<Conclusion> conclusions;
    // A group may go on from suspects to candidates; its number is the verdict's.
    std::map<int, std::size_t> sizes;
    for (const auto* list : {&verdict.suspects, &verdict.candidates}) {
        for (const Suspect& suspect : *list)
            if (suspect.group >= 0) ++sizes[suspect.group];
    }
    for (const auto* list : {&verdict.suspects, &verdict.candidates}) {
        for (const Suspect& suspect : *list) {
            const std::size_t size = suspect.group < 0 ? 1 : sizes[suspect.group];
            Conclusion conclusion;
            conclusion.log_bayes_factor = log_bayes_factor(suspect, size, graph, config, true);
            conclusion.loss_rate = suspect.loss_rate;
            if (suspect.kind == Suspect::Kind::Device) {
                conclusion.device = suspect.device;
            } else {
                conclusion.link = graph.link(suspect.from, suspect.to);
                if (!conclusion.link) continue;
            }
            conclusions.push_back(conclusion);
        }
    }
    return conclusions;
}

bool is_possible(const Conclusion& conclusion) {
    return std::isfinite(conclusion.log_bayes_factor) && conclusion.loss_rate >= 0 &&
           conclusion.loss_rate <= 1;
}

double weighed(const Conclusion& conclusion, const LocaliserConfig& config) {
    if (!std::isfinite(conclusion.log_bayes_factor)) return 0;
    return std::clamp(config.conclusion_trust * conclusion.log_bayes_factor, -config.conclusion_log_odds_max,
                      config.conclusion_log_odds_max);
}

}  // namespace dyetrace::localise
