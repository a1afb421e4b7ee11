// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/events.h"

#include "core/base/result.h"

namespace dyetrace::health {

std::string_view to_string(IncidentState state) {
    switch (state) {
        case IncidentState::Investigating: return "investigating";
        case IncidentState::Confirmed: return "confirmed";
        case IncidentState::Refuted: return "refuted";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(IncidentStep step) {
    switch (step) {
        case IncidentStep::Opened: return "opened";
        case IncidentStep::DirectiveSent: return "directive";
        case IncidentStep::DirectiveAnswered: return "directive-result";
        case IncidentStep::Evidence: return "evidence";
        case IncidentStep::Confirmed: return "confirmed";
        case IncidentStep::Refuted: return "refuted";
    }
    DYETRACE_ASSERT(false);
    return {};
}

}  // namespace dyetrace::health
