// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_PACKET_H
#define DYETRACE_PACKET_H

#include <cstdint>
#include <memory>
#include <vector>

namespace ns3 {

/**
 * \ingroup dyetrace
 * One frame in the lean fabric: real header bytes, and the length of a payload that is never stored.
 *
 * \verbatim
 *   Data()        Data()+begin            Data()+end
 *     | headroom    | head: real bytes       | tail: `tail` bytes of DyetracePayload, on the wire only
 * \endverbatim
 *
 * The frame starts with its Ethernet header and has no FCS. Packets belong to a DyetracePacketPool and are
 * passed on by pointer: whoever is handed a packet owns it, and sends it on or frees it.
 */
struct alignas(64) DyetracePacket {
    /// \name For whoever holds the packet now: an intrusive queue's link, and when the packet arrives.
    /// @{
    DyetracePacket* next;
    int64_t arrivalNs;
    int64_t nextArrivalNs;  ///< that of `next`, which need not be looked at for it
    /// @}
    uint32_t begin;     ///< offset of the frame's first byte
    uint32_t end;       ///< offset past the last byte stored
    uint32_t tail;      ///< payload bytes that follow and are not stored
    uint32_t capacity;  ///< bytes that Data() has

    uint8_t* Data() { return reinterpret_cast<uint8_t*>(this + 1); }
    const uint8_t* Data() const { return reinterpret_cast<const uint8_t*>(this + 1); }
    uint8_t* Frame() { return Data() + begin; }
    const uint8_t* Frame() const { return Data() + begin; }
    uint32_t HeadLength() const { return end - begin; }
    uint32_t Length() const { return end - begin + tail; }
    /// The whole frame, payload included.
    std::vector<uint8_t> Materialise() const;

  private:
    friend class DyetracePacketPool;
    friend class DyetraceFrameTag;     // takes it through an ns3::Packet, unseen
    friend class DyetracePacketBytes;  // and to another process
    friend class DyetraceTruth;  // and nobody else reads or writes what the simulator knows of this packet

    uint64_t m_truthOrdinal;  ///< how many-th data packet of its 5-tuple; 0: none
    uint32_t m_truthFlow;     ///< the 5-tuple's index in DyetraceTruth
    uint32_t m_truthMark;     ///< what else DyetraceTruth wants to know of it on arrival
};

/**
 * \ingroup dyetrace
 * Gives out packets of two sizes and takes them back; allocates only while the number in use grows.
 */
class DyetracePacketPool {
  public:
    static constexpr uint32_t Small = 320;   ///< bytes of a packet that carries headers only
    static constexpr uint32_t Large = 2048;  ///< bytes of a packet that carries all it has

    DyetracePacketPool();
    ~DyetracePacketPool();
    DyetracePacketPool(const DyetracePacketPool&) = delete;
    DyetracePacketPool& operator=(const DyetracePacketPool&) = delete;

    /**
     * \param headroom bytes kept free in front of the frame
     * \param head bytes of the frame that are stored; headroom + head is at most Large
     * \param tail payload bytes that are not stored
     * \return a packet whose head is not initialised
     */
    DyetracePacket* Allocate(uint32_t headroom, uint32_t head, uint32_t tail = 0);
    /// Another packet with the same bytes, and with what the truth knows of this one.
    DyetracePacket* Copy(const DyetracePacket& packet);
    void Free(DyetracePacket* packet);

    uint64_t GetInUse() const { return m_inUse; }
    uint64_t GetAllocatedBytes() const { return m_allocatedBytes; }

  private:
    struct BlockDeleter {
        std::size_t bytes;
        void operator()(uint8_t* block) const;
    };
    DyetracePacket* Grow(uint32_t capacity);

    DyetracePacket* m_free[2];    ///< small, large
    std::size_t m_blockBytes[2];  ///< of the next block of each
    std::vector<std::unique_ptr<uint8_t, BlockDeleter>> m_blocks;
    uint64_t m_inUse;
    uint64_t m_allocatedBytes;
};

/**
 * \ingroup dyetrace
 * The payload bytes that packets do not store: one fixed pattern, of which a packet's tail is the beginning.
 */
class DyetracePayload {
  public:
    static constexpr uint32_t MaxLength = 65536;  ///< bytes

    /// The pattern, MaxLength bytes.
    static const uint8_t* Bytes();
    /// The Internet checksum's unfolded sum (RFC 1071) of the first `length` bytes, as it counts where the
    /// tail starts at an even offset of what the checksum covers.
    static uint32_t ChecksumSum(uint32_t length);
};

}  // namespace ns3

#endif  // DYETRACE_PACKET_H
