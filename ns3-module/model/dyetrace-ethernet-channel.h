// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_ETHERNET_CHANNEL_H
#define DYETRACE_ETHERNET_CHANNEL_H

#include <array>
#include <cstddef>

#include <ns3/channel.h>
#include <ns3/nstime.h>
#include <ns3/packet.h>
#include <ns3/traced-callback.h>

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
    /// A device has taken a frame to send. \param sent from now until it is sent \param received until the
    /// other end has it
    void NoteFrame(Ptr<const Packet> frame, DyetraceEthernetDevice* from, Time sent, Time received);

    typedef void (*TxRxTracedCallback)(Ptr<const Packet> frame, Ptr<NetDevice> from, Ptr<NetDevice> to,
                                       Time sent, Time received);

    std::size_t GetNDevices() const override;
    Ptr<NetDevice> GetDevice(std::size_t i) const override;

  private:
    Time m_delay;
    std::array<DyetraceEthernetDevice*, 2> m_devices{};
    TracedCallback<Ptr<const Packet>, Ptr<NetDevice>, Ptr<NetDevice>, Time, Time> m_txRx;
};

}  // namespace ns3

#endif  // DYETRACE_ETHERNET_CHANNEL_H
