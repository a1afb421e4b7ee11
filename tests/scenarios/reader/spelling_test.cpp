// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/spelling.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::scenario {
namespace {

TEST(EditDistance, CountsEachKindOfSlipAsOne) {
    EXPECT_EQ(edit_distance("queue", "queue"), 0U);
    EXPECT_EQ(edit_distance("qeue", "queue"), 1U);
    EXPECT_EQ(edit_distance("quueue", "queue"), 1U);
    EXPECT_EQ(edit_distance("quere", "queue"), 1U);
    EXPECT_EQ(edit_distance("qeuue", "queue"), 1U);
    EXPECT_EQ(edit_distance("", "queue"), 5U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, IsSymmetric) {
    const std::vector<std::string> words = {"",   "a",   "rate", "link_rate", "raised_rate",
                                            "ca", "abc", "seed", "sede"};
    for (const auto& a : words) {
        for (const auto& b : words)
            EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << " " << b;
    }
}

TEST(EditDistance, LooksAtABoundedPrefix) {
    EXPECT_EQ(edit_distance(std::string(100'000, 'a'), std::string(200'000, 'a')), 0U);
    EXPECT_EQ(edit_distance(std::string(100'000, 'a'), ""), 64U);
}

TEST(Nearest, TakesTheFirstOfEquallyNear) {
    EXPECT_EQ(nearest("sede", {"rate", "seed", "sedf"}), "seed");
}

TEST(Nearest, SuggestsNothingThatIsFar) {
    EXPECT_EQ(nearest("banana", {"rate", "seed"}), std::nullopt);
    EXPECT_EQ(nearest("xyz", {"abc"}), std::nullopt);
    EXPECT_EQ(nearest("x", {}), std::nullopt);
}

TEST(Nearest, CaseAloneIsNoDistance) {
    EXPECT_EQ(nearest("LINK_RATE", {"link_delay", "link_rate"}), "link_rate");
}

}  // namespace
}  // namespace dyetrace::scenario
