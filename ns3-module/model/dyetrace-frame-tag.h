// SPDX-License-Identifier: GPL-2.0-or-later
// Between the fabric's two kinds of packets. Not installed.
#ifndef DYETRACE_FRAME_TAG_H
#define DYETRACE_FRAME_TAG_H

#include <cstdint>

#include <ns3/packet.h>
#include <ns3/tag.h>

#include "dyetrace-packet.h"

namespace ns3 {

/**
 * What a DyetracePacket has beyond its bytes, kept beside an ns3::Packet: how much of its end is
 * DyetracePayload, which goes through real nodes as real bytes, and what the simulator knows of it.
 */
class DyetraceFrameTag : public Tag {
  public:
    static TypeId GetTypeId();
    TypeId GetInstanceTypeId() const override;
    uint32_t GetSerializedSize() const override;
    void Serialize(TagBuffer buffer) const override;
    void Deserialize(TagBuffer buffer) override;
    void Print(std::ostream& os) const override;

    /// The frame as an ns3::Packet, with a tag. The DyetracePacket remains the caller's.
    static Ptr<Packet> ToPacket(const DyetracePacket& packet);
    /// And back, from `pool`. A frame without a tag, which a node's own stack sent, is stored whole as far as
    /// the pool's packets reach; what is longer is cut short in the copy, in length and not in bytes.
    static DyetracePacket* FromPacket(DyetracePacketPool& pool, const Packet& packet);
    /// Whether there and back nothing is lost: the frame has this tag and no other, and has not been cut.
    static bool IsAllOf(const Packet& packet);

  private:
    uint32_t m_head = 0;
    uint32_t m_tail = 0;
    uint64_t m_truthOrdinal = 0;
    uint32_t m_truthFlow = 0;
    uint32_t m_truthMark = 0;
};

}  // namespace ns3

#endif  // DYETRACE_FRAME_TAG_H
