// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/sampling_settings.h"

#include <cmath>
#include <limits>

#include "core/base/result.h"

namespace dyetrace::tracking {

using Kind = wire::SamplingSpec::Kind;

wire::SamplingSpec SamplingSettings::spec() const {
    switch (sampling) {
        case Kind::EveryNth: {
            const double n = std::round(1 / rate);
            // Written so that the infinite N of a rate of zero is none too.
            const bool has_n = n <= std::numeric_limits<std::uint32_t>::max();
            return has_n ? wire::SamplingSpec::every_nth(static_cast<std::uint32_t>(n))
                         : wire::SamplingSpec::probability(0);
        }
        case Kind::Probability: return wire::SamplingSpec::probability(rate);
        case Kind::HashConsistent: return wire::SamplingSpec::hash_consistent(rate, sampling_seed);
        case Kind::RateBudget: return wire::SamplingSpec::rate_budget(sampling_budget, sampling_burst);
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::optional<Kind> sampling_kind_named(std::string_view name) {
    for (const Kind kind : {Kind::EveryNth, Kind::Probability, Kind::HashConsistent, Kind::RateBudget}) {
        if (wire::to_string(kind) == name) return kind;
    }
    return std::nullopt;
}

}  // namespace dyetrace::tracking
