// SPDX-License-Identifier: GPL-2.0-or-later
// Which port speaks for which path and generation at the acceptor.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/session/acceptor_session.h"

namespace dyetrace::session {
namespace {

using wire::ControlType;
using wire::MarkerKind;

constexpr PathIndex kPath{2};

struct AcceptorMarkers : ::testing::Test {
    Time now{};
    Outbox out;
    AcceptorSession session{parameters(), now};
    std::uint16_t interval = 0;
    std::vector<wire::PathRecord> reported;  ///< when that was last asked for

    AcceptorMarkers() {
        session.on_request(out);
        out.clear();
    }
    static AcceptorParameters parameters() {
        AcceptorParameters p;
        p.id = SessionId{5};
        p.request.path_count = 4;
        p.request.port_count = 8;
        p.report_interval = Duration::milliseconds(100);
        p.keep_alive_interval = Duration::seconds(1);
        p.retransmit = {Duration::milliseconds(5), Duration::milliseconds(500), 12};
        return p;
    }
    /// Returns whether the marker was taken as one that can be; `acknowledged` says the rest.
    bool marker(MarkerKind kind, std::uint8_t generation, std::uint16_t port, std::uint64_t sent,
                std::uint64_t received, std::uint16_t number) {
        out.clear();
        wire::MarkerBody body;
        body.path = kPath;
        body.generation = PathGeneration{generation};
        body.kind = kind;
        body.interval = number;
        body.count = sent;
        return session.on_marker(body, port, received, now, out);
    }
    bool start(std::uint8_t generation, std::uint16_t port, std::uint64_t sent = 0,
               std::uint64_t received = 0) {
        return marker(MarkerKind::Start, generation, port, sent, received, ++interval);
    }
    bool end(std::uint8_t generation, std::uint16_t port, std::uint64_t sent, std::uint64_t received) {
        return marker(MarkerKind::End, generation, port, sent, received, interval);
    }
    [[nodiscard]] bool acknowledged() const {
        return std::any_of(out.messages.begin(), out.messages.end(),
                           [](const auto& m) { return m.type == ControlType::MarkerAck; });
    }
    /// Lets the acceptor report, and acknowledges it.
    void report() {
        now = now + Duration::milliseconds(101);
        session.channel().hear(now);
        out.clear();
        session.service(now, out);
        reported.clear();
        for (const OutgoingMessage& message : out.messages) {
            if (message.type != ControlType::Report) continue;
            EXPECT_TRUE(wire::ReportBody::parse(message.body, reported).ok());
            wire::ReportAckBody ack;
            ack.acknowledged = message.message_number;
            Outbox rest;
            session.on_report_ack(ack, now, rest);
        }
    }
    [[nodiscard]] bool bound(std::uint8_t generation, std::uint16_t port) const {
        return session.is_bound(kPath, PathGeneration{generation}, port);
    }
};

TEST_F(AcceptorMarkers, AStartBindsPathAndGenerationToThePortItCameFrom) {
    EXPECT_FALSE(bound(0, 2));
    EXPECT_TRUE(start(0, 2));
    EXPECT_TRUE(acknowledged());
    EXPECT_TRUE(bound(0, 2));
    EXPECT_FALSE(bound(0, 3));
    EXPECT_FALSE(bound(1, 2));
    EXPECT_FALSE(session.is_bound(PathIndex{1}, {}, 2));
    EXPECT_FALSE(session.is_bound(PathIndex{4}, {}, 2));
    // Nor to a port below the first, which is none that anything is counted of.
    EXPECT_FALSE(session.is_bound(PathIndex{1}, {}, 0xffff));
}

TEST_F(AcceptorMarkers, OneGenerationHasOnePort) {
    ASSERT_TRUE(start(0, 2));
    EXPECT_FALSE(start(0, 3));
    EXPECT_FALSE(acknowledged());
    EXPECT_FALSE(end(0, 3, 10, 10));
    EXPECT_TRUE(bound(0, 2));
    EXPECT_NE(session.record(kPath).flags & wire::PathRecord::kFlagOpen, 0);
}

TEST_F(AcceptorMarkers, ANewGenerationCountsAnewAndTheRecordOfTheOldOneIsReportedYet) {
    ASSERT_TRUE(start(0, 2, 100, 90));
    ASSERT_TRUE(end(0, 2, 130, 115));
    EXPECT_TRUE(start(1, 6, 7, 44));
    EXPECT_TRUE(acknowledged());
    EXPECT_TRUE(bound(1, 6));
    EXPECT_FALSE(bound(0, 2));
    report();
    ASSERT_EQ(reported.size(), 2U);
    EXPECT_EQ(reported[0].generation, PathGeneration{0});
    EXPECT_EQ(reported[0].sent, 30U);
    EXPECT_EQ(reported[0].received, 25U);
    EXPECT_EQ(reported[1].generation, PathGeneration{1});
    EXPECT_EQ(reported[1].sent, 0U);
    ASSERT_TRUE(end(1, 6, 27, 60));
    const wire::PathRecord record = session.record(kPath);
    EXPECT_EQ(record.generation, PathGeneration{1});
    EXPECT_EQ(record.sent, 20U);
    EXPECT_EQ(record.received, 16U);
}

TEST_F(AcceptorMarkers, ANewGenerationHastensTheReportOfTheOldOne) {
    ASSERT_TRUE(start(0, 2));
    report();
    ASSERT_TRUE(end(0, 2, 0, 0));
    report();
    ASSERT_TRUE(start(0, 2));  // of this interval nothing is urgent
    EXPECT_GT(session.next_deadline(), now + Duration::milliseconds(50));
    ASSERT_TRUE(start(1, 6));
    EXPECT_LE(session.next_deadline(), now + Duration::milliseconds(1));
}

TEST_F(AcceptorMarkers, RecordsOfGenerationsThatWereLeftAreBounded) {
    std::uint8_t begun = 0;
    for (std::uint8_t i = 0; i < 50; ++i) {
        ASSERT_TRUE(start(i, static_cast<std::uint16_t>(i % 8)));
        if (!acknowledged()) break;
        ++begun;
    }
    EXPECT_EQ(begun, 17U);  // the path's own, and four a path
    report();
    EXPECT_EQ(reported.size(), 16U);
    ASSERT_TRUE(start(begun, 7));
    EXPECT_TRUE(acknowledged());
}

TEST_F(AcceptorMarkers, AStartOfAGenerationThatWasLeftBindsNothing) {
    ASSERT_TRUE(start(0, 2));
    report();
    ASSERT_TRUE(start(1, 6));
    report();
    EXPECT_TRUE(marker(MarkerKind::Start, 0, 2, 0, 0, 1));
    EXPECT_TRUE(acknowledged());
    EXPECT_TRUE(bound(1, 6));
}

TEST_F(AcceptorMarkers, AnEndOfAGenerationThatWasLeftIsAnsweredAndEndsNothing) {
    ASSERT_TRUE(start(0, 2));
    report();
    ASSERT_TRUE(start(1, 6));
    EXPECT_TRUE(marker(MarkerKind::End, 0, 2, 50, 50, 1));
    EXPECT_TRUE(acknowledged());
    EXPECT_NE(session.record(kPath).flags & wire::PathRecord::kFlagOpen, 0);
    EXPECT_EQ(session.record(kPath).sent, 0U);
}

TEST_F(AcceptorMarkers, GenerationsWrap) {
    for (int i = 0; i < 600; ++i) {
        const auto port = static_cast<std::uint16_t>(i % 8);
        ASSERT_TRUE(start(static_cast<std::uint8_t>(i), port)) << i;
        ASSERT_TRUE(acknowledged()) << i;
        ASSERT_TRUE(bound(static_cast<std::uint8_t>(i), port)) << i;
        report();
    }
}

}  // namespace
}  // namespace dyetrace::session
