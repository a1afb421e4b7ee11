// SPDX-License-Identifier: GPL-2.0-or-later
// What the module's tests share: a fabric to try, frames to send through it, and a place for them to arrive.
#ifndef DYETRACE_TEST_TRAFFIC_H
#define DYETRACE_TEST_TRAFFIC_H

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ns3/dyetrace-fabric.h>
#include <ns3/nstime.h>

#include "core/wire/ipv4.h"

namespace ns3 {
namespace dyetrace_test {

/// One UDP datagram in IPv4 in Ethernet.
struct Datagram {
    uint32_t from = 0;  ///< host
    uint32_t to = 0;    ///< host
    uint16_t sourcePort = 49152;
    uint16_t destinationPort = 6081;
    uint8_t ttl = 64;
    uint16_t identification = 0;
    uint32_t payload = 1000;  ///< bytes, not stored
};

/// Frame bytes, without preamble, FCS and gap, of a datagram with this payload.
constexpr uint32_t FrameBytes(uint32_t payload) {
    return 42 + payload;
}
/// The payload of a frame that takes 1250 bytes on the wire: 1 us at 10 Gbps, without rounding.
constexpr uint32_t MicrosecondPayload = 1250 - 24 - 42;

/// A fabric whose hosts keep what they get.
class TestFabric {
  public:
    struct Arrival {
        int64_t timeNs;
        uint32_t host;
        std::vector<uint8_t> head;
        uint32_t length;
    };

    /// \param attributes name and value, as text; links are of 10 Gbps unless these say otherwise
    /// \param topology null: the fat-tree that they describe
    TestFabric(std::initializer_list<std::pair<std::string, std::string>> attributes,
               const DyetraceTopology* topology = nullptr);
    ~TestFabric();  ///< disposes of the fabric and destroys the simulator

    DyetraceFabric& operator*() const { return *m_fabric; }
    DyetraceFabric* operator->() const { return PeekPointer(m_fabric); }
    uint32_t Node(const std::string& name) const;
    uint32_t Link(const std::string& from, const std::string& to) const;

    /// A frame of one datagram, all checksums right.
    DyetracePacket* Make(const Datagram& datagram);
    /// Sends one at a time.
    void SendAt(Time time, const Datagram& datagram);
    /// Sends any packet at a time.
    void SendAt(Time time, uint32_t host, DyetracePacket* packet);
    /// \param attributes of the fault, and its Kind: "silent-drop" where that is not given
    void AddFault(const std::vector<std::pair<std::string, std::string>>& attributes);
    /// Has each packet that a switch forwards, or that is dropped, shown to a function.
    void OnForward(std::function<void(uint32_t in, uint32_t out, const DyetracePacket&)> seen);
    void OnDrop(std::function<void(uint32_t link, DyetraceDropCause, const DyetracePacket&)> seen);
    /// Runs until nothing happens any more.
    void Run();

    const std::vector<Arrival>& GetArrivals() const { return m_arrivals; }
    void ClearArrivals() { m_arrivals.clear(); }

  private:
    class Host;

    void SendDatagram(Datagram datagram) { m_fabric->Send(datagram.from, Make(datagram)); }
    void SendPacket(uint32_t host, DyetracePacket* packet) { m_fabric->Send(host, packet); }
    void NoteForward(uint32_t in, uint32_t out, const DyetracePacket& packet) {
        m_onForward(in, out, packet);
    }
    void NoteDrop(uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet) {
        m_onDrop(link, cause, packet);
    }

    Ptr<DyetraceFabric> m_fabric;
    std::vector<std::unique_ptr<Host>> m_hosts;
    std::vector<Arrival> m_arrivals;
    std::function<void(uint32_t, uint32_t, const DyetracePacket&)> m_onForward;
    std::function<void(uint32_t, DyetraceDropCause, const DyetracePacket&)> m_onDrop;
};

/// The IPv4 header in a frame. The caller has checked that it is right.
dyetrace::wire::Ipv4Header Ipv4Of(const std::vector<uint8_t>& frame);
/// Whether a frame's IPv4 header is right, checksum included.
bool IsIpv4Right(const uint8_t* frame, uint32_t headLength, uint32_t length);

}  // namespace dyetrace_test
}  // namespace ns3

#endif  // DYETRACE_TEST_TRAFFIC_H
