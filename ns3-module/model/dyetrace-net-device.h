// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_NET_DEVICE_H
#define DYETRACE_NET_DEVICE_H

#include <cstdint>

#include <ns3/mac48-address.h>
#include <ns3/net-device.h>
#include <ns3/packet.h>
#include <ns3/traced-callback.h>

namespace ns3 {

/**
 * \ingroup dyetrace
 * What the Ethernet devices of this module have in common: an address, a node, its callbacks and trace
 * sources, and how a frame that came is handed to them.
 */
class DyetraceNetDevice : public NetDevice {
  public:
    static TypeId GetTypeId();
    ~DyetraceNetDevice() override;

    /// \name NetDevice
    /// @{
    void SetIfIndex(const uint32_t index) override;
    uint32_t GetIfIndex() const override;
    void SetAddress(Address address) override;
    Address GetAddress() const override;
    void AddLinkChangeCallback(Callback<void> callback) override;
    bool IsBroadcast() const override;
    Address GetBroadcast() const override;
    bool IsMulticast() const override;
    Address GetMulticast(Ipv4Address group) const override;
    Address GetMulticast(Ipv6Address group) const override;
    bool IsBridge() const override;
    bool Send(Ptr<Packet> packet, const Address& destination, uint16_t protocol) override;
    Ptr<Node> GetNode() const override;
    void SetNode(Ptr<Node> node) override;
    void SetReceiveCallback(ReceiveCallback callback) override;
    void SetPromiscReceiveCallback(PromiscReceiveCallback callback) override;
    bool SupportsSendFrom() const override;
    /// @}

  protected:
    static constexpr uint16_t EthernetBytes = 14;

    DyetraceNetDevice();
    void DoDispose() override;
    static void AddEthernet(Packet& packet, Mac48Address source, Mac48Address destination, uint16_t type);
    /// Hands a whole frame to captures, and its packet to whom it is for.
    void HandToNode(Ptr<Packet> frame);

    Ptr<Node> m_node;
    uint32_t m_ifIndex;
    uint16_t m_mtu;
    Mac48Address m_address;
    ReceiveCallback m_receive;
    PromiscReceiveCallback m_promiscReceive;
    TracedCallback<> m_linkChange;
    TracedCallback<Ptr<const Packet>> m_macTx;
    TracedCallback<Ptr<const Packet>> m_macTxDrop;
    TracedCallback<Ptr<const Packet>> m_macPromiscRx;
    TracedCallback<Ptr<const Packet>> m_macRx;
    TracedCallback<Ptr<const Packet>> m_phyTxDrop;
    TracedCallback<Ptr<const Packet>> m_phyRxDrop;
    TracedCallback<Ptr<const Packet>> m_sniffer;
    TracedCallback<Ptr<const Packet>> m_promiscSniffer;
};

}  // namespace ns3

#endif  // DYETRACE_NET_DEVICE_H
