// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_GUEST_HELPER_H
#define DYETRACE_GUEST_HELPER_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ns3/attribute.h>
#include <ns3/dyetrace-guest-device.h>
#include <ns3/ipv4-address.h>
#include <ns3/net-device-container.h>
#include <ns3/node-container.h>
#include <ns3/object-factory.h>
#include <ns3/trace-helper.h>

namespace ns3 {

class DyetraceHelper;

/**
 * \ingroup dyetrace
 * Makes full guests of those that DyetraceHelper::AddGuest named: nodes with an internet stack, plugged into
 * the EPPCs of their hosts, on which any application runs.
 *
 * \code
 *   dyetrace.AddGuest("host-0-0-0");  // before Install()
 *   dyetrace.AddGuest("host-3-1-1");
 *   dyetrace.Install();
 *   DyetraceGuestHelper guests;
 *   NodeContainer nodes = guests.Install(dyetrace);
 * \endcode
 *
 * Checksums are switched on for the whole simulation: the overlay carries real bytes.
 */
class DyetraceGuestHelper : public PcapHelperForDevice, public AsciiTraceHelperForDevice {
  public:
    DyetraceGuestHelper();
    ~DyetraceGuestHelper() override;

    /// Sets an attribute of the DyetraceGuestDevices that Install makes.
    void SetDeviceAttribute(const std::string& name, const AttributeValue& value);

    /// Makes a node for each guest that was added, in that order. Where another rank of a parallel simulation
    /// has its host, the node is one of that rank's, and its device is not plugged in here.
    NodeContainer Install(const DyetraceHelper& dyetrace);
    /// Makes `node` the n-th guest that was added; it gets a stack unless it has one.
    Ptr<DyetraceGuestDevice> Install(const DyetraceHelper& dyetrace, uint32_t n, Ptr<Node> node);

    /// Sets the streams of random numbers of the guests' stacks. \return how many were used
    int64_t AssignStreams(int64_t stream);

    /// The devices made so far, by order.
    const NetDeviceContainer& GetDevices() const { return m_devices; }
    /// The overlay address of the n-th device made.
    Ipv4Address GetAddress(uint32_t n) const;

  private:
    void EnablePcapInternal(std::string prefix, Ptr<NetDevice> device, bool promiscuous,
                            bool explicitFilename) override;
    void EnableAsciiInternal(Ptr<OutputStreamWrapper> stream, std::string prefix, Ptr<NetDevice> device,
                             bool explicitFilename) override;

    ObjectFactory m_deviceFactory;
    NetDeviceContainer m_devices;
    std::vector<uint32_t> m_guests;  ///< of the devices
    std::shared_ptr<const DyetraceGuestDirectory> m_directory;
};

}  // namespace ns3

#endif  // DYETRACE_GUEST_HELPER_H
