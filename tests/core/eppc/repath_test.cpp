// SPDX-License-Identifier: GPL-2.0-or-later
// A path moves to another source port: what moves, what stays, and what is measured before and after.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/eppc/flow_hash.h"
#include "core/wire/session_messages.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/truth.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using wire::ControlType;
using wire::DropReason;

constexpr std::uint16_t kBase = 49152;
constexpr PathIndex kMoved{1};

struct Repath : ::testing::Test {
    Network net;

    void two_hosts(const Network::Configure& more = {}) {
        for (int i = 0; i < 2; ++i) {
            net.add_host([&](eppc::EppcConfig& config) {
                config.port_count = 8;
                config.port_rest = Duration::milliseconds(10);
                if (more) more(config);
            });
        }
    }
    [[nodiscard]] IpAddress peer() { return net.host(1).config.address; }
    auto repath(PathIndex path = kMoved) {
        const auto generation = net.engine(0).repath(peer(), path, net.clock_of(0));
        net.settle(0);
        return generation;
    }
    /// Moves the path at `after` from now, and expects that it may.
    void repath_at(Duration after, PathIndex path = kMoved) {
        net.at(net.now() + after, [this, path] { EXPECT_TRUE(repath(path).ok()); });
    }
    /// Settled intervals of each generation, against the last record of that generation.
    int expect_truth() {
        int compared = 0;
        for (const PathTruth& truth : path_truth(net, 0, 1)) {
            SCOPED_TRACE("path " + std::to_string(truth.path.value) + " generation " +
                         std::to_string(truth.generation.value));
            if (truth.intervals_ended == 0) continue;
            const auto record = net.host(0).newest(peer(), truth.session, truth.path, truth.generation);
            EXPECT_TRUE(record);
            if (!record) continue;
            EXPECT_EQ(record->sent, truth.sent);
            EXPECT_EQ(record->sent - record->received, truth.lost);
            EXPECT_EQ(record->tracked_sent, truth.tagged_sent);
            EXPECT_EQ(record->tracked_sent - record->tracked_received, truth.tagged_lost);
            EXPECT_EQ(record->flags, 0);
            ++compared;
        }
        return compared;
    }
    std::vector<Captured> data() {
        std::vector<Captured> found;
        for (const Captured& packet : net.captured()) {
            if (packet.from == 0 && packet.seen.kind == SeenPacket::Kind::Data) found.push_back(packet);
        }
        return found;
    }
    std::vector<std::pair<Captured, wire::MarkerBody>> markers() {
        std::vector<std::pair<Captured, wire::MarkerBody>> found;
        for (const Captured& packet : net.captured()) {
            if (packet.from != 0 || !packet.seen.is(ControlType::Marker)) continue;
            found.emplace_back(packet, *wire::MarkerBody::parse(packet.seen.body));
        }
        return found;
    }
};

/// The guest's flow and the number of the packet in it: its UDP source port and its length.
std::pair<std::uint16_t, std::size_t> flow_of(Bytes frame) {
    return {load_u16(&frame[34]), frame.size()};
}

TEST_F(Repath, MovesOneIndexAtOnceAndNoFlowOfAnother) {
    two_hosts();
    // Every source port has a delay of its own, so a flow that changed its port would be reordered.
    net.line(0, 1).hook = [](Transit& transit) {
        return Fate{1, Duration::microseconds((transit.seen.source_port * 37) % 97 * 10)};
    };
    for (int i = 0; i < 1200; ++i) {
        net.at(Time{} + Duration::microseconds(20) * i, [this, i] {
            (void)net.send(0, 1, static_cast<std::uint16_t>(i % 24), 100 + static_cast<std::size_t>(i / 24));
        });
    }
    Time moved_at{};
    net.at(Time{} + Duration::milliseconds(12), [&] {
        EXPECT_TRUE(repath().ok());
        moved_at = net.now();
    });
    net.run_for(Duration::milliseconds(40));

    std::map<std::uint16_t, std::set<std::uint16_t>> ports_of_flow;
    int on_old = 0;
    int on_new = 0;
    for (const Captured& packet : data()) {
        const bool tagged = packet.seen.track.has_value();
        const Bytes inner =
            Bytes(packet.bytes).subspan(kGenevePayload + (tagged ? wire::TrackOption::kSize : 0));
        ports_of_flow[flow_of(inner).first].insert(packet.seen.source_port);
        if (packet.seen.source_port == kBase + 1) {
            EXPECT_LT(packet.at, moved_at);
            ++on_old;
        }
        if (packet.seen.source_port == kBase + 4) {
            EXPECT_GE(packet.at, moved_at);
            ++on_new;
        }
    }
    EXPECT_GE(on_old, 100);
    EXPECT_GE(on_new, 100);
    std::map<std::uint16_t, std::size_t> last;
    int reordered_elsewhere = 0;
    std::size_t moved_flows = 0;
    for (const auto& [flow, ports] : ports_of_flow) {
        const bool moved = ports.contains(kBase + 4);
        moved_flows += moved ? 1 : 0;
        EXPECT_EQ(ports.size(), moved ? 2U : 1U) << flow;
        EXPECT_EQ(ports.contains(kBase + 1), moved) << flow;
    }
    for (const auto& frame : net.host(1).delivered) {
        const auto [flow, number] = flow_of(frame);
        if (!ports_of_flow[flow].contains(kBase + 4) && number < last[flow]) ++reordered_elsewhere;
        last[flow] = std::max(last[flow], number);
    }
    EXPECT_EQ(reordered_elsewhere, 0);
    EXPECT_EQ(net.host(1).delivered.size(), 1200U);
    EXPECT_GT(moved_flows, 0U);
    EXPECT_LT(moved_flows, ports_of_flow.size());
}

TEST_F(Repath, CountsOfBothGenerationsAreExact) {
    two_hosts();
    net.line(0, 1).hook = lose_if([](const Transit& transit) {
        return transit.seen.kind == SeenPacket::Kind::Data && transit.ordinal % 7 == 3;
    });
    net.send_many(0, 1, 6000, Duration::microseconds(20), 32);
    for (const int at_ms : {30, 60, 90})
        repath_at(Duration::milliseconds(at_ms));
    repath_at(Duration::milliseconds(45), PathIndex{3});
    net.run_for(Duration::milliseconds(130));
    ASSERT_TRUE(net.close_all());
    std::map<std::uint8_t, PathTruth> generations;
    for (const PathTruth& truth : path_truth(net, 0, 1)) {
        EXPECT_FALSE(truth.open);
        if (truth.path == kMoved) generations[truth.generation.value] = truth;
    }
    ASSERT_EQ(generations.size(), 4U);
    for (const auto& [generation, truth] : generations) {
        EXPECT_GT(truth.sent, 100U) << static_cast<int>(generation);
        EXPECT_GT(truth.lost, 10U);
    }
    EXPECT_EQ(expect_truth(), 4 + 2 + 2);
    EXPECT_EQ(net.engine(0).counters().repaths, 4U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
}

TEST_F(Repath, TheOldIntervalEndsOnItsOwnPortAndTheNewOneBeginsThere) {
    two_hosts();
    net.send_many(0, 1, 2000, Duration::microseconds(20), 32);
    repath_at(Duration::milliseconds(20));
    net.run_for(Duration::milliseconds(30));
    std::uint64_t sent_before = 0;
    for (const Captured& packet : data())
        sent_before += packet.seen.source_port == kBase + 1 ? 1 : 0;
    std::vector<std::pair<Captured, wire::MarkerBody>> of_path;
    for (const auto& marker : markers()) {
        if (marker.second.path == kMoved) of_path.push_back(marker);
    }
    ASSERT_GE(of_path.size(), 3U);
    const auto& [start, start_body] = of_path.front();
    EXPECT_EQ(start.seen.source_port, kBase + 1);
    EXPECT_EQ(start_body.generation, PathGeneration{0});
    const auto& [end, end_body] = of_path[1];
    EXPECT_EQ(end_body.kind, wire::MarkerKind::End);
    EXPECT_EQ(end.seen.source_port, kBase + 1);
    EXPECT_EQ(end_body.generation, PathGeneration{0});
    EXPECT_EQ(end_body.count, sent_before);
    const auto& [next, next_body] = of_path[2];
    EXPECT_EQ(next_body.kind, wire::MarkerKind::Start);
    EXPECT_EQ(next.seen.source_port, kBase + 4);
    EXPECT_EQ(next_body.generation, PathGeneration{1});
    EXPECT_EQ(next_body.next_sequence, 0U);
    for (const Captured& packet : data()) {  // a tag names the generation of the port it is on
        if (!packet.seen.track || packet.seen.track->path != kMoved) continue;
        EXPECT_EQ(packet.seen.source_port, packet.seen.track->generation.value == 0 ? kBase + 1 : kBase + 4);
    }
}

TEST_F(Repath, ASecondMoveBeforeTheFirstIsSettledIsRefusedWithAReason) {
    two_hosts();
    net.send_many(0, 1, 1000, Duration::microseconds(20), 32);
    net.run_for(Duration::milliseconds(10));
    ASSERT_TRUE(repath().ok());
    const auto refused = repath();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error(), "the path was moved before, and that is not settled yet");
    EXPECT_TRUE(repath(PathIndex{2}).ok());
    net.run_for(Duration::milliseconds(5));
    EXPECT_TRUE(repath().ok());
    EXPECT_EQ(net.engine(0).counters().repaths, 3U);
}

TEST_F(Repath, OfAnUnknownPeerOrPathIsRefused) {
    two_hosts();
    EXPECT_EQ(net.engine(0).repath(Ipv4Address{0x0a0000ee}, kMoved, net.now()).error(),
              "there is no peer 10.0.0.238");
    EXPECT_EQ(repath(PathIndex{4}).error(), "no such path index");
}

TEST_F(Repath, SparePortsAreTakenInTurnAndRestBeforeTheyServeAgain) {
    two_hosts([](auto& config) { config.port_count = 6; });
    std::vector<std::uint16_t> ports;
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(repath().ok()) << i;
        (void)net.send(0, 1, 0);
        (void)net.send(0, 1, 1);
        (void)net.send(0, 1, 2);
        (void)net.send(0, 1, 3);
        (void)net.send(0, 1, 4);
        (void)net.send(0, 1, 5);
        net.run_for(Duration::milliseconds(60));
    }
    EXPECT_TRUE(repath().ok());
    EXPECT_TRUE(repath(PathIndex{0}).ok());
    // Both spare ports have just been left.
    EXPECT_EQ(repath(PathIndex{2}).error(), "no spare port is free");
    net.run_for(Duration::milliseconds(100));
    EXPECT_TRUE(repath(PathIndex{2}).ok());
    ASSERT_TRUE(net.close_all());
    expect_truth();
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
}

TEST_F(Repath, WithoutSparePortsNothingMoves) {
    two_hosts([](auto& config) { config.port_count = 4; });
    net.send_many(0, 1, 100, Duration::microseconds(20), 32);
    net.run_for(Duration::milliseconds(5));
    EXPECT_EQ(repath().error(), "no spare port is free");
}

TEST_F(Repath, GenerationsWrapAndStayExact) {
    two_hosts();
    net.line(0, 1).hook = lose_if([](const Transit& transit) {
        return transit.seen.kind == SeenPacket::Kind::Data && transit.ordinal % 11 == 3;
    });
    constexpr int kMoves = 300;
    net.send_many(0, 1, kMoves * 25, Duration::milliseconds(1), 8);
    for (int i = 1; i <= kMoves; ++i)
        repath_at(Duration::milliseconds(25) * i);
    net.run_for(Duration::milliseconds(25 * kMoves + 20));
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(net.engine(0).counters().repaths, 300U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
    // Of one that came twice, the last record is of the second time; the truth sums both.
    std::set<std::uint8_t> seen;
    int compared = 0;
    for (const PathTruth& truth : path_truth(net, 0, 1)) {
        if (truth.path != kMoved) continue;
        EXPECT_TRUE(seen.insert(truth.generation.value).second);
        if (truth.generation.value <= kMoves - 256) continue;
        const auto record = net.host(0).newest(peer(), truth.session, kMoved, truth.generation);
        ASSERT_TRUE(record) << static_cast<int>(truth.generation.value);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->sent - record->received, truth.lost);
        ++compared;
    }
    EXPECT_EQ(compared, 255 - (kMoves - 256));
}

TEST_F(Repath, AwayFromAPortThatCarriesNothingTheNewGenerationIsMeasuredSoon) {
    two_hosts();
    bool black = false;
    net.line(0, 1).hook =
        lose_if([&](const Transit& transit) { return black && transit.seen.source_port == kBase + 1; });
    net.send_many(0, 1, 50'000, Duration::microseconds(20), 32);
    net.run_for(Duration::milliseconds(100));
    black = true;
    net.run_for(Duration::milliseconds(50));
    ASSERT_TRUE(repath().ok());
    net.run_for(Duration::milliseconds(500));
    EXPECT_EQ(net.host(0).entered(session::Role::Requester, session::State::PeerLost), 0);
    const auto truths = path_truth(net, 0, 1);
    const auto old = std::find_if(truths.begin(), truths.end(),
                                  [](const PathTruth& t) { return t.path == kMoved && t.open; });
    ASSERT_NE(old, truths.end());
    // The old generation stands at its last snapshot, unsettled; the new one is measured.
    const auto before = net.host(0).newest(peer(), old->session, kMoved, PathGeneration{0});
    ASSERT_TRUE(before);
    EXPECT_NE(before->flags & wire::PathRecord::kFlagOpen, 0);
    EXPECT_GT(before->sent, 0U);
    const auto after = net.host(0).newest(peer(), old->session, kMoved, PathGeneration{1});
    ASSERT_TRUE(after);
    EXPECT_GT(after->sent, 100U);
    EXPECT_EQ(after->sent, after->received);
    EXPECT_TRUE(repath().ok());  // settled, in its way
}

TEST_F(Repath, LostAndRepeatedMarkersChangeNoCount) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Network lossy(seed);
        for (int i = 0; i < 2; ++i) {
            lossy.add_host([](eppc::EppcConfig& config) {
                config.port_count = 6;
                config.port_rest = Duration::milliseconds(5);
                config.retransmit_most = 30;
            });
        }
        const auto hook = [seed](std::uint64_t line) {
            return [=](Transit& transit) {
                const bool control = transit.seen.kind == SeenPacket::Kind::Control;
                const auto toss = mix64(mix64(seed * 2 + line) + transit.ordinal) % 100;
                Fate fate;
                fate.extra_delay = Duration::microseconds(transit.seen.source_port % 7 * 40);
                if (toss < (control ? 20 : 10)) fate.copies = 0;
                if (control && toss >= 90) fate.copies = 2;
                return fate;
            };
        };
        lossy.line(0, 1).hook = hook(0);
        lossy.line(1, 0).hook = hook(1);
        lossy.send_many(0, 1, 5000, Duration::microseconds(200), 32);
        Random random(seed);
        int moved = 0;
        for (int i = 0; i < 40; ++i) {
            lossy.at(Time{} + Duration::milliseconds(25) * i, [&] {
                const PathIndex path{static_cast<std::uint16_t>(random.below(4))};
                moved += lossy.engine(0).repath(lossy.host(1).config.address, path, lossy.now()).ok() ? 1 : 0;
                lossy.settle(0);
            });
        }
        lossy.run_for(Duration::milliseconds(1100));
        ASSERT_TRUE(lossy.close_all(Duration::seconds(60)));
        EXPECT_GT(moved, 10);
        int compared = 0;
        for (const PathTruth& truth : path_truth(lossy, 0, 1)) {
            if (truth.open || truth.intervals_ended == 0) continue;  // its END was given up with its port
            SCOPED_TRACE("path " + std::to_string(truth.path.value) + " generation " +
                         std::to_string(truth.generation.value));
            const auto record = lossy.host(0).newest(lossy.host(1).config.address, truth.session, truth.path,
                                                     truth.generation);
            ASSERT_TRUE(record);
            EXPECT_EQ(record->sent, truth.sent);
            EXPECT_EQ(record->sent - record->received, truth.lost);
            EXPECT_EQ(record->tracked_sent, truth.tagged_sent);
            EXPECT_EQ(record->tracked_sent - record->tracked_received, truth.tagged_lost);
            EXPECT_EQ(record->flags, 0);
            ++compared;
        }
        EXPECT_GT(compared, 10);
        if (HasFailure()) return;
    }
}

TEST_F(Repath, WithoutASessionTheNextOneBeginsOnTheNewPort) {
    two_hosts();
    ASSERT_TRUE(repath().ok());
    net.send_many(0, 1, 1000, Duration::microseconds(20), 32);
    net.run_for(Duration::milliseconds(30));
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(expect_truth(), 4);
    for (const auto& [packet, body] : markers()) {
        if (body.path != kMoved) continue;
        EXPECT_EQ(packet.seen.source_port, kBase + 4);
    }
}

TEST_F(Repath, ASessionThatBeginsAtAHighGenerationKeepsItsRecords) {
    two_hosts();
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(repath().ok()) << i;
        net.run_for(Duration::milliseconds(11));
    }
    net.send_many(0, 1, 1000, Duration::microseconds(20), 32);
    net.run_for(Duration::milliseconds(30));
    const auto sessions = net.engine(0).sessions();
    ASSERT_EQ(sessions.size(), 1U);
    const auto& paths = sessions[0].paths;
    const auto moved =
        std::find_if(paths.begin(), paths.end(), [](const auto& r) { return r.path == kMoved; });
    ASSERT_NE(moved, paths.end());
    EXPECT_EQ(moved->generation, PathGeneration{200});
    EXPECT_GT(moved->sent, 0U);
}

TEST_F(Repath, ASessionThatEndsSettlesIt) {
    two_hosts([](auto& config) {
        config.session_duration = Duration::milliseconds(40);
        config.port_count = 5;
    });
    net.send_many(0, 1, 4000, Duration::microseconds(50), 32);
    repath_at(Duration::milliseconds(39));
    net.run_for(Duration::milliseconds(150));
    EXPECT_TRUE(repath().ok());
    net.run_for(Duration::milliseconds(50));
    ASSERT_TRUE(net.close_all());
    expect_truth();
}

TEST_F(Repath, LearnsTheRoutersOfTheNewPort) {
    FakeNhms nhms{net};
    two_hosts([](auto& config) {
        config.trace_paths = true;
        config.nhms = FakeNhms::kEndpoint;
        config.update_interval = Duration::milliseconds(5);
    });
    net.line(0, 1).routers = {{Ipv4Address{0x0a010001}}, {Ipv4Address{0x0a020001}}};
    net.send_many(0, 1, 5000, Duration::microseconds(20), 32);
    repath_at(Duration::milliseconds(50));
    net.run_for(Duration::milliseconds(100));
    std::vector<wire::PathEntry> of_path;
    for (const auto& path : nhms.paths()) {
        if (path.path == kMoved && path.peer == peer()) of_path.push_back(path);
    }
    ASSERT_EQ(of_path.size(), 2U);
    EXPECT_EQ(of_path[0].generation, PathGeneration{0});
    EXPECT_EQ(of_path[0].source_port, kBase + 1);
    EXPECT_EQ(of_path[1].generation, PathGeneration{1});
    EXPECT_EQ(of_path[1].source_port, kBase + 4);
    EXPECT_TRUE(of_path[1].complete);
}

TEST_F(Repath, ATagOfTheOldGenerationThatComesLateIsNotMeasured) {
    two_hosts();
    net.send_many(0, 1, 2000, Duration::microseconds(20), 32);
    net.run_for(Duration::milliseconds(20));
    const auto packets = data();
    const auto tagged = std::find_if(packets.rbegin(), packets.rend(), [](const Captured& p) {
        return p.seen.track && p.seen.track->path == kMoved;
    });
    ASSERT_NE(tagged, packets.rend());
    ASSERT_TRUE(repath().ok());
    net.run_for(Duration::milliseconds(15));
    const std::uint64_t before = net.engine(1).drops().count(DropReason::TrackUnbound);
    EXPECT_EQ(net.inject(1, tagged->bytes).kind, eppc::Decapsulated::Kind::Deliver);
    EXPECT_EQ(net.engine(1).drops().count(DropReason::TrackUnbound), before + 1);
    ASSERT_TRUE(net.close_all());
    expect_truth();
}

}  // namespace
}  // namespace dyetrace::test
