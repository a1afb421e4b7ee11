// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/events.h"

#include "core/base/result.h"

namespace dyetrace::health {

std::string describe(const Subject& subject, const localise::FabricGraph& graph) {
    if (!subject.is_link()) return graph.name(subject.device);
    return graph.name(subject.from) + " > " + graph.name(subject.to);
}

std::string_view to_string(IncidentState state) {
    switch (state) {
        case IncidentState::Investigating: return "investigating";
        case IncidentState::Confirmed: return "confirmed";
        case IncidentState::Remedying: return "remedying";
        case IncidentState::Verifying: return "verifying";
        case IncidentState::Closed: return "closed";
        case IncidentState::Refuted: return "refuted";
        case IncidentState::Merged: return "merged";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(IncidentStep step) {
    switch (step) {
        case IncidentStep::Opened: return "opened";
        case IncidentStep::DirectiveSent: return "directive";
        case IncidentStep::DirectiveAnswered: return "directive-result";
        case IncidentStep::DirectiveRefused: return "directive-refused";
        case IncidentStep::Evidence: return "evidence";
        case IncidentStep::Confirmed: return "confirmed";
        case IncidentStep::Refuted: return "refuted";
        case IncidentStep::Merged: return "merged";
        case IncidentStep::Advised: return "advised";
        case IncidentStep::Remedy: return "remedy";
        case IncidentStep::HeldBack: return "held-back";
        case IncidentStep::Verified: return "verified";
        case IncidentStep::Migrated: return "migrated";
        case IncidentStep::NotVerified: return "not-verified";
        case IncidentStep::Restored: return "restored";
        case IncidentStep::Closed: return "closed";
        case IncidentStep::Resumed: return "resumed";
    }
    DYETRACE_ASSERT(false);
    return {};
}

}  // namespace dyetrace::health
