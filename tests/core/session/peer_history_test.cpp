// SPDX-License-Identifier: GPL-2.0-or-later
// What is remembered of a peer's boots and session ids.
#include "core/session/peer_history.h"

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using session::PeerHistory;
using Verdict = PeerHistory::Verdict;

constexpr Duration kOldFor = Duration::seconds(2);
constexpr BootId kFirst{101};
constexpr BootId kSecond{102};

TEST(PeerHistory, UsesEachIdOfABootOnce) {
    PeerHistory history(kOldFor);
    EXPECT_EQ(history.judge(kFirst, SessionId{500}, Time{}), Verdict::Fresh);
    EXPECT_EQ(history.meet(kFirst, Time{}), std::nullopt);
    history.use(SessionId{500});
    EXPECT_EQ(history.judge(kFirst, SessionId{500}, Time{}), Verdict::Used);
    EXPECT_EQ(history.judge(kFirst, SessionId{501}, Time{}), Verdict::Fresh);
    EXPECT_EQ(history.judge(kFirst, SessionId{499}, Time{}), Verdict::Fresh);  // overtaken
    EXPECT_EQ(history.judge(kFirst, SessionId{500 - 64}, Time{}), Verdict::Used);
    history.use(SessionId{499});
    EXPECT_EQ(history.judge(kFirst, SessionId{499}, Time{} + Duration::seconds(1000)), Verdict::Used);
}

TEST(PeerHistory, ANewBootReplacesTheOldOneAndBeginsItsIdsAnew) {
    PeerHistory history(kOldFor);
    history.meet(kFirst, Time{});
    history.use(SessionId{500});
    EXPECT_EQ(history.judge(kSecond, SessionId{500}, Time{}), Verdict::Fresh);
    EXPECT_EQ(history.meet(kSecond, Time{}), kFirst);
    EXPECT_EQ(history.meet(kSecond, Time{}), std::nullopt);
    EXPECT_EQ(history.judge(kSecond, SessionId{500}, Time{}), Verdict::Fresh);
    EXPECT_EQ(history.judge(kSecond, SessionId{3}, Time{}), Verdict::Fresh);
    EXPECT_EQ(history.boot(), kSecond);
}

TEST(PeerHistory, ABootThatWasReplacedStaysRefusedForAsLongAsACookieOfItMayBeGood) {
    PeerHistory history(kOldFor);
    history.meet(kFirst, Time{});
    history.meet(kSecond, Time{});
    EXPECT_EQ(history.judge(kFirst, SessionId{501}, Time{}), Verdict::OldBoot);
    EXPECT_TRUE(history.is_refused(kFirst, Time{kOldFor.ns - 1}));
    EXPECT_FALSE(history.is_refused(kFirst, Time{} + kOldFor));
    EXPECT_FALSE(history.is_refused(kSecond, Time{}));
}

TEST(PeerHistory, ForgetsNoOldBootTooEarlyHoweverOftenThePeerRestarts) {
    PeerHistory history(kOldFor);
    std::uint64_t boot = 1;
    for (; boot <= PeerHistory::kOldBootsMost + 1; ++boot)
        history.meet(BootId{boot}, Time{});
    EXPECT_TRUE(history.is_refused(BootId{boot}, Time{}));  // one more than it can remember
    for (std::uint64_t old = 1; old < boot - 1; ++old)
        EXPECT_TRUE(history.is_refused(BootId{old}, Time{}));
    EXPECT_FALSE(history.is_refused(BootId{boot}, Time{} + kOldFor));
    EXPECT_EQ(history.meet(BootId{boot}, Time{} + kOldFor), BootId{boot - 1});
}

TEST(PeerHistory, RepeatsARefusalForAWhileAndToItsOwnBootOnly) {
    PeerHistory history(kOldFor);
    history.meet(kFirst, Time{});
    history.note_refusal(SessionId{5}, wire::RejectReason::NotMeasuring, Time{});
    EXPECT_EQ(history.refusal_of(SessionId{5}, Time{}), wire::RejectReason::NotMeasuring);
    EXPECT_EQ(history.refusal_of(SessionId{6}, Time{}), std::nullopt);
    EXPECT_EQ(history.refusal_of(SessionId{5}, Time{} + kOldFor), std::nullopt);
    history.meet(kSecond, Time{});
    EXPECT_EQ(history.refusal_of(SessionId{5}, Time{}), std::nullopt);
}

TEST(PeerHistory, RemembersABoundedNumberOfRefusals) {
    PeerHistory history(kOldFor);
    history.meet(kFirst, Time{});
    for (std::uint32_t id = 1; id <= PeerHistory::kRefusedMost + 1; ++id)
        history.note_refusal(SessionId{id}, wire::RejectReason::TooManyPaths, Time{});
    EXPECT_EQ(history.refusal_of(SessionId{1}, Time{}), std::nullopt);
    for (std::uint32_t id = 2; id <= PeerHistory::kRefusedMost + 1; ++id)
        EXPECT_EQ(history.refusal_of(SessionId{id}, Time{}), wire::RejectReason::TooManyPaths);
}

}  // namespace
}  // namespace dyetrace::test
