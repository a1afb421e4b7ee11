// SPDX-License-Identifier: GPL-2.0-or-later
// How long a packet takes to be encapsulated and decapsulated, beside a floor that is measured in the same
// run: what no encapsulating endpoint can do without.
//
//   untracked floor   two copies of 50 bytes, two hashes of an inner 5-tuple, one look-up in a table of the
//   same size,
//                     one IPv4 header checksum
//   tracked floor     the same, and two SipHash-2-4 (libsodium's) of the track option's length
//
// The floor uses the engine's own hash, table and checksum, so that it falls when they become faster. Nothing
// may allocate: every `operator new` of this program is counted.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <sodium.h>

#include "analysis/cli/large_pages.h"
#include "core/auth/keys.h"
#include "core/base/random.h"
#include "core/eppc/eppc.h"
#include "core/eppc/flow_hash.h"
#include "core/eppc/overlay.h"
#include "core/wire/checksum.h"
#include "tests/bench/core/limits.h"
#include "tests/core/base/counted_heap.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::bench {
namespace {

using eppc::Decapsulated;
using eppc::Eppc;
using test::CountedHeap;
using test::GuestPacket;
using test::kGuestPort;
using test::kVni;
using test::OwnedFrame;

constexpr std::uint16_t kFlows = 64;
constexpr std::size_t kBatch = 32;
constexpr std::size_t kManyPeers = 10'000;
constexpr std::uint32_t kNever = 1'000'000'000;
constexpr const char* kAllocated = "the data path has allocated";

GuestPacket guest_packet(MacAddress from, MacAddress to, std::uint16_t flow, std::size_t frame_size) {
    GuestPacket guest{from, to, Ipv4Address{0xc0a80001}, Ipv4Address{0xc0a80002}};
    guest.source_port = static_cast<std::uint16_t>(10'000 + flow);
    guest.payload = frame_size - 42;
    return guest;
}

/// One frame a flow, each in a buffer of its own with headroom.
std::vector<OwnedFrame> frames_of(MacAddress from, MacAddress to, std::uint16_t flows,
                                  std::size_t frame_size) {
    std::vector<OwnedFrame> frames;
    for (std::uint16_t flow = 0; flow < flows; ++flow)
        frames.emplace_back(guest_packet(from, to, flow, frame_size).frame(), Eppc::kHeadroom);
    return frames;
}

/// Host 0 and host 1 with a session from 0 to 1, on all of whose paths an interval is open.
class Pair {
  public:
    Pair(std::uint32_t every_nth, std::size_t frame_size) : every_nth_(every_nth) {
        net_.keep_capture = false;
        for (int i = 0; i < 2; ++i) {
            net_.add_host([&](auto& config) {
                config.sampling = wire::SamplingSpec::every_nth(every_nth);
                config.path_count = kFlows;
            });
        }
        net_.send_many(0, 1, 4000, Duration::microseconds(1), 4 * kFlows);
        net_.run_for(Duration::milliseconds(6));
        now_ = net_.now();
        frames_ = frames_of(net_.host(0).guest_mac, net_.host(1).guest_mac, kFlows, frame_size);
    }

    void measure(benchmark::State& state) {
        Eppc& sender = net_.engine(0);
        Eppc& receiver = net_.engine(1);
        const std::uint64_t tagged_before = receiver.counters().tracked_received;
        const std::size_t before = CountedHeap::allocations();
        std::uint64_t packets = 0;
        for (auto _ : state) {
            wire::FrameBuffer& frame = frames_[next_].buffer;
            next_ = (next_ + 1) % kFlows;
            now_.ns += 100;
            if (sender.encapsulate(kGuestPort, frame, now_)) std::abort();
            if (receiver.decapsulate(frame, now_).kind != Decapsulated::Kind::Deliver) std::abort();
            ++packets;
        }
        if (CountedHeap::allocations() != before) state.SkipWithError(kAllocated);
        const std::uint64_t tracked = receiver.counters().tracked_received - tagged_before;
        const bool is_as_meant = every_nth_ == 1 ? tracked == packets : tracked * 100 <= packets;
        if (!is_as_meant) state.SkipWithError("not as many packets were tracked as this is about");
    }

  private:
    std::uint32_t every_nth_;
    test::Network net_;
    Time now_;
    std::vector<OwnedFrame> frames_;
    std::size_t next_ = 0;
};

template <std::uint32_t kEveryNth, std::size_t kFrameSize>
void ours(benchmark::State& state) {
    static Pair pair(kEveryNth, kFrameSize);
    pair.measure(state);
}

class Floor {
  public:
    explicit Floor(std::size_t frame_size) : overlay_(16, 2) {
        if (!overlay_.add_remote(eppc::OverlayAddress(kVni, kThere), 0).ok()) std::abort();
        frames_ = frames_of(MacAddress::from_integer(0x020100000001), kThere, kFlows, frame_size);
        for (std::size_t i = 0; i < header_.size(); ++i)
            header_[i] = static_cast<std::uint8_t>(i);
    }

    template <bool kTracked>
    void packet() {
        wire::FrameBuffer& frame = frames_[next_].buffer;
        next_ = (next_ + 1) % kFlows;
        const Bytes inner = frame.head();
        std::uint64_t sum = eppc::flow_hash(inner, wire::inspect_guest_frame(inner), 1);
        sum += *overlay_.peer_of(eppc::OverlayAddress::destination_of(inner, kVni));
        std::uint8_t* const out = frame.data + frame.begin - header_.size();
        std::memcpy(out, header_.data(), header_.size());
        benchmark::ClobberMemory();
        sum += wire::checksum_finish(wire::checksum_add(Bytes(out + 14, 20)));
        std::memcpy(scratch_.data(), out, scratch_.size());
        benchmark::ClobberMemory();
        sum += eppc::flow_hash(inner, wire::inspect_guest_frame(inner), 2);
        if constexpr (kTracked) {
            const Bytes option(out, wire::TrackOption::kSize);
            sum += siphash(option) + siphash(option);
        }
        benchmark::DoNotOptimize(sum);
    }

  private:
    static constexpr MacAddress kThere{{2, 1, 0, 0, 0, 2}};

    [[nodiscard]] std::uint64_t siphash(Bytes bytes) const {
        std::array<std::uint8_t, crypto_shorthash_BYTES> tag{};
        crypto_shorthash(tag.data(), bytes.data(), bytes.size(), key_.data());
        return load_u64(tag.data());
    }

    eppc::Overlay overlay_;
    std::vector<OwnedFrame> frames_;
    std::size_t next_ = 0;
    std::array<std::uint8_t, 50> header_{};
    std::array<std::uint8_t, 50> scratch_{};
    auth::TrackKey key_{1, 2, 3};
};

template <bool kTracked, std::size_t kFrameSize>
void floor_of(benchmark::State& state) {
    static Floor floor(kFrameSize);
    for (auto _ : state)
        floor.packet<kTracked>();
}

/// The own check of a tracked packet reads all of it, at both ends: work that the floor does not know.
template <std::size_t kFrameSize>
void own_check(benchmark::State& state) {
    static const std::vector<OwnedFrame> frames = frames_of({}, {}, kFlows, kFrameSize);
    std::size_t next = 0;
    for (auto _ : state) {
        const wire::FrameBuffer& frame = frames[next].buffer;
        next = (next + 1) % kFlows;
        benchmark::DoNotOptimize(wire::inner_checksum(frame));
        benchmark::ClobberMemory();
        benchmark::DoNotOptimize(wire::inner_checksum(frame));
    }
}

/// One engine that speaks with many. A packet to a peer is turned round in place and comes back from it, so
/// that both halves look up as many peers as there are. With every peer there are sessions in both
/// directions, and all paths that the packets take are being measured.
class Hub {
  public:
    explicit Hub(std::size_t peers) {
        eppc::EppcConfig config = configuration(kOwn);
        config.bounds.remotes = config.bounds.peers = peers + 1;
        config.bounds.requested_sessions = config.bounds.accepted_sessions = peers + 1;
        hub_.emplace(Eppc::create(config, 1, now_).value());
        if (!hub_->add_guest(kGuestPort, kVni, kGuest).ok()) std::abort();
        frames_ = frames_of(kGuest, kGuest, kBatch, 64);
        for (const OwnedFrame& frame : frames_)
            views_.push_back(&frame.buffer);
        for (std::size_t i = 0; i < peers; ++i)
            add_peer(i);
    }

    /// Batches of packets, each to a peer drawn anew; `kEngine` false: only what the benchmark itself does.
    template <bool kEngine>
    void measure(benchmark::State& state) {
        const std::size_t before = CountedHeap::allocations();
        for (auto _ : state) {
            for (OwnedFrame& frame : frames_)
                address(frame.buffer, macs_[random_.below(static_cast<std::uint32_t>(macs_.size()))]);
            if constexpr (kEngine) {
                hub_->expect_from_guest(kGuestPort, views_);
                for (OwnedFrame& frame : frames_) {
                    if (hub_->encapsulate(kGuestPort, frame.buffer, now_)) std::abort();
                }
            }
            for (OwnedFrame& frame : frames_)
                turn_round(frame.buffer);
            if constexpr (kEngine) {
                hub_->expect_from_underlay(views_);
                for (OwnedFrame& frame : frames_) {
                    if (hub_->decapsulate(frame.buffer, now_).kind != Decapsulated::Kind::Deliver)
                        std::abort();
                }
            }
            for (OwnedFrame& frame : frames_)
                std::memcpy(frame.buffer.data + frame.buffer.begin + 6, kGuest.octets.data(), 6);
            now_.ns += 3000;
        }
        if (CountedHeap::allocations() != before) state.SkipWithError(kAllocated);
        state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBatch));
    }

  private:
    static constexpr Ipv4Address kOwn{0x0a000001};
    static constexpr MacAddress kGuest{{2, 1, 0, 0, 0, 1}};

    static eppc::EppcConfig configuration(IpAddress address) {
        eppc::EppcConfig config;
        config.address = address;
        config.key = auth::SharedKey{};
        config.sampling = wire::SamplingSpec::every_nth(kNever);
        config.trace_paths = false;
        return config;
    }

    static void address(const wire::FrameBuffer& frame, const MacAddress& to) {
        std::memcpy(frame.data + frame.begin, to.octets.data(), 6);
    }
    /// What the peer would send back: both pairs of addresses exchanged. No checksum notices.
    static void turn_round(const wire::FrameBuffer& frame) {
        std::uint8_t* const inner = frame.data + Eppc::kHeadroom;
        std::uint8_t* const addresses = inner - test::kGenevePayload + test::kOuterIp + 12;
        std::swap_ranges(addresses, addresses + 4, addresses + 4);
        std::swap_ranges(inner, inner + 6, inner + 6);
    }

    /// A peer whose engine lives as long as it takes to open a session in each direction.
    void add_peer(std::size_t index) {
        const Ipv4Address address{0x0a010000 + static_cast<std::uint32_t>(index)};
        const MacAddress mac = MacAddress::from_integer(0x020200000000 + index);
        macs_.push_back(mac);
        Eppc peer = Eppc::create(configuration(address), 2 + index, now_).value();
        if (!hub_->add_remote(kVni, mac, address).ok() || !peer.add_guest(kGuestPort, kVni, mac).ok() ||
            !peer.add_remote(kVni, kGuest, IpAddress{kOwn}).ok() || !hub_->open_session(address, now_).ok() ||
            !peer.open_session(IpAddress{kOwn}, now_).ok()) {
            std::abort();
        }
        talk(peer);
        for (std::uint16_t flow = 0; flow < kBatch; ++flow) {
            wake(*hub_, guest_packet(kGuest, mac, flow, 64));
            wake(peer, guest_packet(mac, kGuest, flow, 64));
        }
        talk(peer);
    }
    void wake(Eppc& engine, const GuestPacket& packet) {
        OwnedFrame frame(packet.frame(), Eppc::kHeadroom);
        if (engine.encapsulate(kGuestPort, frame.buffer, now_)) std::abort();
    }
    void talk(Eppc& peer) {
        for (int rounds = 0; rounds < 6; ++rounds) {
            now_.ns += 10;
            hand_over(*hub_, peer);
            hand_over(peer, *hub_);
        }
    }
    void hand_over(Eppc& from, Eppc& to) {
        from.advance(now_);
        while (auto output = from.poll()) {
            const auto* transmit = std::get_if<eppc::Transmit>(&*output);
            if (transmit == nullptr) continue;
            OwnedFrame copy(transmit->bytes);
            (void)to.decapsulate(copy.buffer, now_);
        }
    }

    Time now_{1'000'000};
    Random random_{1};
    std::optional<Eppc> hub_;
    std::vector<MacAddress> macs_;
    std::vector<OwnedFrame> frames_;
    std::vector<const wire::FrameBuffer*> views_;
};

template <std::size_t kPeers, bool kEngine>
void batches(benchmark::State& state) {
    static Hub hub(kPeers);
    hub.measure<kEngine>(state);
}

constexpr RatioLimit kRatios[] = {
    {"untracked, 64 bytes, beside its floor", "untracked_64", "untracked_floor_64", 2.5},
    {"untracked, 1400 bytes, beside its floor", "untracked_1400", "untracked_floor_1400", 2.5},
    {"tracked, 64 bytes, beside its floor", "tracked_64", "tracked_floor_64", 2.0},
    {"tracked, 1400 bytes, own check apart", "tracked_1400", "tracked_floor_1400", 2.0, "own_check_1400"},
    {"tracked, 1400 bytes, own check and all", "tracked_1400", "tracked_floor_1400", 2.0, nullptr, nullptr,
     true},
    {"10,000 peers beside one, batches of 32", "peers_10000", "peers_1", 3.0, "peers_bookkeeping",
     "peers_bookkeeping"},
};

void add(const char* name, void (*what)(benchmark::State&)) {
    benchmark::RegisterBenchmark(name, what);
}

int main_with(int argc, char** argv) {
    cli::take_large_pages(argv);  // as the shipped unit starts eppcd
    add("untracked_64", ours<kNever, 64>);
    add("untracked_1400", ours<kNever, 1400>);
    add("untracked_floor_64", floor_of<false, 64>);
    add("untracked_floor_1400", floor_of<false, 1400>);
    add("tracked_64", ours<1, 64>);
    add("tracked_1400", ours<1, 1400>);
    add("tracked_floor_64", floor_of<true, 64>);
    add("tracked_floor_1400", floor_of<true, 1400>);
    add("own_check_1400", own_check<1400>);
    add("peers_1", batches<1, true>);
    add("peers_10000", batches<kManyPeers, true>);
    add("peers_bookkeeping", batches<1, false>);
    return run(argc, argv, kRatios, {});
}

}  // namespace
}  // namespace dyetrace::bench

int main(int argc, char** argv) {
    return dyetrace::bench::main_with(argc, argv);
}
