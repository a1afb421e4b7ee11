// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/host/recorded_trace.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/base/random.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"
#include "core/wire/udp.h"

namespace dyetrace::host::test {
namespace {

constexpr std::array kAddresses{Ipv4Address{0xc0000201}, Ipv4Address{0xc0000202}};
constexpr Vni kVni{1000};
constexpr std::size_t kHeadroom = 256;
constexpr Duration kLinkDelay = Duration::microseconds(10);
constexpr Duration kGuestPause = Duration::microseconds(70);

MacAddress guest_mac(std::size_t side) {
    return MacAddress::from_integer(0x020100000000ULL + side);
}
MacAddress host_mac(std::size_t side) {
    return MacAddress::from_integer(0x020000000000ULL + side);
}

}  // namespace

IpAddress address_of(std::size_t side) {
    return kAddresses[side];
}

eppc::Eppc make_engine(std::size_t side) {
    const std::size_t other = 1 - side;
    eppc::EppcConfig config;
    config.address = kAddresses[side];
    config.mac = host_mac(side);
    config.gateway_mac = host_mac(other);
    config.key.emplace().fill(0x5a);
    config.path_count = 4;
    config.sampling = wire::SamplingSpec::every_nth(7);
    config.report_interval = Duration::milliseconds(5);
    config.path_idle = Duration::milliseconds(3);
    config.keep_alive_interval = Duration::milliseconds(20);
    auto engine = eppc::Eppc::create(config, 17 + side, kStart);
    DYETRACE_ASSERT(engine.ok());
    DYETRACE_ASSERT(engine->add_guest(kGuest, kVni, guest_mac(side)).ok());
    DYETRACE_ASSERT(engine->add_remote(kVni, guest_mac(other), kAddresses[other]).ok());
    return std::move(engine).value();
}

Frame guest_frame(std::size_t side, Random& random) {
    constexpr std::size_t kIp = wire::EthernetHeader::kSize;
    constexpr std::size_t kUdp = kIp + wire::Ipv4Header::kSize;
    const std::size_t payload = random.below(200);
    Frame frame(kUdp + wire::UdpHeader::kSize + payload, static_cast<std::uint8_t>(payload));
    wire::EthernetHeader{guest_mac(1 - side), guest_mac(side), wire::kEtherTypeIpv4}.encode_into(frame);
    wire::Ipv4Header ip;
    ip.total_length = static_cast<std::uint16_t>(frame.size() - kIp);
    ip.protocol = wire::kProtocolUdp;
    ip.source = Ipv4Address{0x0a000001 + static_cast<std::uint32_t>(side)};
    ip.destination = Ipv4Address{0x0a000002 - static_cast<std::uint32_t>(side)};
    ip.encode_into(MutableBytes(frame).subspan(kIp));
    wire::UdpHeader udp;
    udp.source_port = static_cast<std::uint16_t>(4000 + random.below(8));
    udp.destination_port = 9;
    udp.length = static_cast<std::uint16_t>(wire::UdpHeader::kSize + payload);
    udp.encode_into(MutableBytes(frame).subspan(kUdp));
    return frame;
}

namespace {

/// A frame in a buffer with headroom.
struct Buffer {
    explicit Buffer(const Frame& frame) : memory(kHeadroom + frame.size()) {
        std::copy(frame.begin(), frame.end(), memory.begin() + kHeadroom);
        view = {memory.data(), kHeadroom, memory.size(), 0};
    }
    [[nodiscard]] Frame frame() const { return {view.head().begin(), view.head().end()}; }

    std::vector<std::uint8_t> memory;
    wire::FrameBuffer view;
};

Frame copy_of(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

/// The two engines, the link, and what is on its way.
class World {
  public:
    explicit World(std::uint64_t seed) : random_(seed), engines_{make_engine(0), make_engine(1)} {
        trace_.close_at = kStart + Duration::milliseconds(150);
        trace_.end = kStart + Duration::milliseconds(250);
        for (std::size_t side : {0U, 1U})
            schedule_guest(side, kStart + Duration::microseconds(5));
    }

    RecordedTrace run() {
        bool closed = false;
        while (true) {
            Time now = std::min(engines_[0].next_deadline(), engines_[1].next_deadline());
            if (!waiting_.empty()) now = std::min(now, waiting_.begin()->first);
            if (!closed) now = std::min(now, trace_.close_at);
            if (now > trace_.end) return std::move(trace_);
            if (!closed && now == trace_.close_at) {
                for (auto& engine : engines_)
                    engine.close_sessions(now);
                closed = true;
            }
            step(now);
        }
    }

  private:
    struct Arrival {
        std::size_t side = 0;
        bool from_underlay = false;
        Frame frame;
    };

    void step(Time now) {
        // The order that the loop promises within one moment: underlay, then guests.
        std::vector<Arrival> arrivals;
        for (auto it = waiting_.begin(); it != waiting_.end() && it->first <= now; it = waiting_.erase(it))
            arrivals.push_back(std::move(it->second));
        std::stable_partition(arrivals.begin(), arrivals.end(),
                              [](const Arrival& a) { return a.from_underlay; });
        for (const Arrival& arrival : arrivals)
            feed(arrival, now);
        for (std::size_t side : {0U, 1U}) {
            if (engines_[side].next_deadline() <= now) engines_[side].advance(now);
            while (const auto output = engines_[side].poll()) {
                if (const auto* transmit = std::get_if<eppc::Transmit>(&*output))
                    put_on_link(side, copy_of(transmit->bytes), now);
            }
        }
    }

    void feed(const Arrival& arrival, Time now) {
        if (arrival.side == 0) trace_.inputs.push_back({now, arrival.from_underlay, arrival.frame});
        Buffer buffer(arrival.frame);
        if (arrival.from_underlay) {
            engines_[arrival.side].decapsulate(buffer.view, now);
            return;
        }
        if (!engines_[arrival.side].encapsulate(kGuest, buffer.view, now))
            put_on_link(arrival.side, buffer.frame(), now);
        // Bursts, with pauses that end intervals.
        const bool pause = random_.below(400) == 0;
        schedule_guest(arrival.side, now + (pause ? Duration::milliseconds(8) : kGuestPause));
    }

    void schedule_guest(std::size_t side, Time at) {
        Frame frame = guest_frame(side, random_);
        switch (random_.below(50)) {
            case 0: frame.resize(random_.below(20)); break;  // cut
            case 1: frame[5] ^= 0x80; break;                 // to somebody unknown
            case 2: frame[0] |= 1; break;                    // to a group
            default: break;
        }
        waiting_.emplace(at, Arrival{side, false, std::move(frame)});
    }

    void put_on_link(std::size_t side, Frame frame, Time now) {
        Time at = now + kLinkDelay;
        switch (random_.below(60)) {
            case 0: return;                                                       // lost
            case 1: waiting_.emplace(at, Arrival{1 - side, true, frame}); break;  // twice
            case 2: at = at + Duration::microseconds(300); break;                 // overtaken
            case 3: frame[random_.below(static_cast<std::uint32_t>(frame.size()))] ^= 0x10; break;  // spoiled
            case 4: frame.resize(random_.below(static_cast<std::uint32_t>(frame.size()))); break;   // cut
            default: break;
        }
        waiting_.emplace(at, Arrival{1 - side, true, std::move(frame)});
    }

    Random random_;
    std::array<eppc::Eppc, 2> engines_;
    std::multimap<Time, Arrival> waiting_;
    RecordedTrace trace_;
};

}  // namespace

eppc::Eppc make_recorded_engine() {
    return make_engine(0);
}

RecordedTrace record_trace(std::uint64_t seed) {
    return World(seed).run();
}

std::string describe(const eppc::Output& output) {
    if (const auto* change = std::get_if<eppc::SessionChanged>(&output)) {
        return fmt::format("{} session {} {}: {} -> {} ({})", change->at.ns, change->session.value,
                           change->peer.to_string(), to_string(change->from), to_string(change->to),
                           change->reason);
    }
    if (const auto* metrics = std::get_if<eppc::MetricsReported>(&output)) {
        const wire::PathRecord& r = metrics->record;
        return fmt::format("{} metrics {} path {}: {} {} {} {} {} {} {}", metrics->at.ns,
                           metrics->session.value, r.path.value, r.sent, r.received, r.tracked_sent,
                           r.tracked_received, r.duplicates, r.delay_ns_sum, r.measured_ns);
    }
    if (const auto* timing = std::get_if<eppc::TimingReported>(&output)) {
        const wire::TimingEntry& t = timing->timing;
        return fmt::format("{} timing {}: {} {} {} {} {} {} {}", timing->at.ns, t.session.value,
                           t.clock_offset.ns, t.clock_bound.ns, t.drift_ppb, t.clock_steps,
                           t.round_trip_min.ns, t.round_trip_last.ns, t.sketch.size());
    }
    return "transmit";
}

std::string describe_counters(const eppc::Eppc& engine) {
    const eppc::EppcCounters& c = engine.counters();
    std::string text =
        fmt::format("encapsulated {} decapsulated {} tagged {} tracked {} control {}/{}\n", c.encapsulated,
                    c.decapsulated, c.tagged, c.tracked_received, c.control_sent, c.control_received);
    engine.drops().for_each([&](wire::DropReason reason, std::uint64_t count) {
        text += fmt::format("{} {}\n", to_string(reason), count);
    });
    return text;
}

Decisions run_bare(const RecordedTrace& trace) {
    eppc::Eppc engine = make_recorded_engine();
    Decisions made;
    const auto poll = [&] {
        while (const auto output = engine.poll()) {
            if (const auto* transmit = std::get_if<eppc::Transmit>(&*output)) {
                made.to_underlay.push_back(copy_of(transmit->bytes));
            } else {
                made.events.push_back(describe(*output));
            }
        }
    };
    bool closed = false;
    auto input = trace.inputs.begin();
    while (true) {
        Time now = engine.next_deadline();
        if (input != trace.inputs.end()) now = std::min(now, input->at);
        if (!closed) now = std::min(now, trace.close_at);
        if (now > trace.end) break;
        if (!closed && now == trace.close_at) {
            engine.close_sessions(now);
            poll();
            closed = true;
        }
        for (; input != trace.inputs.end() && input->at == now; ++input) {
            Buffer buffer(input->frame);
            if (!input->from_underlay) {
                if (!engine.encapsulate(kGuest, buffer.view, now)) made.to_underlay.push_back(buffer.frame());
                continue;
            }
            const auto kind = engine.decapsulate(buffer.view, now).kind;
            poll();
            if (kind == eppc::Decapsulated::Kind::Deliver) made.to_guest.push_back(buffer.frame());
        }
        if (engine.next_deadline() <= now) engine.advance(now);
        poll();
    }
    made.counters = describe_counters(engine);
    return made;
}

}  // namespace dyetrace::host::test
