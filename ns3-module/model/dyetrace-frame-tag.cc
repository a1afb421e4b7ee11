// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-frame-tag.h"

#include <algorithm>
#include <vector>

namespace ns3 {

NS_OBJECT_ENSURE_REGISTERED(DyetraceFrameTag);

TypeId DyetraceFrameTag::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceFrameTag")
                            .SetParent<Tag>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceFrameTag>();
    return tid;
}

TypeId DyetraceFrameTag::GetInstanceTypeId() const {
    return GetTypeId();
}

uint32_t DyetraceFrameTag::GetSerializedSize() const {
    return 4 + 4 + 8 + 4 + 4;
}

void DyetraceFrameTag::Serialize(TagBuffer buffer) const {
    buffer.WriteU32(m_head);
    buffer.WriteU32(m_tail);
    buffer.WriteU64(m_truthOrdinal);
    buffer.WriteU32(m_truthFlow);
    buffer.WriteU32(m_truthMark);
}

void DyetraceFrameTag::Deserialize(TagBuffer buffer) {
    m_head = buffer.ReadU32();
    m_tail = buffer.ReadU32();
    m_truthOrdinal = buffer.ReadU64();
    m_truthFlow = buffer.ReadU32();
    m_truthMark = buffer.ReadU32();
}

void DyetraceFrameTag::Print(std::ostream& os) const {
    os << "payload=" << m_tail;
}

Ptr<Packet> DyetraceFrameTag::ToPacket(const DyetracePacket& packet) {
    thread_local std::vector<uint8_t> bytes;  // kept: malloc is slow with what is longer than a kilobyte
    bytes.assign(packet.Frame(), packet.Frame() + packet.HeadLength());
    bytes.insert(bytes.end(), DyetracePayload::Bytes(), DyetracePayload::Bytes() + packet.tail);
    Ptr<Packet> made = Create<Packet>(bytes.data(), static_cast<uint32_t>(bytes.size()));
    DyetraceFrameTag tag;
    tag.m_head = packet.HeadLength();
    tag.m_tail = packet.tail;
    tag.m_truthOrdinal = packet.m_truthOrdinal;
    tag.m_truthFlow = packet.m_truthFlow;
    tag.m_truthMark = packet.m_truthMark;
    made->AddPacketTag(tag);
    return made;
}

DyetracePacket* DyetraceFrameTag::FromPacket(DyetracePacketPool& pool, const Packet& packet) {
    DyetraceFrameTag tag;
    packet.PeekPacketTag(tag);
    // Padding or a cut may have made the frame another than the tag was made for; the bytes decide.
    const uint32_t tail = std::min(tag.m_tail, packet.GetSize());
    const uint32_t head = std::min(packet.GetSize() - tail, DyetracePacketPool::Large);
    DyetracePacket* made = pool.Allocate(0, head, packet.GetSize() - head);
    packet.CopyData(made->Frame(), head);
    made->m_truthOrdinal = tag.m_truthOrdinal;
    made->m_truthFlow = tag.m_truthFlow;
    made->m_truthMark = tag.m_truthMark;
    return made;
}

bool DyetraceFrameTag::IsAllOf(const Packet& packet) {
    PacketTagIterator tags = packet.GetPacketTagIterator();
    if (!tags.HasNext() || packet.GetByteTagIterator().HasNext()) return false;
    PacketTagIterator::Item item = tags.Next();
    if (item.GetTypeId() != GetTypeId() || tags.HasNext()) return false;
    DyetraceFrameTag tag;
    item.GetTag(tag);
    return packet.GetSize() == tag.m_head + tag.m_tail;
}

}  // namespace ns3
