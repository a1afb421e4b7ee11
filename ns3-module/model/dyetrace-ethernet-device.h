// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_ETHERNET_DEVICE_H
#define DYETRACE_ETHERNET_DEVICE_H

#include <cstdint>
#include <deque>

#include <ns3/data-rate.h>
#include <ns3/mac48-address.h>
#include <ns3/packet.h>

#include "dyetrace-net-device.h"

namespace ns3 {

class DyetraceEthernetChannel;
class DyetraceEthernetTap;

/**
 * \ingroup dyetrace
 * A port of a point-to-point, full-duplex Ethernet link, and its queue.
 *
 * It keeps time and drops as a link of a DyetraceFabric at the lean grade does, to the nanosecond. A frame
 * takes DataRate::CalculateBytesTxTime of its length (at least 60 bytes) + 24 bytes for preamble, FCS and gap
 * (IEEE 802.3). The queue is bounded by bytes: a frame is dropped where what is to be sent by then, itself
 * included, would take longer than QueueBytes take. Since it is known when the last bit will have left, a
 * frame is one simulator event, at the far end.
 *
 * Frames that reach a node at the same time are taken in the order of its ports, whatever order their events
 * have: so what happens at a node does not depend on how the simulation is scheduled.
 *
 * There is one peer: frames go to its address, and no address resolution is needed.
 */
class DyetraceEthernetDevice : public DyetraceNetDevice {
  public:
    static TypeId GetTypeId();
    DyetraceEthernetDevice();
    ~DyetraceEthernetDevice() override;

    /// Plugs a cable in; after the attributes and Node::AddDevice.
    void Attach(Ptr<DyetraceEthernetChannel> channel);
    /// Queues a whole Ethernet frame as it is. \return whether it fitted
    bool SendFrame(Ptr<Packet> frame);
    /// What this end sends is lost from now on, and with it what is queued or under way; or no longer so.
    void SetTransmitDown(bool down);
    /// A frame is on its way here.
    void Expect(Ptr<Packet> frame, int64_t arrivalNs);
    /// Takes in all that has arrived at the node by now, by port. Events of the node's own may call it first.
    static void TakeArrivals(Ptr<Node> node);
    /// The same of this port alone.
    void TakeDue();
    /// Gives the node a frame as if it had come out of the link now.
    void HandUp(Ptr<Packet> frame) { HandToNode(frame); }

    uint64_t GetReceivedFrames() const { return m_receivedFrames; }  ///< that came out of the link
    DataRate GetDataRate() const { return m_rate; }

    /// \param tap sees and decides what the fabric has to; not owned
    void SetTap(DyetraceEthernetTap* tap, uint32_t port);

    /// \name NetDevice
    /// @{
    Ptr<Channel> GetChannel() const override;
    bool SetMtu(const uint16_t mtu) override;
    uint16_t GetMtu() const override;
    bool IsLinkUp() const override;
    bool IsPointToPoint() const override;
    bool SendFrom(Ptr<Packet> packet, const Address& source, const Address& destination,
                  uint16_t protocol) override;
    void SetNode(Ptr<Node> node) override;
    bool NeedsArp() const override;
    /// @}

  protected:
    void DoDispose() override;

  private:
    struct Arriving {
        int64_t timeNs;
        Ptr<Packet> frame;
    };

    void SetRate(DataRate rate);
    int64_t TransmissionNs(uint32_t length) const;
    void ArrivalEvent();
    bool Refuse(Ptr<Packet> frame);

    Ptr<DyetraceEthernetChannel> m_channel;
    DataRate m_rate;
    uint32_t m_queueBytes;
    bool m_down;
    int64_t m_busyUntilNs;            ///< when the last bit of what is queued has left
    std::deque<Arriving> m_arriving;  ///< sent by the peer, by arrival
    uint64_t m_receivedFrames;
    DyetraceEthernetTap* m_tap;
    uint32_t m_tapPort;
};

}  // namespace ns3

#endif  // DYETRACE_ETHERNET_DEVICE_H
