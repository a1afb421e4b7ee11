// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-capture.h"

#include <utility>

#include <ns3/abort.h>

#include "dyetrace-packet.h"

namespace ns3 {

namespace {

constexpr uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr uint32_t kSnapLength = 262144;  ///< the most that readers accept
constexpr uint32_t kLinkTypeEthernet = 1;
constexpr int64_t kNsPerSecond = 1'000'000'000;

}  // namespace

DyetraceCapture::DyetraceCapture(std::string file, uint64_t packetsMax)
    : m_file(std::move(file)),
      m_stream(m_file, std::ios::binary | std::ios::trunc),
      m_packetsMax(packetsMax) {
    NS_ABORT_MSG_UNLESS(m_stream, "cannot write the capture " << m_file);
    WriteU32(kMagicNanoseconds);
    WriteU32(2U | 4U << 16);  // version 2.4: two 16-bit numbers
    WriteU32(0);              // time zone
    WriteU32(0);              // accuracy
    WriteU32(kSnapLength);
    WriteU32(kLinkTypeEthernet);
}

DyetraceCapture::~DyetraceCapture() = default;

void DyetraceCapture::Sending(int64_t startNs, const DyetracePacket& packet) {
    if (Admit()) m_queued.push_back({startNs, packet.Materialise()});
}

void DyetraceCapture::Received(int64_t nowNs, const DyetracePacket& packet) {
    WriteSentBy(nowNs);
    if (Admit()) Write(nowNs, packet.Materialise());
}

void DyetraceCapture::QueueLost(int64_t nowNs) {
    WriteSentBy(nowNs);
    m_queued.clear();
}

void DyetraceCapture::Flush(int64_t nowNs) {
    WriteSentBy(nowNs);
    m_stream.flush();
    NS_ABORT_MSG_UNLESS(m_stream, "cannot write the capture " << m_file);
}

bool DyetraceCapture::Admit() {
    const bool room = m_packets + m_queued.size() < m_packetsMax;
    m_capped = m_capped || !room;
    return room;
}

void DyetraceCapture::WriteSentBy(int64_t nowNs) {
    while (!m_queued.empty() && m_queued.front().timeNs <= nowNs) {
        Write(m_queued.front().timeNs, m_queued.front().bytes);
        m_queued.pop_front();
    }
}

void DyetraceCapture::Write(int64_t timeNs, const std::vector<uint8_t>& bytes) {
    const auto length = static_cast<uint32_t>(bytes.size());
    WriteU32(static_cast<uint32_t>(timeNs / kNsPerSecond));
    WriteU32(static_cast<uint32_t>(timeNs % kNsPerSecond));
    WriteU32(length);
    WriteU32(length);
    m_stream.write(reinterpret_cast<const char*>(bytes.data()), length);
    ++m_packets;
}

// Little-endian, whatever the machine: the same run gives the same file everywhere.
void DyetraceCapture::WriteU32(uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8)
        m_stream.put(static_cast<char>(value >> shift & 0xff));
}

}  // namespace ns3
