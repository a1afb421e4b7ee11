// SPDX-License-Identifier: GPL-2.0-or-later
// A packet as bytes, for another process of the same program. Not installed.
#ifndef DYETRACE_PACKET_BYTES_H
#define DYETRACE_PACKET_BYTES_H

#include <cstdint>
#include <vector>

#include "core/base/bytes.h"

namespace ns3 {

struct DyetracePacket;
class DyetracePacketPool;

/// All that a packet is: its bytes, its place in the buffer, the length of its payload, and unseen what the
/// simulator knows of it.
class DyetracePacketBytes {
  public:
    static void Append(std::vector<uint8_t>& bytes, const DyetracePacket& packet);
    /// Reads one from the front of `bytes`, which then begins after it.
    static DyetracePacket* Take(DyetracePacketPool& pool, dyetrace::Bytes& bytes);

  private:
    struct Header;
};

}  // namespace ns3

#endif  // DYETRACE_PACKET_BYTES_H
