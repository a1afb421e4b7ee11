// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/back_off.h"

#include <limits>

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using session::BackOff;

TEST(BackOff, DoublesWithEachFailureInARowSixTimes) {
    BackOff back_off;
    for (const int factor : {1, 2, 4, 8, 16, 32, 64, 64, 64})
        EXPECT_EQ(back_off.after_failure(Duration::seconds(1)), Duration::seconds(factor));
    back_off.succeeded();
    EXPECT_EQ(back_off.after_failure(Duration::seconds(3)), Duration::seconds(3));
}

TEST(BackOff, BelievesNobodyForMoreThanAnHour) {
    for (const Duration told :
         {Duration{std::numeric_limits<std::int64_t>::max()}, Duration::seconds(3000)}) {
        BackOff back_off;
        (void)back_off.after_failure(told);
        EXPECT_EQ(back_off.after_failure(told), BackOff::kLongest);
    }
    EXPECT_EQ(BackOff().after_failure(Duration{-5}), Duration{});
}

}  // namespace
}  // namespace dyetrace::test
