// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-helper.h"

#include <algorithm>

#include <ns3/abort.h>
#include <ns3/double.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "core/base/name_pattern.h"

namespace ns3 {

namespace {

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

DyetraceHelper::DyetraceHelper() : m_hasTraffic(false), m_vni(1000), m_stream(0) {
    m_fabricFactory.SetTypeId(DyetraceFabric::GetTypeId());
    m_hostFactory.SetTypeId(DyetraceHost::GetTypeId());
    m_nhmsFactory.SetTypeId(DyetraceNhms::GetTypeId());
    m_placementFactory.SetTypeId(DyetracePlacement::GetTypeId());
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
void DyetraceHelper::SetHostAttribute(const std::string& pattern, const std::string& name,
                                      const AttributeValue& value) {
    m_ofSomeHosts.push_back({pattern, name, value.Copy()});
}
void DyetraceHelper::SetGuestAttribute(const std::string& name, const AttributeValue& value) {
    m_traffic.SetAttribute(name, value);
}
void DyetraceHelper::SetVni(uint32_t vni) {
    m_vni = vni;
}
void DyetraceHelper::SetPlacementAttribute(const std::string& name, const AttributeValue& value) {
    m_placementFactory.Set(name, value);
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

uint32_t DyetraceHelper::AddGuestGroup(const std::string& hosts, uint32_t vni) {
    NS_ABORT_MSG_IF(m_fabric, "DyetraceHelper::AddGuestGroup is called before Install");
    m_groupHosts.emplace_back(hosts, vni);
    return static_cast<uint32_t>(m_groupHosts.size() - 1);
}

std::vector<uint32_t> DyetraceHelper::GetHostGuests(const std::string& hosts) const {
    NS_ABORT_MSG_UNLESS(m_fabric, "DyetraceHelper::GetHostGuests is called after Install");
    std::vector<uint32_t> guests = HostsLike(hosts);  // they have the hosts' numbers
    NS_ABORT_MSG_IF(guests.empty(), "no host is called like " << hosts);
    return guests;
}

std::vector<uint32_t> DyetraceHelper::HostsLike(const std::string& pattern) const {
    const DyetraceTopology& topology = m_fabric->GetTopology();
    std::vector<uint32_t> hosts;
    for (uint32_t host = 0; host < topology.GetNHosts(); ++host) {
        if (dyetrace::matches_name_pattern(pattern, topology.GetNode(host).name)) hosts.push_back(host);
    }
    return hosts;
}

const std::vector<uint32_t>& DyetraceHelper::GetGuestGroup(uint32_t n) const {
    NS_ABORT_MSG_IF(n >= m_groups.size(), "there is no group of guests number " << n << ", or not yet");
    return m_groups[n];
}

uint32_t DyetraceHelper::GetAddedGuest(uint32_t n) const {
    NS_ABORT_MSG_IF(n >= m_addedGuests.size(), "no guest number " << n << " was added");
    return static_cast<uint32_t>(m_hosts.size()) + n;
}

void DyetraceHelper::SetTraffic(const std::vector<std::pair<double, double>>& sizes, double load) {
    m_traffic.SetFlows(sizes, load);
    m_hasTraffic = true;
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
    for (const OfSomeHosts& one : m_ofSomeHosts) {
        NS_ABORT_MSG_IF(HostsLike(one.pattern).empty(), "DyetraceHelper: an attribute is set of hosts like "
                                                            << one.pattern << ", and there are none");
    }
    for (uint32_t host = 0; host < topology.GetNHosts(); ++host) {
        m_hosts.push_back(m_fabric->IsLocal(host) ? MakeHost(topology.GetNode(host).name) : nullptr);
        if (m_hosts.back()) m_hosts.back()->Start(m_fabric, host, m_guests, m_truth);
    }
    m_placement = m_placementFactory.Create<DyetracePlacement>();
    m_placement->Start(m_fabric, m_hosts, m_guests);
    if (m_nhms) {
        const Ptr<DyetraceHost> host = m_hosts[FindNhmsHost()];
        if (host) m_nhms->Start(m_fabric, host);
        if (!host) m_nhms = nullptr;  // another rank has it
        if (m_nhms) m_nhms->SetPlacement(m_placement);
    }
    MakePorts();
    MakeSources();
}

Ptr<DyetraceHost> DyetraceHelper::MakeHost(const std::string& name) const {
    auto host = m_hostFactory.Create<DyetraceHost>();
    for (const OfSomeHosts& one : m_ofSomeHosts) {
        if (dyetrace::matches_name_pattern(one.pattern, name)) host->SetAttribute(one.name, *one.value);
    }
    return host;
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
        guests->push_back({GuestMac(node.address), GetGuestAddress(host), m_vni, host, node.rack});
    }
    for (const std::string& name : m_addedGuests) {
        const uint32_t host = topology.FindNode(name);
        NS_ABORT_MSG_IF(host >= topology.GetNHosts(),
                        "a guest was added to " << name << ", which is no host");
        AddGuestTo(*guests, host, m_vni);
    }
    for (const auto& [hosts, vni] : m_groupHosts) {
        std::vector<uint32_t>& group = m_groups.emplace_back();
        for (const uint32_t host : GetHostGuests(hosts)) {
            group.push_back(static_cast<uint32_t>(guests->size()));
            AddGuestTo(*guests, host, vni != 0 ? vni : m_vni);
        }
    }
    m_guests = std::move(guests);
}

void DyetraceHelper::AddGuestTo(DyetraceGuests& guests, uint32_t host, uint32_t vni) const {
    const auto number = static_cast<uint32_t>(guests.size());
    NS_ABORT_MSG_IF(number > 0xfffd, "the guests' subnet has no address for guest " << number);
    guests.push_back({AddedGuestMac(number), GetGuestAddress(number), vni, host,
                      m_fabric->GetTopology().GetNode(host).rack});
}

void DyetraceHelper::MakePorts() {
    m_isLean.resize(m_guests->size(), false);
    m_plugged.resize(m_guests->size());
    const auto plug = [this](uint32_t guest) {
        const Ptr<DyetraceHost> host = m_hosts[(*m_guests)[guest].host];
        m_isLean[guest] = true;
        if (host) host->AddGuest(guest);
    };
    for (uint32_t host = 0; host < m_hosts.size(); ++host)
        plug(host);
    for (const auto& group : m_groups) {
        for (const uint32_t guest : group)
            plug(guest);
    }
}

void DyetraceHelper::MakeSources() {
    if (!m_hasTraffic) return;
    m_traffic.Install(*this, GetHostGuests(), nullptr);
    for (const auto& source : m_traffic.GetSources()) {
        source->AssignStreams(m_stream);
        m_sources.push_back(DynamicCast<DyetraceFlowSource>(source));
    }
}

DyetraceGuestPort& DyetraceHelper::GetGuestPort(uint32_t guest) const {
    NS_ABORT_MSG_IF(guest >= m_isLean.size(), "there is no guest number " << guest);
    NS_ABORT_MSG_UNLESS(m_fabric->IsLocal((*m_guests)[guest].host),
                        "guest " << guest << " is on a host of another rank");
    NS_ABORT_MSG_UNLESS(m_isLean[guest],
                        "guest " << guest << " is for a node, which DyetraceGuestHelper makes");
    return *m_hosts[(*m_guests)[guest].host]->FindGuest(guest);
}

void DyetraceHelper::Plug(Ptr<DyetracePacketSource> source, uint32_t guest,
                          std::shared_ptr<const DyetracePacketSource::Party> party) {
    NS_ABORT_MSG_IF(guest >= m_isLean.size(), "there is no guest number " << guest);
    NS_ABORT_MSG_IF(m_plugged[guest], "guest " << guest << " has a source already");
    if (!m_fabric->IsLocal((*m_guests)[guest].host)) return;  // that rank's source sends
    source->Start(GetGuestPort(guest), m_fabric->GetPool(), m_guests, guest, std::move(party));
    m_plugged[guest] = source;
}

uint64_t DyetraceHelper::GetGuestRate(uint32_t guest) const {
    const DyetraceTopology& topology = m_fabric->GetTopology();
    const uint64_t own = topology.GetLinkRate(topology.GetNode(m_guests->at(guest).host).firstPort);
    return own != 0 ? own : m_fabric->GetLinkRate().GetBitRate();
}

std::string DyetraceHelper::MoveGuest(uint32_t guest, const std::string& host) {
    NS_ABORT_MSG_UNLESS(m_placement, "DyetraceHelper::MoveGuest is called after Install");
    const uint32_t number = m_fabric->GetTopology().FindNode(host);
    if (number >= m_hosts.size()) return "no host is called " + host;
    return m_placement->Move(guest, number);
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
    std::string file = GetPcapFile(directory, port);
    m_fabric->EnablePcap(port, file, packetsMax);
    return file;
}

std::string DyetraceHelper::GetPcapFile(const std::string& directory, const std::string& port) {
    std::string name = port;
    // A node may be called like a way to another folder, and what begins with a dot is not listed.
    const auto isOdd = [](char c) { return c == ':' || c == '/'; };
    std::replace_if(name.begin(), name.end(), isOdd, '_');
    if (!name.empty() && name.front() == '.') name.front() = '_';
    return directory + '/' + name + ".pcap";
}

Ptr<DyetraceHost> DyetraceHelper::GetHost(const std::string& name) const {
    const uint32_t host = m_fabric->GetTopology().FindNode(name);
    NS_ABORT_MSG_IF(host >= m_hosts.size(), "no host is called " << name);
    return m_hosts[host];
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
    if (m_nhms) m_nhms->Dispose();
    if (m_placement) m_placement->Dispose();
    for (const auto& source : m_plugged) {
        if (source) source->Dispose();
    }
    for (const auto& host : m_hosts) {
        if (host) host->Dispose();
    }
    if (m_fabric) m_fabric->Dispose();
}

}  // namespace ns3
