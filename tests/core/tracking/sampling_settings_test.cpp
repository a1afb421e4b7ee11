// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/sampling_settings.h"

#include <gtest/gtest.h>

namespace dyetrace::tracking {
namespace {

using Kind = wire::SamplingSpec::Kind;

TEST(SamplingSettings, UnsaidTheyAreTheDefaultOfTheSpecification) {
    EXPECT_EQ(SamplingSettings{}.spec(), wire::SamplingSpec{});
}

TEST(SamplingSettings, EachKindTakesWhatIsItsOwn) {
    SamplingSettings settings{Kind::EveryNth, 0.02, 77, 500, 20};
    EXPECT_EQ(settings.spec(), wire::SamplingSpec::every_nth(50));
    settings.sampling = Kind::Probability;
    EXPECT_EQ(settings.spec(), wire::SamplingSpec::probability(0.02));
    settings.sampling = Kind::HashConsistent;
    EXPECT_EQ(settings.spec(), wire::SamplingSpec::hash_consistent(0.02, 77));
    settings.sampling = Kind::RateBudget;
    EXPECT_EQ(settings.spec(), wire::SamplingSpec::rate_budget(500, 20));
}

TEST(SamplingSettings, ARateWithoutAnNPicksNone) {
    for (const double rate : {0.0, 1e-10}) {
        const SamplingSettings settings{Kind::EveryNth, rate};
        EXPECT_EQ(settings.spec(), wire::SamplingSpec::probability(0)) << rate;
    }
}

TEST(SamplingSettings, EveryKindIsFoundByItsName) {
    for (const Kind kind : {Kind::EveryNth, Kind::Probability, Kind::HashConsistent, Kind::RateBudget})
        EXPECT_EQ(sampling_kind_named(wire::to_string(kind)), kind);
    EXPECT_FALSE(sampling_kind_named("every-other").has_value());
    EXPECT_FALSE(sampling_kind_named("").has_value());
}

}  // namespace
}  // namespace dyetrace::tracking
