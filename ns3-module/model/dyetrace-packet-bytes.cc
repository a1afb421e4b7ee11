// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-packet-bytes.h"

#include <algorithm>
#include <cstring>

#include "dyetrace-frame-tag.h"
#include "dyetrace-packet.h"

namespace ns3 {

struct DyetracePacketBytes::Header {
    uint64_t truthOrdinal;
    uint32_t truthFlow;
    uint32_t truthMark;
    uint32_t begin;
    uint32_t head;
    uint32_t tail;

    std::size_t Size() const { return (sizeof *this + head + 3) / 4 * 4; }
};

void DyetracePacketBytes::Append(std::vector<uint8_t>& bytes, const DyetracePacket& packet) {
    const Header header{packet.m_truthOrdinal, packet.m_truthFlow,  packet.m_truthMark,
                        packet.begin,          packet.HeadLength(), packet.tail};
    const std::size_t at = bytes.size();
    bytes.resize(at + header.Size());
    std::memcpy(bytes.data() + at, &header, sizeof header);
    std::memcpy(bytes.data() + at + sizeof header, packet.Frame(), header.head);
}

DyetracePacket* DyetracePacketBytes::Take(DyetracePacketPool& pool, dyetrace::Bytes& bytes) {
    Header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    DyetracePacket* packet = pool.Allocate(header.begin, header.head, header.tail);
    std::memcpy(packet->Frame(), bytes.data() + sizeof header, header.head);
    packet->m_truthFlow = header.truthFlow;
    packet->m_truthOrdinal = header.truthOrdinal;
    packet->m_truthMark = header.truthMark;
    bytes = bytes.subspan(header.Size());
    return packet;
}

void DyetraceFrameBytes::Append(std::vector<uint8_t>& bytes, DyetracePacketPool& pool, const Packet& frame) {
    const bool isOurs = DyetraceFrameTag::IsAllOf(frame);
    const uint32_t serializedBytes = isOurs ? 0 : frame.GetSerializedSize();
    const std::size_t at = bytes.size();
    const std::size_t begin = at + sizeof serializedBytes;
    bytes.resize(begin + serializedBytes);
    std::memcpy(bytes.data() + at, &serializedBytes, sizeof serializedBytes);
    if (isOurs) {
        DyetracePacket* packet = DyetraceFrameTag::FromPacket(pool, frame);
        DyetracePacketBytes::Append(bytes, *packet);
        pool.Free(packet);
    } else {
        frame.Serialize(bytes.data() + begin, serializedBytes);
    }
}

Ptr<Packet> DyetraceFrameBytes::Take(DyetracePacketPool& pool, dyetrace::Bytes& bytes) {
    uint32_t serializedBytes = 0;
    std::memcpy(&serializedBytes, bytes.data(), sizeof serializedBytes);
    bytes = bytes.subspan(sizeof serializedBytes);
    Ptr<Packet> frame;
    if (serializedBytes == 0) {
        DyetracePacket* packet = DyetracePacketBytes::Take(pool, bytes);
        frame = DyetraceFrameTag::ToPacket(*packet);
        pool.Free(packet);
    } else {
        frame = Create<Packet>(bytes.data(), serializedBytes, true);
        bytes = bytes.subspan(serializedBytes);
    }
    return frame;
}

}  // namespace ns3
