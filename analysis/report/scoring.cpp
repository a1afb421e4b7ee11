// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/scoring.h"

#include <algorithm>

namespace dyetrace::report {
namespace {

bool names(const store::SuspectRow& suspect, const store::TruthFaultRow& fault) {
    if (suspect.t_ns < fault.t_ns) return false;
    if (suspect.kind == "device")
        return suspect.device_node == fault.from_node || suspect.device_node == fault.to_node;
    return suspect.from_node == fault.from_node && suspect.to_node == fault.to_node;
}

}  // namespace

bool does_harm(const store::TruthFaultRow& fault) {
    return fault.kind != "silent-drop" || fault.probability > 0;
}

Score score(const store::RunReader& run) {
    const store::TruthReader truth(run);
    Score result;
    result.faults = truth.faults();
    result.has_truth = run.provenance("ns3_version").has_value() || !result.faults.empty();
    result.missed = result.faults;
    std::erase_if(result.missed, [](const auto& fault) { return !does_harm(fault); });

    auto suspects = run.final_suspects();
    std::stable_sort(suspects.begin(), suspects.end(),
                     [](const auto& a, const auto& b) { return a.log_odds > b.log_odds; });
    for (const auto& suspect : suspects) {
        const auto named = [&](const auto& fault) { return does_harm(fault) && names(suspect, fault); };
        Agreement agreement = Agreement::Unknown;
        if (result.has_truth) {
            const bool agrees = std::any_of(result.faults.begin(), result.faults.end(), named);
            agreement = agrees ? Agreement::Agrees : Agreement::Disagrees;
        }
        result.suspects.push_back({suspect, agreement});
        std::erase_if(result.missed, named);
    }
    return result;
}

}  // namespace dyetrace::report
