// SPDX-License-Identifier: GPL-2.0-or-later
// The localiser on a fabric whose queues overflow beside a link that loses silently.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/localise/localiser.h"
#include "tests/core/localise/congested_fabric.h"

namespace dyetrace::localise {
namespace {

using test::CongestedFabricConfig;
using test::CongestedRun;

constexpr int kSeeds = 25;

Verdict locate(const CongestedRun& run, bool with_delays = true) {
    EvidenceBuilder evidence(run.graph);
    for (auto record : run.records) {
        if (!with_delays) record.totals.delay_count = 0;
        evidence.record(record.key, record.at, record.totals);
    }
    for (const auto& path : run.paths)
        evidence.path(path.key, path.at, path.hops);
    Localiser localiser(run.graph);
    evidence.feed(localiser);
    return localiser.infer();
}

bool names_first(const CongestedRun& run, const Verdict& verdict) {
    return !verdict.suspects.empty() && verdict.suspects[0].kind == Suspect::Kind::Link &&
           run.graph.link(verdict.suspects[0].from, verdict.suspects[0].to) == run.faulty;
}

TEST(Congestion, GrayLinkIsNamedFirstAmongOverflowingQueues) {
    int named = 0;
    std::string missed;
    for (int seed = 1; seed <= kSeeds; ++seed) {
        CongestedFabricConfig config;
        config.seed = static_cast<std::uint64_t>(seed);
        config.fault_rate = 0.01;
        const CongestedRun run = run_congested_fabric(config);
        ASSERT_GT(run.lost_to_queues, 1000U) << "no congestion to tell from, seed " << seed;
        if (names_first(run, locate(run)))
            ++named;
        else
            missed += " " + std::to_string(seed);
    }
    EXPECT_GE(named, kSeeds - 1) << "missed in seeds" << missed;
}

TEST(Congestion, CongestionAloneHasNoSuspect) {
    for (int seed = 1; seed <= kSeeds; ++seed) {
        CongestedFabricConfig config;
        config.seed = static_cast<std::uint64_t>(seed);
        const CongestedRun run = run_congested_fabric(config);
        ASSERT_GT(run.lost_to_queues, 1000U);
        EXPECT_THAT(locate(run).suspects, testing::IsEmpty()) << "seed " << seed;
    }
}

TEST(Congestion, GrayLinkIsMostlyNamedWithoutDelaysToo) {
    int named = 0;
    for (int seed = 1; seed <= 10; ++seed) {
        CongestedFabricConfig config;
        config.seed = static_cast<std::uint64_t>(seed);
        config.fault_rate = 0.01;
        const CongestedRun run = run_congested_fabric(config);
        named += names_first(run, locate(run, false)) ? 1 : 0;
    }
    EXPECT_GE(named, 8);
}

TEST(Congestion, SameRunGivesTheSameVerdict) {
    CongestedFabricConfig config;
    config.seed = 3;
    config.fault_rate = 0.01;
    const Verdict first = locate(run_congested_fabric(config));
    const Verdict second = locate(run_congested_fabric(config));
    ASSERT_EQ(first.candidates.size(), second.candidates.size());
    for (std::size_t i = 0; i < first.candidates.size(); ++i)
        EXPECT_EQ(first.candidates[i].log_odds, second.candidates[i].log_odds);
}

}  // namespace
}  // namespace dyetrace::localise
