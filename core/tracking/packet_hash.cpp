// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/packet_hash.h"

#include <algorithm>
#include <array>

namespace dyetrace::tracking {
namespace {

struct Words {
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t c;

    /// x -= y; x -= z; x ^= z shifted: left by a negative number, right by a positive one.
    static void step(std::uint32_t& x, std::uint32_t y, std::uint32_t z, int shift) {
        x -= y;
        x -= z;
        x ^= shift > 0 ? z >> shift : z << -shift;
    }
    void mix() {
        constexpr std::array<std::array<int, 3>, 3> kShifts = {{{13, -8, 13}, {12, -16, 5}, {3, -10, 15}}};
        for (const auto& [of_a, of_b, of_c] : kShifts) {
            step(a, b, c, of_a);
            step(b, c, a, of_b);
            step(c, a, b, of_c);
        }
    }
};

/// Four bytes, the first the least significant.
std::uint32_t load_little(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(p[3]) << 24 | static_cast<std::uint32_t>(p[2]) << 16 |
           static_cast<std::uint32_t>(p[1]) << 8 | p[0];
}

void write_invariants(Bytes network, const wire::InnerPacket& packet, ByteWriter& out) {
    if (!packet.is_ip) {
        out.u16(packet.ether_type);
        return;
    }
    if (packet.source.is_ipv4() && network[0] >> 4 == 4) {
        out.bytes(network.subspan(2, 4));  // total length, identification
        out.u8(packet.protocol);
        out.bytes(network.subspan(12, 8));  // both addresses
        return;
    }
    out.bytes(network.subspan(4, 2));  // payload length
    out.u8(packet.protocol);
    out.bytes(network.subspan(8, 32));
}

}  // namespace

std::uint32_t bob_hash(Bytes key, std::uint32_t initial) {
    constexpr std::uint32_t kGoldenRatio = 0x9e3779b9;
    constexpr std::size_t kBlock = 12;
    Words words{kGoldenRatio, kGoldenRatio, initial};
    Bytes rest = key;
    for (; rest.size() >= kBlock; rest = rest.subspan(kBlock)) {
        words.a += load_little(&rest[0]);
        words.b += load_little(&rest[4]);
        words.c += load_little(&rest[8]);
        words.mix();
    }
    // The last block, which may be empty; the lowest byte of c is the length's.
    std::array<std::uint8_t, kBlock + 1> last{};
    std::copy_n(rest.begin(), std::min<std::size_t>(rest.size(), 8), last.begin());
    if (rest.size() > 8) std::copy(rest.begin() + 8, rest.end(), last.begin() + 9);
    words.a += load_little(&last[0]);
    words.b += load_little(&last[4]);
    words.c += load_little(&last[8]) + static_cast<std::uint32_t>(key.size());
    words.mix();
    return words.c;
}

std::uint32_t packet_hash(Bytes frame, const wire::InnerPacket& packet, std::uint32_t seed) {
    constexpr std::size_t kInvariantsMost = 35;
    std::array<std::uint8_t, kInvariantsMost + kHashedPayload> key{};
    ByteWriter out(key);
    write_invariants(frame.subspan(packet.network_offset), packet, out);
    const Bytes payload = frame.subspan(packet.payload_offset);
    out.bytes(payload.first(std::min(payload.size(), kHashedPayload)));
    return bob_hash(Bytes(key).first(out.written()), seed);
}

}  // namespace dyetrace::tracking
