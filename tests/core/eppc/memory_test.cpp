// SPDX-License-Identifier: GPL-2.0-or-later
// What an engine takes of the heap, against what it says that it takes at most. Every `operator new` of this
// program is counted.
#include <cmath>
#include <cstdio>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/eppc/eppc.h"
#include "core/session/acceptor_session.h"
#include "core/tracking/sketch_table.h"
#include "tests/core/base/counted_heap.h"
#include "tests/core/eppc/frames.h"

namespace dyetrace::test {
namespace {

constexpr Vni kVni{1000};
constexpr GuestPort kPort{1};
constexpr std::size_t kPeers = 8;
constexpr int kSessionsEach = 2;
constexpr std::uint16_t kPaths = 64;

eppc::EppcConfig config_of(std::size_t host) {
    eppc::EppcConfig config;
    config.address = Ipv4Address{0x0a000001 + static_cast<std::uint32_t>(host)};
    config.insecure = true;
    config.path_count = kPaths;
    config.sampling = wire::SamplingSpec::every_nth(1);
    config.report_interval = Duration::milliseconds(10);
    config.path_idle = Duration::seconds(10);
    config.open_on_traffic = false;
    config.trace_paths = false;
    return config;
}

/// The engine that is measured, at its bounds.
eppc::EppcConfig measured_config() {
    eppc::EppcConfig config = config_of(0);
    config.trace_paths = true;
    config.trace_timeout = Duration::seconds(10);
    config.nhms = Endpoint{Ipv4Address{0x0affffff}, 46081};  // answers nobody
    eppc::EppcBounds& bounds = config.bounds;
    bounds.guests = 80;
    bounds.remotes = 1300;
    bounds.peers = kPeers;
    bounds.requested_sessions = bounds.accepted_sessions = kPeers * kSessionsEach;
    bounds.requested_to_peer = bounds.accepted_from_peer = kSessionsEach;
    bounds.paths_from_peer = 80;
    bounds.accepted_paths = kPeers * kSessionsEach * kPaths;
    bounds.announced_ports = kPeers * 80;
    bounds.sketches = 128;
    bounds.outputs = 64;
    bounds.update_entries = 600;
    bounds.update_timings = kPeers * kSessionsEach;
    bounds.traces = 8;
    bounds.trace_queue = 64;
    return config;
}

/// Engine 0, of whose calls the heap is counted, and others around it, without routers between them.
class Bed {
  public:
    Bed() : before_(CountedHeap::in_use()) {
        CountedHeap::reset_peak();
        for (std::size_t i = 0; i < kPeers + 2; ++i)
            measure(i, [&] {
                const auto config = i == 0 ? measured_config() : config_of(i);
                engines_.push_back(
                    std::make_unique<eppc::Eppc>(eppc::Eppc::create(config, i + 1, now).value()));
            });
        engines_.shrink_to_fit();
        for (std::size_t i = 0; i < engines_.size(); ++i)
            measure(i, [&] { EXPECT_TRUE(engines_[i]->add_guest(kPort, kVni, mac_of(i)).ok()); });
        for (std::size_t i = 1; i < engines_.size(); ++i) {
            EXPECT_TRUE(engines_[i]->add_remote(kVni, mac_of(0), config_of(0).address).ok());
            if (i <= kPeers)
                measure(0, [&] {
                    EXPECT_TRUE(engines_[0]->add_remote(kVni, mac_of(i), config_of(i).address).ok());
                });
        }
    }

    eppc::Eppc& engine(std::size_t i) { return *engines_[i]; }
    static MacAddress mac_of(std::size_t i) { return MacAddress::from_integer(0x020100000000 + i); }

    template <class Call>
    void measure(std::size_t host, const Call& call) {
        if (host != 0) return call();
        const CountedHeap::Scope scope;
        call();
    }

    /// A guest's packet from one host to another, `late` on its way.
    void send(std::size_t from, std::size_t to, Duration late) {
        GuestPacket packet{mac_of(from), mac_of(to), Ipv4Address{0xc0a80001}, Ipv4Address{0xc0a80002}};
        packet.source_port = static_cast<std::uint16_t>(random_.next_u32());
        OwnedFrame owned(packet.frame(), eppc::Eppc::kHeadroom);
        measure(from, [&] { EXPECT_FALSE(engine(from).encapsulate(kPort, owned.buffer, now)); });
        on_the_way_.push_back({now + late, to, owned.bytes()});
    }
    void settle(std::size_t host) {
        measure(host, [&] {
            if (engine(host).next_deadline() <= now) engine(host).advance(now);
        });
        if (host == 0 && !polled) return;
        while (true) {
            std::optional<eppc::Output> output;
            measure(host, [&] { output = engine(host).poll(); });
            if (!output) return;
            if (const auto* frame = std::get_if<eppc::Transmit>(&*output)) {
                const Bytes bytes = frame->bytes;
                const std::size_t to = load_u32(&bytes[30]) - 0x0a000001;
                const bool traces = bytes[22] < 64;  // routers keep what dies there to themselves
                if (to < engines_.size() && !traces)
                    on_the_way_.push_back({now, to, {bytes.begin(), bytes.end()}});
            }
        }
    }
    /// Lets time pass in steps, and all that is due happen in each.
    void run_for(Duration length, Duration step = Duration::microseconds(50)) {
        for (const Time end = now + length; now < end; now = now + step) {
            for (std::size_t i = 0; i < engines_.size(); ++i)
                settle(i);
            for (std::size_t round = on_the_way_.size() * 4; round > 0 && !on_the_way_.empty(); --round) {
                Flight flight = std::move(on_the_way_.front());
                on_the_way_.pop_front();
                if (flight.at > now) {
                    on_the_way_.push_back(std::move(flight));
                    continue;
                }
                OwnedFrame owned(flight.frame);
                measure(flight.to, [&] { (void)engine(flight.to).decapsulate(owned.buffer, now); });
                settle(flight.to);
            }
        }
    }

    [[nodiscard]] std::size_t in_use() const { return CountedHeap::in_use() - before_; }
    [[nodiscard]] std::size_t peak() const { return CountedHeap::peak() - before_; }

    Time now{1'000'000'000};
    bool polled = true;  ///< whether anybody takes the outputs of engine 0

  private:
    struct Flight {
        Time at;
        std::size_t to;
        std::vector<std::uint8_t> frame;
    };

    std::size_t before_;
    std::vector<std::unique_ptr<eppc::Eppc>> engines_;
    std::deque<Flight> on_the_way_;
    Random random_{1};
};

/// Fills every table and queue of engine 0.
void fill(Bed& bed) {
    for (std::uint32_t i = 2; i <= 80; ++i)
        bed.measure(0, [&] {
            EXPECT_TRUE(bed.engine(0).add_guest(GuestPort{i}, Vni{i}, Bed::mac_of(1000 + i)).ok());
        });
    for (std::size_t i = kPeers; i < 1300; ++i)
        bed.measure(0, [&] {
            const IpAddress peer = config_of(1 + i % kPeers).address;
            EXPECT_TRUE(bed.engine(0).add_remote(kVni, Bed::mac_of(2000 + i), peer).ok());
        });
    for (std::size_t i = 1; i <= kPeers; ++i) {
        for (int session = 0; session < kSessionsEach; ++session) {
            bed.measure(0,
                        [&] { EXPECT_TRUE(bed.engine(0).open_session(config_of(i).address, bed.now).ok()); });
            EXPECT_TRUE(bed.engine(i).open_session(config_of(0).address, bed.now).ok());
        }
    }
    bed.run_for(Duration::milliseconds(5));
    Random random(2);
    for (int round = 0; round < 300; ++round) {
        for (std::size_t i = 1; i <= kPeers; ++i) {
            for (int n = 0; n < 4; ++n) {
                const double ns = 1e4 * std::exp(random.next_u32() / 4294967296.0 * 5);
                bed.send(i, 0, Duration{static_cast<std::int64_t>(ns)});
                bed.send(0, i, Duration{static_cast<std::int64_t>(ns)});
            }
        }
        if (round == 270) bed.polled = false;
        bed.run_for(Duration::milliseconds(1), Duration::microseconds(250));
    }
}

TEST(MemoryBound, HoldsAnEngineAtAllItsBoundsAndSaysNoMoreThanTwiceThat) {
    Bed bed;
    fill(bed);
    const eppc::Eppc& engine = bed.engine(0);
    EXPECT_EQ(engine.sessions().size(), 2 * kPeers * kSessionsEach);
    for (const eppc::SessionView& session : engine.sessions())
        EXPECT_EQ(session.paths.size(), kPaths);
    EXPECT_GT(engine.counters().traces_dropped, 0U);
    EXPECT_GT(engine.counters().update_entries_dropped, 0U);
    EXPECT_GT(engine.drops().count(wire::DropReason::QueueFull), 0U);
    std::printf("measured %zu bytes, at most %zu; bound %zu\n", bed.in_use(), bed.peak(),
                engine.memory_bound());
    EXPECT_LE(bed.peak(), engine.memory_bound());
    EXPECT_LE(engine.memory_bound(), 2 * bed.in_use());
}

TEST(MemoryBound, WhatOverflowsIsCountedAndTakesNoMemory) {
    Bed bed;
    fill(bed);
    const std::size_t full = bed.in_use();
    const std::uint64_t refused_tables = bed.engine(0).drops().count(wire::DropReason::TableFull);
    const std::uint64_t queue_full = bed.engine(0).drops().count(wire::DropReason::QueueFull);
    bed.measure(0, [&] {
        eppc::Eppc& engine = bed.engine(0);
        EXPECT_FALSE(engine.add_guest(GuestPort{5000}, Vni{5000}, Bed::mac_of(1)).ok());
        EXPECT_FALSE(engine.add_remote(Vni{5000}, Bed::mac_of(1), config_of(1).address).ok());
        EXPECT_FALSE(engine.add_peer(config_of(kPeers + 1).address, {}).ok());
        EXPECT_FALSE(engine.open_session(config_of(1).address, bed.now).ok());
    });
    EXPECT_EQ(bed.in_use(), full);
    // Another peer, and one session more of a known one; and what goes on while nobody takes the outputs.
    bed.polled = true;
    bed.run_for(Duration::milliseconds(1));
    EXPECT_TRUE(bed.engine(kPeers + 1).open_session(config_of(0).address, bed.now).ok());
    EXPECT_TRUE(bed.engine(1).open_session(config_of(0).address, bed.now).ok());
    bed.run_for(Duration::milliseconds(20));
    EXPECT_GT(bed.engine(0).drops().count(wire::DropReason::TableFull), refused_tables);
    EXPECT_EQ(bed.engine(0).counters().sessions_refused, 1U);
    bed.polled = false;
    for (int round = 0; round < 50; ++round) {
        for (std::size_t i = 1; i <= kPeers; ++i)
            bed.send(i, 0, Duration::microseconds(20));
        bed.run_for(Duration::milliseconds(1), Duration::microseconds(250));
    }
    EXPECT_GT(bed.engine(0).drops().count(wire::DropReason::QueueFull), queue_full);
    EXPECT_LE(bed.peak(), bed.engine(0).memory_bound());
}

TEST(MemoryBound, WhatAPeerAnnouncedGoesWithItsLastSession) {
    Bed bed;
    const std::size_t before = bed.in_use();
    for (int round = 0; round < 3; ++round) {
        const auto id = bed.engine(1).open_session(config_of(0).address, bed.now);
        ASSERT_TRUE(id.ok());
        for (int i = 0; i < 500; ++i)
            bed.send(1, 0, Duration::microseconds(20));
        bed.run_for(Duration::milliseconds(30));
        EXPECT_GT(bed.in_use(), before + kPaths * 184U);
        ASSERT_TRUE(bed.engine(1)
                        .close_session(session::Role::Requester, config_of(0).address, *id,
                                       wire::CloseReason::Asked, bed.now)
                        .ok());
        bed.run_for(Duration::milliseconds(20));
        EXPECT_LT(bed.in_use(), before + 16'000);  // it lingers without its measurements
        bed.run_for(Duration::seconds(6), Duration::milliseconds(5));
    }
    // What stays: the clock of the peer, one sketch's nodes, reused messages and outputs.
    EXPECT_LT(bed.in_use(), before + 12'000);
}

/// The limit: 10,000 sessions of 64 paths with their sketches inside 200 MB.
TEST(MemoryBound, TenThousandAcceptedSessionsWithTheirSketchesFit200Megabytes) {
    constexpr std::size_t kSessions = 10'000;
    const std::size_t before = CountedHeap::in_use();
    const CountedHeap::Scope scope;
    tracking::SketchTable sketches(kSessions * tracking::SketchTable::kNodesUsual);
    std::vector<session::AcceptorSession> sessions;
    sessions.reserve(kSessions);
    Random random(1);
    session::Outbox out;
    Time now{1'000'000'000};
    for (std::size_t i = 0; i < kSessions; ++i) {
        session::AcceptorParameters parameters;
        parameters.id = SessionId{static_cast<std::uint32_t>(i + 1)};
        parameters.request.path_count = kPaths;
        parameters.request.port_count = 80;
        parameters.metrics = wire::kMetricsAll;
        parameters.report_interval = Duration::milliseconds(100);
        parameters.keep_alive_interval = Duration::seconds(1);
        parameters.waiting_time = Duration::seconds(3);
        parameters.retransmit = {Duration::milliseconds(5), Duration::milliseconds(500), 12};
        parameters.sketch = sketches.open();
        session::AcceptorSession& session = sessions.emplace_back(parameters, now);
        session.on_request(out);
        for (std::uint16_t path = 0; path < kPaths; ++path) {
            wire::MarkerBody marker;
            marker.path = PathIndex{path};
            marker.kind = wire::MarkerKind::Start;
            marker.interval = 1;
            EXPECT_TRUE(session.on_marker(marker, path, 0, now, out));
            for (std::uint32_t n = 0; n < 8; ++n) {
                // Between 10 us and 2 ms.
                const double ns = 1e4 * std::exp(random.next_u32() / 4294967296.0 * 5.3);
                tracking::TrackedPacket packet;
                packet.sequence = n;
                packet.count_sent = packet.count_received = n + 1;
                packet.delay = Duration{static_cast<std::int64_t>(ns)};
                packet.now = now;
                ASSERT_EQ(session.on_tracked(PathIndex{path}, packet).arrival, tracking::Arrival::New);
                sketches.add(session.sketch(), packet.delay, packet.delay);
            }
        }
        EXPECT_EQ(sketches[session.sketch()].not_recorded(), 0U);
        out.clear();
    }
    const std::size_t taken = CountedHeap::in_use() - before;
    std::printf("10,000 sessions of 64 paths with sketches: %zu bytes, %zu nodes of sketches used\n", taken,
                sketches.nodes() - sketches.nodes_free());
    EXPECT_LE(taken, 200'000'000U);
}

}  // namespace
}  // namespace dyetrace::test
