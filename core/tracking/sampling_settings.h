// SPDX-License-Identifier: GPL-2.0-or-later
// What people say of sampling, with one name and one default wherever they say it: a scenario, an attribute
// of ns-3, eppcd's file. wire::SamplingSpec is what it comes to.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/wire/sampling_spec.h"

namespace dyetrace::tracking {

struct SamplingSettings {
    wire::SamplingSpec::Kind sampling = wire::SamplingSpec::Kind::EveryNth;
    double rate = 0.01;  ///< share of the packets, 0 to 1; every kind but a budget has it
    /// hash-consistent: who picks with the same seed picks the same packets; 24 bits.
    std::uint32_t sampling_seed = 0;
    /// rate-budget: tags a second of each session, at least 1. About 1% of a gigabit of full packets.
    std::uint32_t sampling_budget = 1000;
    /// rate-budget: tags that a session which was quiet may give at once, at least 1; 24 bits.
    std::uint32_t sampling_burst = 10;

    /// Every Nth with N = 1 / rate, rounded; a rate that has no N of 32 bits picks none.
    [[nodiscard]] wire::SamplingSpec spec() const;
};

/// The kind of that name (wire::to_string); nothing where there is none.
std::optional<wire::SamplingSpec::Kind> sampling_kind_named(std::string_view name);

}  // namespace dyetrace::tracking
