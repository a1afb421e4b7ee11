// SPDX-License-Identifier: GPL-2.0-or-later
// The receiving data path of one engine with a peer of each kind, over either version of IP, on arbitrary
// frames. The first byte chooses the underlay; then each frame is its length, two bytes, what is to be mended
// of its outer header, and its bytes. What is delivered lies inside what arrived.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/eppc/eppc.h"
#include "core/wire/ethernet.h"
#include "tests/core/eppc/frames.h"

namespace {

using namespace dyetrace;
using namespace dyetrace::test;
using eppc::Decapsulated;

constexpr Vni kVni{1000};

IpAddress address_of(bool ipv6, std::uint32_t host) {
    if (ipv6) return {0x20010db8ULL << 32, host};
    return Ipv4Address{0x0a000000 + host};
}

eppc::Eppc engine_of(bool ipv6, bool keep_tags) {
    eppc::EppcConfig config;
    config.address = address_of(ipv6, 1);
    config.insecure = true;
    config.path_count = 2;
    config.trace_paths = false;
    if (keep_tags) config.vxlan_vlan = eppc::InnerVlan::Keep;
    auto engine = eppc::Eppc::create(config, 1, Time{}).value();
    const eppc::PeerOptions geneve{.udp_checksum = eppc::UdpChecksum::Zero, .ecn = {}};
    const eppc::PeerOptions vxlan{.encapsulation = wire::Encapsulation::Vxlan, .ecn = {}};
    DYETRACE_ASSERT(engine.add_peer(address_of(ipv6, 2), geneve).ok());
    DYETRACE_ASSERT(engine.add_peer(address_of(ipv6, 3), vxlan).ok());
    DYETRACE_ASSERT(engine.add_guest(GuestPort{1}, kVni, MacAddress::from_integer(0x020100000001)).ok());
    return engine;
}

/// Lengths, checksums and the peer's address, so that what is inside is looked at.
void mend(std::vector<std::uint8_t>& frame, bool ipv6, std::uint8_t what) {
    const std::size_t udp = ipv6 ? 54 : 34;
    if (frame.size() < udp + 8 || (what & 1) == 0) return;
    store_u16(&frame[12], ipv6 ? wire::kEtherTypeIpv6 : wire::kEtherTypeIpv4);
    const IpAddress source = address_of(ipv6, (what & 2) != 0 ? 3 : 2);
    const IpAddress own = address_of(ipv6, 1);
    if (ipv6) {
        frame[14] = 0x60;
        store_u16(&frame[18], static_cast<std::uint16_t>(frame.size() - udp));
        frame[20] = 17;
        store_ip(&frame[22], source);
        store_ip(&frame[38], own);
    } else {
        frame[14] = 0x45;
        store_u16(&frame[16], static_cast<std::uint16_t>(frame.size() - 14));
        store_u16(&frame[20], 0);
        frame[23] = 17;
        store_u32(&frame[26], source.ipv4().value);
        store_u32(&frame[30], own.ipv4().value);
        mend_ip(frame);
    }
    store_u16(&frame[udp + 2], (what & 2) != 0 ? 4789 : 6081);
    store_u16(&frame[udp + 4], static_cast<std::uint16_t>(frame.size() - udp));
    store_u16(&frame[udp + 6], 0);
    if (ipv6 && (what & 2) != 0) mend_udp(frame);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool ipv6 = (data[0] & 1) != 0;
    eppc::Eppc engine = engine_of(ipv6, (data[0] & 2) != 0);
    Time now{};
    for (Bytes rest(data + 1, size - 1); rest.size() > 3;) {
        const std::uint8_t what = rest[2];
        const std::size_t length = std::min<std::size_t>(load_u16(rest.data()) % 2048, rest.size() - 3);
        std::vector<std::uint8_t> frame(rest.begin() + 3,
                                        rest.begin() + 3 + static_cast<std::ptrdiff_t>(length));
        rest = rest.subspan(3 + length);
        mend(frame, ipv6, what);
        OwnedFrame owned(frame);
        const std::uint64_t drops = engine.drops().total();
        const Decapsulated result = engine.decapsulate(owned.buffer, now);
        if (result.kind == Decapsulated::Kind::Dropped) DYETRACE_ASSERT(engine.drops().total() > drops);
        if (result.kind == Decapsulated::Kind::Deliver)
            DYETRACE_ASSERT(owned.buffer.end <= owned.memory.size() && owned.buffer.begin < owned.buffer.end);
        now = now + Duration::microseconds(what);
        if (engine.next_deadline() <= now) engine.advance(now);
        while (engine.poll()) {
        }
    }
    return 0;
}
