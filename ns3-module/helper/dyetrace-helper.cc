// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-helper.h"

#include <algorithm>
#include <map>

#include <ns3/abort.h>
#include <ns3/double.h>
#include <ns3/dyetrace-flow-sizes.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "core/eppc/eppc.h"

namespace ns3 {

namespace {

/// What an untracked packet needs on the wire beyond its guest's UDP payload: the guest's headers, the
/// encapsulation, and Ethernet's preamble, FCS and gap.
constexpr uint32_t kOverheadBytes = DyetraceFlowSource::HeaderBytes + 50 + 24;

Mac48Address GuestMac(Ipv4Address host) {
    uint8_t octets[6] = {2, 1};
    host.Serialize(octets + 2);
    Mac48Address mac;
    mac.CopyFrom(octets);
    return mac;
}

Mac48Address AddedGuestMac(uint32_t number) {
    uint8_t octets[6] = {2, 2};
    Ipv4Address(number).Serialize(octets + 2);
    Mac48Address mac;
    mac.CopyFrom(octets);
    return mac;
}

}  // namespace

DyetraceHelper::DyetraceHelper() : m_vni(1000), m_load(0), m_stream(0) {
    m_fabricFactory.SetTypeId(DyetraceFabric::GetTypeId());
    m_hostFactory.SetTypeId(DyetraceHost::GetTypeId());
    m_nhmsFactory.SetTypeId(DyetraceNhms::GetTypeId());
    m_sourceFactory.SetTypeId(DyetraceFlowSource::GetTypeId());
}

DyetraceHelper::~DyetraceHelper() = default;

void DyetraceHelper::SetTopology(const DyetraceTopology& topology) {
    m_topology = std::make_shared<const DyetraceTopology>(topology);
}
void DyetraceHelper::SetFabricAttribute(const std::string& name, const AttributeValue& value) {
    m_fabricFactory.Set(name, value);
}
void DyetraceHelper::SetHostAttribute(const std::string& name, const AttributeValue& value) {
    m_hostFactory.Set(name, value);
}
void DyetraceHelper::SetGuestAttribute(const std::string& name, const AttributeValue& value) {
    m_sourceFactory.Set(name, value);
}
void DyetraceHelper::SetVni(uint32_t vni) {
    m_vni = vni;
}
void DyetraceHelper::SetNhmsAttribute(const std::string& name, const AttributeValue& value) {
    m_nhmsFactory.Set(name, value);
}
void DyetraceHelper::SetNhmsHost(const std::string& name) {
    m_nhmsHost = name;
}

uint32_t DyetraceHelper::AddGuest(const std::string& host) {
    NS_ABORT_MSG_IF(m_fabric, "DyetraceHelper::AddGuest is called before Install");
    m_addedGuests.push_back(host);
    return static_cast<uint32_t>(m_addedGuests.size() - 1);
}

uint32_t DyetraceHelper::GetAddedGuest(uint32_t n) const {
    NS_ABORT_MSG_IF(n >= m_addedGuests.size(), "no guest number " << n << " was added");
    return static_cast<uint32_t>(m_hosts.size()) + n;
}

void DyetraceHelper::SetTraffic(const std::vector<std::pair<double, double>>& sizes, double load) {
    NS_ABORT_MSG_IF(load <= 0, "a load of " << load << " is not above 0");
    m_sizes = sizes;
    m_load = load;
}

int64_t DyetraceHelper::AssignStreams(int64_t stream) {
    NS_ABORT_MSG_IF(m_fabric, "DyetraceHelper::AssignStreams is called before Install");
    m_stream = stream;
    return 1;
}

void DyetraceHelper::Install() {
    NS_ABORT_MSG_IF(m_fabric, "DyetraceHelper::Install was called before");
    m_fabric = m_fabricFactory.Create<DyetraceFabric>();
    if (m_topology) m_fabric->SetTopology(*m_topology);
    m_fabric->Build();
    m_truth = CreateObject<DyetraceTruth>();
    m_truth->Watch(m_fabric);
    const DyetraceTopology& topology = m_fabric->GetTopology();
    if (!m_nhmsHost.empty()) {
        m_nhms = m_nhmsFactory.Create<DyetraceNhms>();
        UintegerValue port;
        m_nhms->GetAttribute("Port", port);
        m_hostFactory.Set("NhmsAddress", Ipv4AddressValue(topology.GetNode(FindNhmsHost()).address));
        m_hostFactory.Set("NhmsPort", port);
    }
    MakeGuests();
    for (uint32_t host = 0; host < topology.GetNHosts(); ++host) {
        m_hosts.push_back(m_fabric->IsLocal(host) ? m_hostFactory.Create<DyetraceHost>() : nullptr);
        if (m_hosts.back()) m_hosts.back()->Start(m_fabric, host, m_guests, m_truth);
    }
    if (m_nhms) {
        const Ptr<DyetraceHost> host = m_hosts[FindNhmsHost()];
        if (host) m_nhms->Start(m_fabric, host);
        if (!host) m_nhms = nullptr;  // another rank has it
    }
    MakeSources();
}

uint32_t DyetraceHelper::FindNhmsHost() const {
    const DyetraceTopology& topology = m_fabric->GetTopology();
    const uint32_t host = topology.FindNode(m_nhmsHost);
    NS_ABORT_MSG_IF(host >= topology.GetNHosts(), "no host is called " << m_nhmsHost);
    return host;
}

void DyetraceHelper::MakeGuests() {
    const DyetraceTopology& topology = m_fabric->GetTopology();
    auto guests = std::make_shared<DyetraceGuests>();
    for (uint32_t host = 0; host < topology.GetNHosts(); ++host) {
        const DyetraceTopology::Node& node = topology.GetNode(host);
        const Ipv4Address address(0xc0a80000 + host + 1);
        guests->push_back({GuestMac(node.address), address, m_vni, host, node.rack});
    }
    for (const std::string& name : m_addedGuests) {
        const uint32_t host = topology.FindNode(name);
        NS_ABORT_MSG_IF(host >= topology.GetNHosts(),
                        "a guest was added to " << name << ", which is no host");
        const auto number = static_cast<uint32_t>(guests->size());
        NS_ABORT_MSG_IF(number > 0xfffd, "the guests' subnet has no address for guest " << number);
        guests->push_back({AddedGuestMac(number), Ipv4Address(0xc0a80000 + number + 1), m_vni, host,
                           topology.GetNode(host).rack});
    }
    m_guests = std::move(guests);
}

void DyetraceHelper::MakeSources() {
    for (uint32_t host = 0; host < m_hosts.size(); ++host)
        m_ports.push_back(m_hosts[host] ? &m_hosts[host]->AddGuest(host) : nullptr);
    if (m_sizes.empty()) return;
    const auto sizes = std::make_shared<const DyetraceFlowSizes>(m_sizes);
    std::map<uint64_t, double> arrivalRates;  // by link rate: it takes long to work one out
    m_sources.resize(m_hosts.size());
    for (uint32_t host = 0; host < m_hosts.size(); ++host) {
        if (!m_hosts[host]) continue;
        auto source = m_sourceFactory.Create<DyetraceFlowSource>();
        const auto [rate, isNew] = arrivalRates.try_emplace(GetHostRate(host), 0);
        if (isNew) rate->second = ArrivalRate(rate->first, *sizes, *source);
        source->SetAttribute("ArrivalRate", DoubleValue(rate->second));
        source->SetAttribute("Seed", UintegerValue(m_fabric->GetSeed()));
        source->AssignStreams(m_stream);
        source->Start(*m_ports[host], m_fabric->GetPool(), m_guests, host, sizes);
        m_sources[host] = source;
    }
}

uint64_t DyetraceHelper::GetHostRate(uint32_t host) const {
    const DyetraceTopology& topology = m_fabric->GetTopology();
    const uint64_t own = topology.GetLinkRate(topology.GetNode(host).firstPort);
    return own != 0 ? own : m_fabric->GetLinkRate().GetBitRate();
}

double DyetraceHelper::ArrivalRate(uint64_t linkRate, const DyetraceFlowSizes& sizes,
                                   const DyetraceFlowSource& source) const {
    UintegerValue packetBytes;
    source.GetAttribute("PacketBytes", packetBytes);
    return sizes.GetArrivalRate(m_load, static_cast<double>(linkRate),
                                static_cast<uint32_t>(packetBytes.Get()), kOverheadBytes);
}

Ptr<DyetraceFault> DyetraceHelper::AddSilentDrop(const std::string& from, const std::string& to, Time at,
                                                 double probability, Time until) {
    auto fault = CreateObjectWithAttributes<DyetraceSilentDrop>(
        "From", StringValue(from), "To", StringValue(to), "At", TimeValue(at), "Probability",
        DoubleValue(probability), "Until", TimeValue(until));
    m_fabric->AddFault(fault);
    return fault;
}

Ptr<DyetraceFault> DyetraceHelper::AddLinkDown(const std::string& from, const std::string& to, Time at,
                                               Time until) {
    auto fault = CreateObjectWithAttributes<DyetraceLinkDown>(
        "From", StringValue(from), "To", StringValue(to), "At", TimeValue(at), "Until", TimeValue(until));
    m_fabric->AddFault(fault);
    return fault;
}

std::string DyetraceHelper::EnablePcap(const std::string& directory, const std::string& port,
                                       uint64_t packetsMax) {
    std::string name = port;
    std::replace(name.begin(), name.end(), ':', '_');
    std::string file = directory + '/' + name + ".pcap";
    m_fabric->EnablePcap(port, file, packetsMax);
    return file;
}

Ptr<DyetraceHost> DyetraceHelper::GetHost(const std::string& name) const {
    const uint32_t host = m_fabric->GetTopology().FindNode(name);
    NS_ABORT_MSG_IF(host >= m_hosts.size(), "no host is called " << name);
    return m_hosts[host];
}

DyetraceGuestPort& DyetraceHelper::GetGuestPort(uint32_t guest) const {
    DyetraceGuestPort* port = m_ports.at(guest);
    NS_ABORT_MSG_IF(port == nullptr, "guest " << guest << " is on a host of another rank");
    return *port;
}

void DyetraceHelper::CloseSessions() {
    for (const auto& host : m_hosts) {
        if (host) host->CloseSessions();
    }
}

bool DyetraceHelper::IsDraining() const {
    return std::any_of(m_hosts.begin(), m_hosts.end(),
                       [](const auto& host) { return host && host->IsDraining(); });
}

void DyetraceHelper::Dispose() {
    for (const auto& source : m_sources) {
        if (source) source->Dispose();
    }
    for (const auto& host : m_hosts) {
        if (host) host->Dispose();
    }
    if (m_fabric) m_fabric->Dispose();
}

}  // namespace ns3
