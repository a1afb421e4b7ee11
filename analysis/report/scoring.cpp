// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/scoring.h"

#include <algorithm>

namespace dyetrace::report {
namespace {

bool names(const store::SuspectRow& suspect, const store::TruthFaultRow& fault) {
    if (suspect.t_ns < fault.t_ns) return false;
    if (suspect.kind == "device")
        return suspect.device_node == fault.from_node || suspect.device_node == fault.to_node;
    if (is_of_node(fault)) return suspect.from_node == fault.from_node || suspect.to_node == fault.from_node;
    return suspect.from_node == fault.from_node && suspect.to_node == fault.to_node;
}

bool same_subject(const store::SuspectRow& a, const store::SuspectRow& b) {
    return a.incident == b.incident && a.kind == b.kind && a.from_node == b.from_node &&
           a.to_node == b.to_node && a.device_node == b.device_node;
}

}  // namespace

bool is_of_node(const store::TruthFaultRow& fault) {
    return fault.from_node == fault.to_node;
}

store::SuspectRow as_suspect(const store::TruthFaultRow& fault) {
    store::SuspectRow row;
    row.kind = is_of_node(fault) ? "device" : "link";
    if (is_of_node(fault)) {
        row.device_node = fault.from_node;
    } else {
        row.from_node = fault.from_node;
        row.to_node = fault.to_node;
    }
    return row;
}

bool does_harm(const store::TruthFaultRow& fault) {
    return fault.probability > 0;
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
    const auto all = run.suspects();
    for (const auto& suspect : suspects) {
        ScoredSuspect scored{.suspect = suspect, .named_ns = suspect.t_ns};
        for (const auto& earlier : all) {
            if (same_subject(earlier, suspect)) scored.named_ns = std::min(scored.named_ns, earlier.t_ns);
        }
        if (result.has_truth) scored.agreement = Agreement::Disagrees;
        const auto named = [&](const auto& fault) { return does_harm(fault) && names(suspect, fault); };
        const auto fault = std::find_if(result.faults.begin(), result.faults.end(), named);
        if (fault != result.faults.end()) {
            scored.agreement = Agreement::Agrees;
            scored.fault_ns = fault->t_ns;
        }
        result.suspects.push_back(scored);
        std::erase_if(result.missed, named);
    }
    return result;
}

}  // namespace dyetrace::report
