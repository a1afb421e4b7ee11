// SPDX-License-Identifier: GPL-2.0-or-later
// Each kind of control message is lost, repeated or late in turn; the counts stay those of the truth.
#include <string>

#include <gtest/gtest.h>

#include "tests/core/eppc/truth.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::Role;
using session::State;
using wire::ControlType;

/// Bursts from host 0 to host 1 with gaps between them longer than a path's idle time; the last one comes
/// after five retransmissions.
void bursts(Network& net) {
    for (const int start_ms : {0, 60, 200}) {
        net.at(Time{} + Duration::milliseconds(start_ms),
               [&net] { net.send_many(0, 1, 400, Duration::microseconds(50)); });
    }
    net.run_for(Duration::milliseconds(300));
}

void expect_truth(Network& net) {
    const auto truths = path_truth(net, 0, 1);
    ASSERT_FALSE(truths.empty());
    for (const PathTruth& truth : truths) {
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->sent - record->received, truth.lost);
        EXPECT_EQ(record->tracked_sent, truth.tagged_sent);
        EXPECT_EQ(record->tracked_sent - record->tracked_received, truth.tagged_lost);
        EXPECT_EQ(record->intervals, truth.intervals_ended);
        EXPECT_EQ(record->flags, 0);
    }
}

/// A kind of message, and whether the requester sends it.
struct Kind {
    ControlType type;
    bool from_requester;
};
constexpr Kind kKinds[] = {
    {ControlType::Request, true},    {ControlType::Accept, false},   {ControlType::Marker, true},
    {ControlType::MarkerAck, false}, {ControlType::Report, false},   {ControlType::ReportAck, true},
    {ControlType::Close, true},      {ControlType::CloseAck, false},
};

class EachKind : public ::testing::TestWithParam<Kind> {
  protected:
    EachKind() {
        net.add_host();
        net.add_host();
        net.line(0, 1).hook = lose_every_seventh();
    }

    /// Data is lost all the same, so that a wrong count would show.
    static Hook lose_every_seventh() {
        return [](Transit& transit) {
            const bool data = transit.seen.kind == SeenPacket::Kind::Data;
            return Fate{data && transit.ordinal % 7 == 3 ? 0 : 1, {}};
        };
    }
    void treat(Hook hook) {
        const auto [type, from_requester] = GetParam();
        Line& line = from_requester ? net.line(0, 1) : net.line(1, 0);
        line.hook = [before = line.hook, hook = std::move(hook), kind = type](Transit& transit) {
            if (transit.seen.is(kind)) return hook(transit);
            return before ? before(transit) : Fate{};
        };
    }
    void expect_orderly_end() {
        ASSERT_TRUE(net.close_all());
        EXPECT_EQ(net.host(0).entered(Role::Requester, State::Closed), 1);
        EXPECT_EQ(net.host(1).entered(Role::Acceptor, State::Closed), 1);
        EXPECT_EQ(net.host(0).entered(Role::Requester, State::Requested), 1);
        expect_truth(net);
    }

    Network net;
};

TEST_P(EachKind, LostSeveralTimesChangesNoCount) {
    int left = 5;
    treat([left](Transit&) mutable { return Fate{left-- > 0 ? 0 : 1, {}}; });
    bursts(net);
    expect_orderly_end();
}

TEST_P(EachKind, LostEveryOtherTimeChangesNoCount) {
    bool lose = false;
    treat([lose](Transit&) mutable { return Fate{(lose = !lose) ? 0 : 1, {}}; });
    bursts(net);
    expect_orderly_end();
}

TEST_P(EachKind, ThreefoldChangesNoCount) {
    treat([](Transit&) { return Fate{3, {}}; });
    bursts(net);
    expect_orderly_end();
}

TEST_P(EachKind, LateByManyRetransmissionsEndsInOrder) {
    int n = 0;
    treat([n](Transit&) mutable { return Fate{1, ++n % 3 == 1 ? Duration::milliseconds(40) : Duration{}}; });
    bursts(net);
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Closed), 1);
    // A marker that its own path's data overtakes measures another interval than the one it was sent for, so
    // for markers only the end is asked for.
    if (GetParam().type != ControlType::Marker) expect_truth(net);
}

INSTANTIATE_TEST_SUITE_P(OfControlMessage, EachKind, ::testing::ValuesIn(kKinds), [](const auto& kind) {
    std::string name(wire::to_string(kind.param.type));
    std::erase(name, '-');
    return name;
});

TEST(ControlLoss, AReportThatIsOvertakenTurnsNothingBack) {
    Network net;
    net.add_host();
    net.add_host();
    net.send_many(0, 1, 2000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(150));
    // Every report of the session again, oldest last.
    std::vector<std::vector<std::uint8_t>> reports;
    for (const Captured& packet : net.captured()) {
        if (packet.seen.is(ControlType::Report)) reports.push_back(packet.bytes);
    }
    ASSERT_GT(reports.size(), 5U);
    const std::size_t before = net.host(0).metrics.size();
    for (auto report = reports.rbegin(); report != reports.rend(); ++report)
        EXPECT_EQ(net.inject(0, *report).kind, eppc::Decapsulated::Kind::Consumed);
    EXPECT_EQ(net.host(0).metrics.size(), before);
    ASSERT_TRUE(net.close_all());
    expect_truth(net);
}

}  // namespace
}  // namespace dyetrace::test
