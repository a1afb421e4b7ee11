// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "core/session/outbox.h"

namespace dyetrace::test {
namespace {

TEST(RetransmitPolicy, DoublesUpToItsLast) {
    const session::RetransmitPolicy policy{Duration::milliseconds(5), Duration::milliseconds(60), 12};
    EXPECT_EQ(policy.wait_after(1), Duration::milliseconds(5));
    EXPECT_EQ(policy.wait_after(2), Duration::milliseconds(10));
    EXPECT_EQ(policy.wait_after(4), Duration::milliseconds(40));
    EXPECT_EQ(policy.wait_after(5), Duration::milliseconds(60));
    EXPECT_EQ(policy.wait_after(1000), Duration::milliseconds(60));
}

}  // namespace
}  // namespace dyetrace::test
