// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_ETHERNET_HELPER_H
#define DYETRACE_ETHERNET_HELPER_H

#include <string>

#include <ns3/attribute.h>
#include <ns3/net-device-container.h>
#include <ns3/node.h>
#include <ns3/object-factory.h>
#include <ns3/trace-helper.h>

namespace ns3 {

/**
 * \ingroup dyetrace
 * Joins nodes by Ethernet cables, and writes the trace files of DyetraceEthernetDevices: its own, and those
 * of a fabric at the stock grade.
 */
class DyetraceEthernetHelper : public PcapHelperForDevice, public AsciiTraceHelperForDevice {
  public:
    DyetraceEthernetHelper();
    ~DyetraceEthernetHelper() override;

    void SetDeviceAttribute(const std::string& name, const AttributeValue& value);
    void SetChannelAttribute(const std::string& name, const AttributeValue& value);

    /// A cable with a device at each end. \return the devices, a's first
    NetDeviceContainer Install(Ptr<Node> a, Ptr<Node> b);

  private:
    void EnablePcapInternal(std::string prefix, Ptr<NetDevice> device, bool promiscuous,
                            bool explicitFilename) override;
    void EnableAsciiInternal(Ptr<OutputStreamWrapper> stream, std::string prefix, Ptr<NetDevice> device,
                             bool explicitFilename) override;

    ObjectFactory m_deviceFactory;
    ObjectFactory m_channelFactory;
};

}  // namespace ns3

#endif  // DYETRACE_ETHERNET_HELPER_H
