// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-test-traffic.h"

#include <algorithm>

#include <ns3/abort.h>
#include <ns3/dyetrace-fault.h>
#include <ns3/object-factory.h>
#include <ns3/simulator.h>
#include <ns3/string.h>

#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/udp.h"

namespace ns3 {
namespace dyetrace_test {

namespace wire = dyetrace::wire;

namespace {

dyetrace::MacAddress ToMac(Mac48Address from) {
    dyetrace::MacAddress mac;
    from.CopyTo(mac.octets.data());
    return mac;
}

template <class T>
Ptr<T> CreateWith(const std::vector<std::pair<std::string, std::string>>& attributes) {
    ObjectFactory factory;
    factory.SetTypeId(T::GetTypeId());
    for (const auto& [name, value] : attributes)
        factory.Set(name, StringValue(value));
    return factory.Create<T>();
}

/// At 10 Gbps a byte takes a whole number of tenths of a nanosecond, and the tests' sums stay simple.
std::vector<std::pair<std::string, std::string>> WithRate(
    std::initializer_list<std::pair<std::string, std::string>> attributes) {
    std::vector<std::pair<std::string, std::string>> all{{"LinkRate", "10Gbps"}};
    all.insert(all.end(), attributes.begin(), attributes.end());
    return all;
}

}  // namespace

class TestFabric::Host : public DyetraceReceiver {
  public:
    Host(TestFabric& fabric, uint32_t number) : m_fabric(fabric), m_number(number) {}

    void Receive(DyetracePacket* packet) override {
        m_fabric.m_arrivals.push_back({Simulator::Now().GetNanoSeconds(),
                                       m_number,
                                       {packet->Frame(), packet->Frame() + packet->HeadLength()},
                                       packet->Length()});
        m_fabric->GetPool().Free(packet);
    }

  private:
    TestFabric& m_fabric;
    uint32_t m_number;
};

TestFabric::TestFabric(std::initializer_list<std::pair<std::string, std::string>> attributes,
                       const DyetraceTopology* topology)
    : m_fabric(CreateWith<DyetraceFabric>(WithRate(attributes))) {
    if (topology != nullptr) m_fabric->SetTopology(*topology);
    m_fabric->Build();
    for (uint32_t host = 0; host < m_fabric->GetTopology().GetNHosts(); ++host) {
        m_hosts.push_back(std::make_unique<Host>(*this, host));
        m_fabric->Attach(host, m_hosts.back().get());
    }
}

TestFabric::~TestFabric() {
    m_fabric->Dispose();
    Simulator::Destroy();
}

uint32_t TestFabric::Node(const std::string& name) const {
    const uint32_t node = m_fabric->GetTopology().FindNode(name);
    NS_ABORT_MSG_IF(node == DyetraceTopology::None, "no node is called " << name);
    return node;
}

uint32_t TestFabric::Link(const std::string& from, const std::string& to) const {
    const uint32_t link = m_fabric->GetTopology().FindLink(Node(from), Node(to));
    NS_ABORT_MSG_IF(link == DyetraceTopology::None, "no link goes from " << from << " to " << to);
    return link;
}

DyetracePacket* TestFabric::Make(const Datagram& datagram) {
    const DyetraceTopology& topology = m_fabric->GetTopology();
    DyetracePacket* packet = m_fabric->GetPool().Allocate(0, 42, datagram.payload);
    const dyetrace::MutableBytes frame{packet->Frame(), 42};
    wire::EthernetHeader{ToMac(m_fabric->GetGatewayMac(datagram.from)), ToMac(topology.GetMac(datagram.from)),
                         wire::kEtherTypeIpv4}
        .encode_into(frame);
    wire::Ipv4Header ip;
    ip.total_length = static_cast<uint16_t>(28 + datagram.payload);
    ip.identification = datagram.identification;
    ip.ttl = datagram.ttl;
    ip.protocol = wire::kProtocolUdp;
    ip.source = dyetrace::Ipv4Address{topology.GetNode(datagram.from).address.Get()};
    ip.destination = dyetrace::Ipv4Address{topology.GetNode(datagram.to).address.Get()};
    ip.encode_into(frame.subspan(14));
    wire::UdpHeader udp{datagram.sourcePort, datagram.destinationPort,
                        static_cast<uint16_t>(8 + datagram.payload), 0};
    udp.encode_into(frame.subspan(34));
    // RFC 768: pseudo header, header, payload.
    uint64_t sum = wire::checksum_add(frame.subspan(26, 8), uint64_t{wire::kProtocolUdp} + udp.length);
    sum = wire::checksum_add(frame.subspan(34, 8), sum) + DyetracePayload::ChecksumSum(datagram.payload);
    udp.checksum = wire::checksum_finish(sum);
    udp.encode_into(frame.subspan(34));
    return packet;
}

void TestFabric::SendAt(Time time, const Datagram& datagram) {
    // A method, not a lambda: up to ns-3.35 an event cannot be one.
    Simulator::Schedule(time - Simulator::Now(), &TestFabric::SendDatagram, this, datagram);
}

void TestFabric::SendAt(Time time, uint32_t host, DyetracePacket* packet) {
    Simulator::Schedule(time - Simulator::Now(), &TestFabric::SendPacket, this, host, packet);
}

void TestFabric::AddFault(const std::vector<std::pair<std::string, std::string>>& attributes) {
    std::string kind = "silent-drop";
    for (const auto& [name, value] : attributes) {
        if (name == "Kind") kind = value;
    }
    const Ptr<DyetraceFault> fault = DyetraceFault::Create(kind);
    for (const auto& [name, value] : attributes) {
        if (name != "Kind") fault->SetAttribute(name, StringValue(value));
    }
    m_fabric->AddFault(fault);
}

void TestFabric::OnForward(std::function<void(uint32_t, uint32_t, const DyetracePacket&)> seen) {
    m_onForward = std::move(seen);
    m_fabric->TraceConnectWithoutContext("Forward", MakeCallback(&TestFabric::NoteForward, this));
}

void TestFabric::OnDrop(std::function<void(uint32_t, DyetraceDropCause, const DyetracePacket&)> seen) {
    m_onDrop = std::move(seen);
    m_fabric->TraceConnectWithoutContext("Drop", MakeCallback(&TestFabric::NoteDrop, this));
}

void TestFabric::Run() {
    Simulator::Run();
}

wire::Ipv4Header Ipv4Of(const std::vector<uint8_t>& frame) {
    return wire::Ipv4Header::parse(dyetrace::Bytes(frame).subspan(14), 65535).value();
}

bool IsIpv4Right(const uint8_t* frame, uint32_t headLength, uint32_t length) {
    return wire::Ipv4Header::parse({frame + 14, headLength - 14}, length - 14).ok();
}

}  // namespace dyetrace_test
}  // namespace ns3
