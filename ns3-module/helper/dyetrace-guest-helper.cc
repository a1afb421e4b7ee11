// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-guest-helper.h"

#include <ns3/boolean.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/global-value.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4.h>
#include <ns3/node.h>

#include "dyetrace-trace-files.h"

namespace ns3 {

DyetraceGuestHelper::DyetraceGuestHelper() {
    m_deviceFactory.SetTypeId(DyetraceGuestDevice::GetTypeId());
}

DyetraceGuestHelper::~DyetraceGuestHelper() = default;

void DyetraceGuestHelper::SetDeviceAttribute(const std::string& name, const AttributeValue& value) {
    m_deviceFactory.Set(name, value);
}

NodeContainer DyetraceGuestHelper::Install(const DyetraceHelper& dyetrace) {
    NodeContainer nodes;
    for (uint32_t n = 0; n < dyetrace.GetNAddedGuests(); ++n) {
        const uint32_t host = dyetrace.GetGuests()->at(dyetrace.GetAddedGuest(n)).host;
        nodes.Create(1, dyetrace.GetFabric()->GetSystemId(host));
        Install(dyetrace, n, nodes.Get(n));
    }
    return nodes;
}

Ptr<DyetraceGuestDevice> DyetraceGuestHelper::Install(const DyetraceHelper& dyetrace, uint32_t n,
                                                      Ptr<Node> node) {
    GlobalValue::Bind("ChecksumEnabled", BooleanValue(true));
    if (!m_directory) m_directory = std::make_shared<const DyetraceGuestDirectory>(dyetrace.GetGuests());
    if (!node->GetObject<Ipv4>()) {
        InternetStackHelper stack;
        stack.SetIpv6StackInstall(false);  // its neighbour discovery needs groups, which the overlay has not
        stack.Install(node);
    }
    const uint32_t guest = dyetrace.GetAddedGuest(n);
    auto device = m_deviceFactory.Create<DyetraceGuestDevice>();
    node->AddDevice(device);
    const Ptr<DyetraceHost> host = dyetrace.GetHosts().at(m_directory->Get(guest).host);
    if (host) device->Plug(dyetrace.GetFabric(), host, m_directory, guest);
    Ptr<Ipv4> ipv4 = node->GetObject<Ipv4>();
    const uint32_t interface = ipv4->AddInterface(device);
    ipv4->AddAddress(interface,
                     Ipv4InterfaceAddress(m_directory->Get(guest).address, DyetraceHelper::GetGuestMask()));
    ipv4->SetMetric(interface, 1);
    ipv4->SetUp(interface);
    m_devices.Add(device);
    m_guests.push_back(guest);
    return device;
}

int64_t DyetraceGuestHelper::AssignStreams(int64_t stream) {
    NodeContainer nodes;
    for (uint32_t n = 0; n < m_devices.GetN(); ++n)
        nodes.Add(m_devices.Get(n)->GetNode());
    return InternetStackHelper().AssignStreams(nodes, stream);
}

Ipv4Address DyetraceGuestHelper::GetAddress(uint32_t n) const {
    return m_directory->Get(m_guests.at(n)).address;
}

// ns-3's forms of these take all devices of nodes, of whatever kind; we are only asked about ours.
void DyetraceGuestHelper::EnablePcapInternal(std::string prefix, Ptr<NetDevice> device, bool promiscuous,
                                             bool explicitFilename) {
    if (!DynamicCast<DyetraceGuestDevice>(device)) return;
    DyetraceEnablePcap(prefix, device, promiscuous, explicitFilename);
}

void DyetraceGuestHelper::EnableAsciiInternal(Ptr<OutputStreamWrapper> stream, std::string prefix,
                                              Ptr<NetDevice> device, bool explicitFilename) {
    if (!DynamicCast<DyetraceGuestDevice>(device)) return;
    DyetraceEnableAscii(stream, prefix, device, explicitFilename, "MacTx", "MacTxDrop");
}

}  // namespace ns3
