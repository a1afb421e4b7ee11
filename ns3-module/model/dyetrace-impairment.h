// SPDX-License-Identifier: GPL-2.0-or-later
// What faults do to the packets of one directed link, decided packet by packet at the link's far end. The
// lean links and the stock ones share it. Not installed.
//
// Every decision is a hash of (seed, cable, direction, ordinal of the packet at the end of the link, fault),
// so that it depends on nothing but the packets themselves.
#ifndef DYETRACE_IMPAIRMENT_H
#define DYETRACE_IMPAIRMENT_H

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/tracking/flow_filter.h"

namespace ns3 {

struct DyetracePacket;
class DyetraceTopology;

/// One fault's effect on a link.
struct DyetraceImpairment {
    enum class Kind : uint8_t {
        Loss,         ///< loses a packet
        FrameErrors,  ///< loses a packet, and the port that it was to come in at counts it
        FlowLoss,     ///< loses the packets of some flows: those of `filter`, or a share by hash
        ControlLoss,  ///< loses control packets between EPPCs (RFC 8926: the O bit)
        Corruption,   ///< inverts one bit behind the Ethernet header
        Delay,        ///< adds delay and jitter, in order
        Reordering,   ///< holds a packet back, so that others overtake it
        Duplication,  ///< delivers a packet twice
        EcnMarking,   ///< marks CE without congestion
        EcnBleaching  ///< clears the ECN field
    };
    Kind kind = Kind::Loss;
    uint32_t faultId = 0;
    double probability = 1;
    int64_t delayNs = 0;
    int64_t jitterNs = 0;  ///< uniform in [0, jitter] on top
    std::optional<dyetrace::tracking::FlowFilter> filter;
};

/// What becomes of one packet.
struct DyetraceVerdict {
    bool isLost = false;
    bool isDuplicated = false;
    bool isHeld = false;  ///< not passed on before the time that follows
    int64_t releaseNs = 0;
};

class DyetraceImpairments {
  public:
    /// \param seed of the fabric
    DyetraceImpairments(const DyetraceTopology& topology, uint64_t seed);

    void Add(uint32_t link, const DyetraceImpairment& impairment);
    void Remove(uint32_t link, uint32_t faultId);
    bool IsImpaired(uint32_t link) const { return m_links.count(link) != 0; }

    /// Decides on a packet that comes out of `link`, and changes its bytes where a fault does.
    /// \param ordinal of the packet on the link, from 1
    DyetraceVerdict Judge(uint32_t link, uint64_t ordinal, DyetracePacket& packet, int64_t nowNs);
    /// Packets of which the port at the link's end saw that they were damaged.
    uint64_t GetFrameErrors(uint32_t link) const;

  private:
    struct Active {
        DyetraceImpairment what;
        uint64_t threshold;         ///< a packet is meant where its hash is below
        int64_t lastReleaseNs = 0;  ///< of what Delay holds: order is kept
    };
    struct LinkState {
        uint64_t seed = 0;
        std::vector<Active> active;
    };

    static bool IsMeant(const Active& active, uint64_t hash, const DyetracePacket& packet);
    /// \param heldBackNs grows by what comes on top of all delays
    static void Apply(Active& active, uint64_t hash, DyetracePacket& packet, DyetraceVerdict& verdict,
                      int64_t& heldBackNs);

    const DyetraceTopology& m_topology;
    uint64_t m_seed;
    std::map<uint32_t, LinkState> m_links;
    std::map<uint32_t, uint64_t> m_frameErrors;  ///< by link, since the start
};

}  // namespace ns3

#endif  // DYETRACE_IMPAIRMENT_H
