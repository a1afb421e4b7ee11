// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "tests/core/eppc/truth.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::Role;
using session::State;

TEST(SessionLifecycle, HandshakeTagsMarkersReportAndClose) {
    Network net;
    net.add_host();
    net.add_host();
    net.send_many(0, 1, 1000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(60));
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Active), 1);
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Closed), 1);
    EXPECT_EQ(net.host(1).entered(Role::Acceptor, State::Active), 1);
    EXPECT_EQ(net.host(1).entered(Role::Acceptor, State::Closed), 1);
    EXPECT_EQ(net.host(1).delivered.size(), 1000U);
    const auto truths = path_truth(net, 0, 1);
    ASSERT_FALSE(truths.empty());
    std::uint64_t tagged = 0;
    for (const PathTruth& truth : truths) {
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->received, truth.sent);
        EXPECT_EQ(record->tracked_sent, truth.tagged_sent);
        EXPECT_EQ(record->tracked_received, truth.tagged_sent);
        EXPECT_EQ(record->flags, 0);
        tagged += truth.tagged_sent;
    }
    EXPECT_GT(tagged, 200U);
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
}

}  // namespace
}  // namespace dyetrace::test
