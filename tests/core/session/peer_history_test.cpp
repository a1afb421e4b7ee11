// SPDX-License-Identifier: GPL-2.0-or-later
// What is remembered of a peer's boots and session ids.
#include "core/session/peer_history.h"

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using session::PeerHistory;

constexpr Duration kRefusedFor = Duration::seconds(2);
constexpr BootId kFirst{101};
constexpr BootId kSecond{102};

TEST(PeerHistory, UsesEachIdOfABootOnce) {
    PeerHistory history(kRefusedFor);
    EXPECT_TRUE(history.is_fresh(kFirst, SessionId{500}));
    EXPECT_EQ(history.meet(kFirst), std::nullopt);
    history.use(SessionId{500});
    EXPECT_FALSE(history.is_fresh(kFirst, SessionId{500}));
    EXPECT_TRUE(history.is_fresh(kFirst, SessionId{501}));
    EXPECT_TRUE(history.is_fresh(kFirst, SessionId{499}));  // overtaken
    EXPECT_FALSE(history.is_fresh(kFirst, SessionId{500 - 64}));
    history.use(SessionId{499});
    EXPECT_FALSE(history.is_fresh(kFirst, SessionId{499}));
}

TEST(PeerHistory, ANewBootReplacesTheOldOneAndBeginsItsIdsAnew) {
    PeerHistory history(kRefusedFor);
    history.meet(kFirst);
    history.use(SessionId{500});
    EXPECT_TRUE(history.is_fresh(kSecond, SessionId{500}));
    EXPECT_EQ(history.meet(kSecond), kFirst);
    EXPECT_EQ(history.meet(kSecond), std::nullopt);
    EXPECT_TRUE(history.is_fresh(kSecond, SessionId{500}));
    EXPECT_TRUE(history.is_fresh(kSecond, SessionId{3}));
    EXPECT_EQ(history.boot(), kSecond);
}

TEST(PeerHistory, RepeatsARefusalForAWhileAndToItsOwnBootOnly) {
    PeerHistory history(kRefusedFor);
    history.meet(kFirst);
    history.note_refusal(SessionId{5}, wire::RejectReason::NotMeasuring, Time{});
    EXPECT_EQ(history.refusal_of(SessionId{5}, Time{}), wire::RejectReason::NotMeasuring);
    EXPECT_EQ(history.refusal_of(SessionId{6}, Time{}), std::nullopt);
    EXPECT_EQ(history.refusal_of(SessionId{5}, Time{} + kRefusedFor), std::nullopt);
    history.meet(kSecond);
    EXPECT_EQ(history.refusal_of(SessionId{5}, Time{}), std::nullopt);
}

TEST(PeerHistory, RemembersABoundedNumberOfRefusals) {
    PeerHistory history(kRefusedFor);
    history.meet(kFirst);
    for (std::uint32_t id = 1; id <= PeerHistory::kRefusedMost + 1; ++id)
        history.note_refusal(SessionId{id}, wire::RejectReason::TooManyPaths, Time{});
    EXPECT_EQ(history.refusal_of(SessionId{1}, Time{}), std::nullopt);
    for (std::uint32_t id = 2; id <= PeerHistory::kRefusedMost + 1; ++id)
        EXPECT_EQ(history.refusal_of(SessionId{id}, Time{}), wire::RejectReason::TooManyPaths);
}

}  // namespace
}  // namespace dyetrace::test
