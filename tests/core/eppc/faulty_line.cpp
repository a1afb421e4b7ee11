// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/eppc/faulty_line.h"

#include <utility>

#include "core/base/random.h"

namespace dyetrace::test {
namespace {

/// Bytes at the end of a frame that are surely the guest's payload.
constexpr std::uint32_t kPayloadTail = 32;

class FaultyLine {
  public:
    FaultyLine(const LineFaults& faults, std::uint64_t seed) : faults_(faults), random_(seed) {}

    Fate carry(Transit& transit) {
        const SeenPacket& seen = transit.seen;
        if (seen.kind != SeenPacket::Kind::Data) return Fate{happens(faults_.control_lost) ? 0 : 1, {}};
        if (happens(faults_.data_lost)) return Fate{0, {}};
        damage(transit);
        Fate fate;
        if (happens(seen.track ? faults_.tracked_duplicated : faults_.untracked_duplicated)) fate.copies = 2;
        if (happens(faults_.data_delayed)) {
            const auto most_ns = static_cast<std::uint32_t>(faults_.delay_most.ns);
            fate.extra_delay = Duration{random_.below(most_ns)};
        }
        return fate;
    }

  private:
    bool happens(std::uint32_t millionths) { return random_.below(1'000'000) < millionths; }

    void damage(Transit& transit) {
        const wire::Ecn ecn = transit.seen.ip.ecn;
        const bool ect = ecn == wire::Ecn::Ect0 || ecn == wire::Ecn::Ect1;
        if (ecn != wire::Ecn::Ce && happens(ect ? faults_.ect_marked : faults_.not_ect_marked))
            set_outer_ecn(transit.bytes, wire::Ecn::Ce);
        if (happens(faults_.route_changed)) hops_ = 1 + random_.below(8);
        count_ttl_down(transit.bytes, static_cast<std::uint8_t>(hops_));
        if (happens(faults_.data_corrupted)) {
            const std::size_t at = transit.bytes.size() - 1 - random_.below(kPayloadTail);
            transit.bytes[at] ^= static_cast<std::uint8_t>(1U << random_.below(8));
            // A router that damages a packet in its own memory computes a good checksum over it.
            if (!transit.seen.ip.source.is_ipv4()) mend_udp(transit.bytes);
        }
    }

    LineFaults faults_;
    Random random_;
    std::uint32_t hops_ = 4;
};

}  // namespace

Hook faulty_line(const LineFaults& faults, std::uint64_t seed) {
    return [line = FaultyLine(faults, seed)](Transit& transit) mutable { return line.carry(transit); };
}

}  // namespace dyetrace::test
