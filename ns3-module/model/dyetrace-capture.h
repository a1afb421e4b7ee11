// SPDX-License-Identifier: GPL-2.0-or-later
// Writes what passes one port to a pcap file. Not installed.
#ifndef DYETRACE_CAPTURE_H
#define DYETRACE_CAPTURE_H

#include <cstdint>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

namespace ns3 {

struct DyetracePacket;

/**
 * A port as a capture on its switch would see it: frames it sends, stamped when their first bit leaves, and
 * frames it receives, stamped when their last bit is in. A frame that the link loses is in the sender's file
 * and not in the receiver's. Whole frames, in the order of their stamps, as a pcap file with nanoseconds
 * (LINKTYPE_ETHERNET).
 */
class DyetraceCapture {
  public:
    /// Aborts with the file's name where it can't be written.
    DyetraceCapture(std::string file, uint64_t packetsMax);
    ~DyetraceCapture();

    /// A frame was queued at the port and will begin to leave at `startNs`; `startNs` never decreases.
    void Sending(int64_t startNs, const DyetracePacket& packet);
    void Received(int64_t nowNs, const DyetracePacket& packet);
    /// The port's queue was thrown away: what would have left after `nowNs` never did.
    void QueueLost(int64_t nowNs);
    /// Writes all that has left by `nowNs` through to the file.
    void Flush(int64_t nowNs);

    const std::string& GetFile() const { return m_file; }
    uint64_t GetPackets() const { return m_packets; }
    /// Whether there was a packet that the limit kept out.
    bool IsCapped() const { return m_capped; }

  private:
    struct Frame {
        int64_t timeNs;
        std::vector<uint8_t> bytes;
    };

    /// Whether there is room for one more, in the file or behind it in the queue.
    bool Admit();
    void WriteSentBy(int64_t nowNs);
    void Write(int64_t timeNs, const std::vector<uint8_t>& bytes);
    void WriteU32(uint32_t value);

    std::string m_file;
    std::ofstream m_stream;
    std::deque<Frame> m_queued;  ///< frames that have not yet begun to leave
    uint64_t m_packetsMax;
    uint64_t m_packets = 0;
    bool m_capped = false;
};

}  // namespace ns3

#endif  // DYETRACE_CAPTURE_H
