// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/candidate.h"

#include <limits>

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using session::Candidate;

std::vector<std::uint32_t> best(std::vector<Candidate> candidates, std::size_t most) {
    keep_best(candidates, most);
    std::vector<std::uint32_t> peers;
    for (const Candidate& candidate : candidates)
        peers.push_back(candidate.peer);
    return peers;
}

TEST(Candidate, OfMoreTrafficComesFirst) {
    EXPECT_EQ(best({{1, 10, {}, false}, {2, 30, {}, false}, {3, 20, {}, false}}, 2),
              (std::vector<std::uint32_t>{2, 3}));
}

TEST(Candidate, WeighsSecondsUnmeasuredAgainstTraffic) {
    // 100 * (1 + 1) against 30 * (1 + 9), and 30 * (1 + 5).
    const Candidate busy{1, 100, Duration::seconds(1), false};
    EXPECT_EQ(best({busy, {2, 30, Duration::seconds(9), false}}, 1), (std::vector<std::uint32_t>{2}));
    EXPECT_EQ(best({busy, {2, 30, Duration::seconds(5), false}}, 1), (std::vector<std::uint32_t>{1}));
}

TEST(Candidate, ThatIsNearCountsForAQuarter) {
    EXPECT_EQ(best({{1, 399, {}, true}, {2, 100, {}, false}}, 1), (std::vector<std::uint32_t>{2}));
    EXPECT_EQ(best({{1, 401, {}, true}, {2, 100, {}, false}}, 1), (std::vector<std::uint32_t>{1}));
}

TEST(Candidate, WithoutTrafficIsNone) {
    EXPECT_TRUE(best({{1, 0, Candidate::kStalest, false}}, 5).empty());
}

TEST(Candidate, OfEqualsTheLowerIndexComesFirst) {
    EXPECT_EQ(best({{7, 5, {}, false}, {3, 5, {}, false}, {5, 5, {}, false}}, 3),
              (std::vector<std::uint32_t>{3, 5, 7}));
}

TEST(Candidate, ScoreNeitherOverflowsNorRunsBackwards) {
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    const Candidate most{1, kMost, Duration{std::numeric_limits<std::int64_t>::max()}, false};
    const Candidate less{2, std::uint64_t{1} << 31, Candidate::kStalest, false};
    EXPECT_GT(most.score(), less.score());
    EXPECT_EQ((Candidate{1, 5, Duration{-1}, false}.score()), (Candidate{1, 5, {}, false}.score()));
}

}  // namespace
}  // namespace dyetrace::test
