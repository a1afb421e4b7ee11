// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/sampling_spec.h"

#include <cmath>

#include "core/base/result.h"

namespace dyetrace::wire {
namespace {

using Kind = SamplingSpec::Kind;

/// Both ends are exact: 0 stands for none, 2^32 - 1 for all.
constexpr double kWhole = 4294967295.0;

bool has_parameter(Kind kind) {
    return kind == Kind::HashConsistent || kind == Kind::RateBudget;
}

}  // namespace

SamplingSpec SamplingSpec::probability(double probability) {
    return {Kind::Probability, static_cast<std::uint32_t>(std::llround(probability * kWhole))};
}

SamplingSpec SamplingSpec::hash_consistent(double share, std::uint32_t seed) {
    return {Kind::HashConsistent, static_cast<std::uint32_t>(std::llround(share * kWhole)),
            seed & kParameterMost};
}

std::optional<double> SamplingSpec::share() const {
    switch (kind) {
        case Kind::EveryNth: return 1.0 / value;
        case Kind::Probability:
        case Kind::HashConsistent: return static_cast<double>(value) / kWhole;
        case Kind::RateBudget: return std::nullopt;
    }
    return std::nullopt;  // of a later version
}

std::optional<SamplingSpec> SamplingSpec::parse_any(ByteReader& in) {
    const std::uint32_t first = in.u32();
    SamplingSpec spec;
    spec.filtered = (first >> 24 & kFlagFiltered) != 0;
    spec.kind = static_cast<Kind>(first >> 24 & ~kFlagFiltered & 0xff);
    spec.parameter = has_parameter(spec.kind) ? first & kParameterMost : 0;
    spec.value = in.u32();
    if (spec.is_known() && !spec.fault().empty()) return std::nullopt;
    return spec;
}

std::string_view SamplingSpec::fault() const {
    if (!is_known()) return "of no known kind";
    if (parameter > kParameterMost) return "seed and burst have 24 bits";
    if (kind == Kind::EveryNth && value == 0) return "every-nth needs N of at least 1";
    if (kind == Kind::RateBudget && (value == 0 || parameter == 0))
        return "rate-budget needs a rate and a burst of at least 1";
    return {};
}

void SamplingSpec::encode_into(ByteWriter& out) const {
    const std::uint32_t first = static_cast<std::uint32_t>(kind) | (filtered ? kFlagFiltered : 0U);
    out.u32(first << 24 | (has_parameter(kind) ? parameter & kParameterMost : 0));
    out.u32(value);
}

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::EveryNth: return "every-nth";
        case Kind::Probability: return "probability";
        case Kind::HashConsistent: return "hash-consistent";
        case Kind::RateBudget: return "rate-budget";
    }
    DYETRACE_ASSERT(false);
    return {};
}

}  // namespace dyetrace::wire
