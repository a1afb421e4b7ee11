// SPDX-License-Identifier: GPL-2.0-or-later
// When a delay sketch is told, over transmissions and acknowledgements that get lost.
#include "core/session/sketch_sender.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::session {
namespace {

constexpr Duration kInterval = Duration::milliseconds(100);
const RetransmitPolicy kRetransmit{Duration::milliseconds(5), Duration::milliseconds(500), 12};

/// A sender and the sketch that it tells of: a count of delays.
struct Sketch : ::testing::Test {
    SketchSender sender{kInterval, kRetransmit};
    Time now{};
    int delays = 0;
    std::uint32_t number = 0;
    std::vector<std::uint32_t> sent;    ///< numbers
    std::map<std::uint32_t, int> told;  ///< what each carried

    void add() {
        ++delays;
        sender.note_change(now);
    }
    void run_until(Time end) {
        while (sender.next_deadline() <= end) {
            now = std::max(now, sender.next_deadline());
            number += 3;  // other messages have numbers too
            sender.note_sent(number, now);
            sent.push_back(number);
            told[number] = delays;
        }
        now = end;
    }
    void run_for(Duration length) { run_until(now + length); }
};

TEST_F(Sketch, NothingIsOwedBeforeTheFirstDelay) {
    EXPECT_TRUE(sender.is_settled());
    sender.urge(now);
    sender.hurry(now);
    EXPECT_EQ(sender.next_deadline(), Time::never());
}

TEST_F(Sketch, GoesEachTenthIntervalInWhichThereWereDelays) {
    add();
    EXPECT_EQ(sender.next_deadline(), now + kInterval);
    run_for(kInterval);
    ASSERT_EQ(sent.size(), 1U);
    sender.on_ack(sent.back());
    EXPECT_EQ(sender.next_deadline(), Time::never());
    add();
    EXPECT_EQ(sender.next_deadline(), now + kInterval * 10);
    run_for(kInterval * 10);
    EXPECT_EQ(sent.size(), 2U);
}

TEST_F(Sketch, GoesAgainWithBackOffUntilItIsAcknowledged) {
    add();
    run_for(kInterval + Duration::milliseconds(5 + 10 + 20));
    ASSERT_EQ(sent.size(), 4U);
    EXPECT_FALSE(sender.is_settled());
    sender.on_ack(sent[3]);
    EXPECT_TRUE(sender.is_settled());
    run_for(Duration::seconds(60));
    EXPECT_EQ(sent.size(), 4U);
}

TEST_F(Sketch, IsGivenUpAfterAllAttemptsUntilThereIsNews) {
    add();
    run_for(Duration::seconds(60));
    EXPECT_EQ(sent.size(), 12U);
    EXPECT_FALSE(sender.is_settled());
    add();
    run_for(Duration::seconds(60));
    EXPECT_EQ(sent.size(), 24U);
}

TEST_F(Sketch, OfOneThatWasGivenUpAnAnswerStillCounts) {
    add();
    run_for(Duration::seconds(60));
    sender.on_ack(sent[10]);
    EXPECT_TRUE(sender.is_settled());
}

TEST_F(Sketch, AnAcknowledgementVouchesForNothingThatCameLater) {
    add();
    run_for(kInterval);
    add();
    sender.on_ack(sent[0]);
    EXPECT_FALSE(sender.is_settled());
    run_for(kInterval * 10);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(told[sent[1]], 2);
    sender.on_ack(sent[1]);
    EXPECT_TRUE(sender.is_settled());
}

TEST_F(Sketch, ARepeatCarriesWhatCameMeanwhileAndNeedsItsOwnAnswer) {
    add();
    run_for(kInterval);
    add();
    run_for(Duration::milliseconds(5));
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(told[sent[1]], 2);
    sender.on_ack(sent[0]);  // of the first, which was late
    EXPECT_FALSE(sender.is_settled());
    run_for(Duration::milliseconds(10));
    ASSERT_EQ(sent.size(), 3U);
    sender.on_ack(sent[1]);
    EXPECT_TRUE(sender.is_settled());
}

TEST_F(Sketch, WhatIsWholeOnItsWayIsNotHurriedTwice) {
    add();
    sender.urge(now);
    EXPECT_EQ(sender.next_deadline(), now + SketchSender::kUrgent);
    run_for(SketchSender::kUrgent);
    ASSERT_EQ(sent.size(), 1U);
    sender.urge(now);
    sender.hurry(now);
    run_for(Duration::milliseconds(4));
    EXPECT_EQ(sent.size(), 1U);
    add();
    sender.hurry(now);
    EXPECT_EQ(sender.next_deadline(), now);
}

TEST_F(Sketch, AnswersToOtherMessagesSayNothing) {
    add();
    run_for(kInterval);
    sender.on_ack(0);
    sender.on_ack(sent[0] - 1);
    sender.on_ack(sent[0] + 1);
    EXPECT_FALSE(sender.is_settled());
}

TEST_F(Sketch, WhatIsGivenUpForGoodIsSentNoMore) {
    add();
    run_for(kInterval);
    sender.give_up();
    add();
    sender.hurry(now);
    EXPECT_TRUE(sender.is_settled());
    EXPECT_EQ(sender.next_deadline(), Time::never());
}

TEST_F(Sketch, LateDelaysAtTheEndDoNotEachSendASketch) {
    add();
    sender.hurry(now);
    run_for({});
    for (int i = 0; i < 1000; ++i) {
        add();
        run_for(Duration::microseconds(1));
    }
    EXPECT_GT(sent.size(), 1U);
    EXPECT_LE(sent.size(), 12U);
}

/// A line that loses and delays, both ways, while delays go on being added: the sender never believes that
/// the requester has what it does not have, and in the end it has all.
TEST_F(Sketch, IsHeldToBeToldWhenItIsAndOnlyThen) {
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        Random random(seed);
        sender = SketchSender(kInterval, kRetransmit);
        sent.clear();
        delays = 0;
        int newest_told = 0;
        std::multimap<Time, std::uint32_t> answers;
        const Duration span = kRetransmit.span();
        const Time closing = now + Duration::milliseconds(static_cast<std::int64_t>(random.below(4000)));
        bool closed = false;
        const auto step = [&] {
            const std::size_t before = sent.size();
            run_for(Duration::milliseconds(1));
            for (std::size_t i = before; i < sent.size(); ++i) {
                if (random.below(100) < 30) continue;
                newest_told = std::max(newest_told, told[sent[i]]);
                if (random.below(100) < 30) continue;
                answers.emplace(now + Duration::milliseconds(static_cast<std::int64_t>(random.below(60))),
                                sent[i]);
            }
            while (!answers.empty() && answers.begin()->first <= now) {
                sender.on_ack(answers.begin()->second);
                answers.erase(answers.begin());
            }
            if (!sender.is_settled()) return;
            ASSERT_EQ(newest_told, delays) << "seed " << seed;
        };
        while (now < closing) {
            if (random.below(10) == 0) add();
            ASSERT_NO_FATAL_FAILURE(step());
        }
        for (const Time end = now + span; now < end && !closed;) {
            sender.hurry(now);
            ASSERT_NO_FATAL_FAILURE(step());
            closed = sender.is_settled();
        }
        EXPECT_TRUE(closed) << "seed " << seed;
    }
}

}  // namespace
}  // namespace dyetrace::session
