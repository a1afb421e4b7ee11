// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-ethernet-helper.h"

#include <ns3/dyetrace-ethernet-channel.h>
#include <ns3/dyetrace-ethernet-device.h>

#include "dyetrace-trace-files.h"

namespace ns3 {

DyetraceEthernetHelper::DyetraceEthernetHelper() {
    m_deviceFactory.SetTypeId(DyetraceEthernetDevice::GetTypeId());
    m_channelFactory.SetTypeId(DyetraceEthernetChannel::GetTypeId());
}

DyetraceEthernetHelper::~DyetraceEthernetHelper() = default;

void DyetraceEthernetHelper::SetDeviceAttribute(const std::string& name, const AttributeValue& value) {
    m_deviceFactory.Set(name, value);
}

void DyetraceEthernetHelper::SetChannelAttribute(const std::string& name, const AttributeValue& value) {
    m_channelFactory.Set(name, value);
}

NetDeviceContainer DyetraceEthernetHelper::Install(Ptr<Node> a, Ptr<Node> b) {
    auto channel = m_channelFactory.Create<DyetraceEthernetChannel>();
    NetDeviceContainer devices;
    for (const auto& node : {a, b}) {
        auto device = m_deviceFactory.Create<DyetraceEthernetDevice>();
        device->SetAddress(Mac48Address::Allocate());
        node->AddDevice(device);
        device->Attach(channel);
        devices.Add(device);
    }
    return devices;
}

void DyetraceEthernetHelper::EnablePcapInternal(std::string prefix, Ptr<NetDevice> device, bool promiscuous,
                                                bool explicitFilename) {
    if (!DynamicCast<DyetraceEthernetDevice>(device)) return;
    DyetraceEnablePcap(prefix, device, promiscuous, explicitFilename);
}

void DyetraceEthernetHelper::EnableAsciiInternal(Ptr<OutputStreamWrapper> stream, std::string prefix,
                                                 Ptr<NetDevice> device, bool explicitFilename) {
    if (!DynamicCast<DyetraceEthernetDevice>(device)) return;
    DyetraceEnableAscii(stream, prefix, device, explicitFilename, "MacTx", "MacTxDrop");
}

}  // namespace ns3
