// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/policies.h"

#include "core/base/result.h"

namespace dyetrace::health {

std::string_view to_string(RemedyMode mode) {
    switch (mode) {
        case RemedyMode::Off: return "off";
        case RemedyMode::Advisory: return "advisory";
        case RemedyMode::Automatic: return "automatic";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::optional<RemedyMode> parse_remedy_mode(std::string_view text) {
    for (const RemedyMode mode : {RemedyMode::Off, RemedyMode::Advisory, RemedyMode::Automatic}) {
        if (text == to_string(mode)) return mode;
    }
    return std::nullopt;
}

std::string_view to_string(Remedy remedy) {
    switch (remedy) {
        case Remedy::Repath: return "repath";
        case Remedy::Drain: return "drain";
        case Remedy::Migrate: return "migrate";
        case Remedy::DrainHost: return "drain-host";
        case Remedy::Notify: return "notify";
    }
    DYETRACE_ASSERT(false);
    return {};
}

}  // namespace dyetrace::health
