// SPDX-License-Identifier: GPL-2.0-or-later
// That nothing is heard any more is heard, too.
#include <map>
#include <utility>

#include <gtest/gtest.h>

#include "tests/core/health/small_fabric.h"

namespace dyetrace::health {
namespace {

// Nobody says that he falls silent, and where all do at once no update comes that could wake the service.
TEST(Silence, WhereAllFallSilentNobodyIsHealthyAnyMore) {
    SmallFabric fabric;
    fabric.run(600);  // for longer than it takes to be called silent
    std::map<std::pair<IpAddress, IpAddress>, Health> health;
    const auto look = [&] {
        for (const HealthChanged& change : fabric.all<HealthChanged>())
            health[{change.requester, change.acceptor}] = change.health;
    };
    look();
    ASSERT_FALSE(health.empty());
    for (const auto& [pair, state] : health)
        EXPECT_EQ(state, Health::Healthy);
    fabric.let_pass(fabric.config.detector.stale_after * 2);
    look();
    for (const auto& [pair, state] : health)
        EXPECT_EQ(state, Health::NotMeasured);
}

}  // namespace
}  // namespace dyetrace::health
