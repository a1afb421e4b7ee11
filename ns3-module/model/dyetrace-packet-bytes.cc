// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-packet-bytes.h"

#include <algorithm>
#include <cstring>

#include "dyetrace-packet.h"

namespace ns3 {

struct DyetracePacketBytes::Header {
    uint64_t truthOrdinal;
    uint32_t truthFlow;
    uint32_t truthMark;
    uint32_t begin;
    uint32_t head;
    uint32_t tail;
};

void DyetracePacketBytes::Append(std::vector<uint8_t>& bytes, const DyetracePacket& packet) {
    const Header header{packet.m_truthOrdinal, packet.m_truthFlow,  packet.m_truthMark,
                        packet.begin,          packet.HeadLength(), packet.tail};
    const std::size_t at = bytes.size();
    bytes.resize(at + sizeof header + header.head);
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
    bytes = bytes.subspan(sizeof header + header.head);
    return packet;
}

}  // namespace ns3
