// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-packet.h"

#include <algorithm>
#include <array>

#include <ns3/abort.h>

#include "dyetrace-large-pages.h"

#include "core/base/random.h"

namespace ns3 {

static_assert(sizeof(DyetracePacket) == 64, "one cache line of bookkeeping in front of the frame's bytes");

namespace {

/// Blocks double from this to a large page.
constexpr std::size_t kFirstBlock = std::size_t{1} << 15;

}  // namespace

std::vector<uint8_t> DyetracePacket::Materialise() const {
    NS_ABORT_MSG_IF(tail > DyetracePayload::MaxLength,
                    "a frame's payload of " << tail << " bytes is too long");
    std::vector<uint8_t> bytes(Frame(), Frame() + HeadLength());
    bytes.insert(bytes.end(), DyetracePayload::Bytes(), DyetracePayload::Bytes() + tail);
    return bytes;
}

void DyetracePacketPool::BlockDeleter::operator()(uint8_t* block) const {
    DyetraceFreePages(block, bytes);
}

DyetracePacketPool::DyetracePacketPool()
    : m_free{nullptr, nullptr}, m_blockBytes{kFirstBlock, kFirstBlock}, m_inUse(0), m_allocatedBytes(0) {}

DyetracePacketPool::~DyetracePacketPool() = default;

DyetracePacket* DyetracePacketPool::Allocate(uint32_t headroom, uint32_t head, uint32_t tail) {
    const uint32_t needed = headroom + head;
    NS_ABORT_MSG_IF(needed > Large, "a packet of " << needed << " stored bytes exceeds the pool's " << Large);
    const uint32_t capacity = needed <= Small ? Small : Large;
    DyetracePacket*& free = m_free[capacity == Large];
    DyetracePacket* packet = free != nullptr ? free : Grow(capacity);
    free = packet->next;
    packet->next = nullptr;
    packet->begin = headroom;
    packet->end = needed;
    packet->tail = tail;
    packet->m_truthOrdinal = 0;
    packet->m_truthFlow = 0;
    packet->m_truthMark = 0;
    ++m_inUse;
    return packet;
}

DyetracePacket* DyetracePacketPool::Copy(const DyetracePacket& packet) {
    DyetracePacket* copy = Allocate(packet.begin, packet.HeadLength(), packet.tail);
    std::copy(packet.Frame(), packet.Frame() + packet.HeadLength(), copy->Frame());
    copy->m_truthOrdinal = packet.m_truthOrdinal;
    copy->m_truthFlow = packet.m_truthFlow;
    copy->m_truthMark = packet.m_truthMark;
    return copy;
}

void DyetracePacketPool::Free(DyetracePacket* packet) {
    DyetracePacket*& free = m_free[packet->capacity == Large];
    packet->next = free;
    free = packet;
    --m_inUse;
}

DyetracePacket* DyetracePacketPool::Grow(uint32_t capacity) {
    const std::size_t stride = sizeof(DyetracePacket) + capacity;
    std::size_t& size = m_blockBytes[capacity == Large];
    m_blocks.emplace_back(static_cast<uint8_t*>(DyetraceAllocatePages(size)), BlockDeleter{size});
    m_allocatedBytes += size;
    DyetracePacket* first = nullptr;
    for (std::size_t i = size / stride; i-- > 0;) {
        auto* packet = new (m_blocks.back().get() + i * stride) DyetracePacket;
        packet->capacity = capacity;
        packet->next = first;
        first = packet;
    }
    size = std::min(size * 2, DyetraceLargePage);
    return first;
}

namespace {

struct Pattern {
    std::array<uint8_t, DyetracePayload::MaxLength> bytes;
    std::array<uint32_t, DyetracePayload::MaxLength / 2 + 1> sums;  ///< of the first n 16-bit words

    Pattern() : bytes(), sums() {
        for (uint32_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<uint8_t>(dyetrace::mix64(i + 1));
        for (std::size_t word = 0; word + 1 < sums.size(); ++word) {
            sums[word + 1] = sums[word] + (static_cast<uint32_t>(bytes[2 * word]) << 8) + bytes[2 * word + 1];
        }
    }
};

const Pattern& ThePattern() {
    static const Pattern pattern;
    return pattern;
}

}  // namespace

const uint8_t* DyetracePayload::Bytes() {
    return ThePattern().bytes.data();
}

uint32_t DyetracePayload::ChecksumSum(uint32_t length) {
    NS_ABORT_MSG_IF(length > MaxLength, "a payload of " << length << " bytes exceeds the pattern");
    const Pattern& pattern = ThePattern();
    const uint32_t sum = pattern.sums[length / 2];
    return length % 2 == 0 ? sum : sum + (static_cast<uint32_t>(pattern.bytes[length - 1]) << 8);
}

}  // namespace ns3
