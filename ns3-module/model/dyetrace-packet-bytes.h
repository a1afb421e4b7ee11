// SPDX-License-Identifier: GPL-2.0-or-later
// A packet of either kind as bytes, for another process of the same program. Not installed.
#ifndef DYETRACE_PACKET_BYTES_H
#define DYETRACE_PACKET_BYTES_H

#include <cstdint>
#include <vector>

#include <ns3/packet.h>
#include <ns3/ptr.h>

#include "core/base/bytes.h"

namespace ns3 {

struct DyetracePacket;
class DyetracePacketPool;

/// All that a packet is: its bytes, its place in the buffer, the length of its payload, and unseen what the
/// simulator knows of it. A multiple of four bytes.
class DyetracePacketBytes {
  public:
    static void Append(std::vector<uint8_t>& bytes, const DyetracePacket& packet);
    /// Reads one from the front of `bytes`, which then begins after it.
    static DyetracePacket* Take(DyetracePacketPool& pool, dyetrace::Bytes& bytes);

  private:
    struct Header;
};

/// An ns3::Packet with its tags. One that is a DyetracePacket under way goes as that, without its payload,
/// which is a tenth of the bytes; another as ns-3 serialises it. A multiple of four bytes, as ns-3 wants
/// them.
class DyetraceFrameBytes {
  public:
    static void Append(std::vector<uint8_t>& bytes, DyetracePacketPool& pool, const Packet& frame);
    /// Reads one from the front of `bytes`, which then begins after it.
    static Ptr<Packet> Take(DyetracePacketPool& pool, dyetrace::Bytes& bytes);
};

}  // namespace ns3

#endif  // DYETRACE_PACKET_BYTES_H
