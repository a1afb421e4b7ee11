// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_ETHERNET_CHANNEL_H
#define DYETRACE_ETHERNET_CHANNEL_H

#include <array>
#include <cstddef>

#include <ns3/channel.h>
#include <ns3/nstime.h>

namespace ns3 {

class DyetraceEthernetDevice;

/**
 * \ingroup dyetrace
 * A full-duplex cable between two DyetraceEthernetDevices.
 */
class DyetraceEthernetChannel : public Channel {
  public:
    static TypeId GetTypeId();
    DyetraceEthernetChannel();
    ~DyetraceEthernetChannel() override;

    /// Aborts where there are two already.
    void Attach(DyetraceEthernetDevice* device);
    /// A device is gone.
    void Detach(const DyetraceEthernetDevice* device);
    /// The device at the other end, or null.
    DyetraceEthernetDevice* GetPeer(const DyetraceEthernetDevice* device) const;
    Time GetDelay() const { return m_delay; }

    std::size_t GetNDevices() const override;
    Ptr<NetDevice> GetDevice(std::size_t i) const override;

  private:
    Time m_delay;
    std::array<DyetraceEthernetDevice*, 2> m_devices{};
};

}  // namespace ns3

#endif  // DYETRACE_ETHERNET_CHANNEL_H
