// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_GUEST_DEVICE_H
#define DYETRACE_GUEST_DEVICE_H

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include <ns3/mac48-address.h>
#include <ns3/packet.h>
#include <ns3/traced-callback.h>

#include "dyetrace-guest-directory.h"
#include "dyetrace-guest.h"
#include "dyetrace-net-device.h"
#include "dyetrace-receiver.h"

namespace ns3 {

class DyetraceFabric;
class DyetraceHost;

/**
 * \ingroup dyetrace
 * What a DyetraceGuestDevice made of an ARP message that its guest sent to a group.
 */
enum class DyetraceArpOutcome : uint8_t {
    Answered,   ///< another guest has the address: the device answered for it
    Unknown,    ///< no guest of the VNI has the address: nobody answers
    Announced,  ///< the guest told of its own address, which the overlay knows already
    Malformed,  ///< not ARP for IPv4 over Ethernet
    kCount,
};

/**
 * \ingroup dyetrace
 * The virtual network card of a full guest: an ns-3 node, with its own internet stack and any applications,
 * plugged into the EPPC of a DyetraceHost.
 *
 * Frames are Ethernet II, whole and real to the last byte, and have no FCS. What the stack sends is handed to
 * the EPPC at once; the card itself has neither a rate nor a queue: these are the underlay's. What comes is
 * handed to the stack in an event of its own at the same time, after all that was planned for that time
 * before it, so that a stack is never called from within its own sending.
 *
 * An overlay carries no group addresses: what is sent to one is counted by the EPPC, as "group-address", and
 * goes no further. The exception is ARP, which the device answers from the overlay's directory, as EVPN does
 * (RFC 7432 section 10). A request for another guest of the VNI is answered, also where it is a probe or an
 * announcement (RFC 5227): the address is in use. What a guest says of its own address is taken and told to
 * nobody, since the directory knows it. A request for an address that nobody has stays without an answer.
 * ARP that is sent to one guest alone is a frame as any other.
 *
 * ns-3 leaves checksums out unless it is told; the overlay carries real bytes, so Plug() needs
 * GlobalValue::Bind("ChecksumEnabled", BooleanValue(true)).
 *
 * Order of calls: attributes, Node::AddDevice, Plug(), then traffic. The node must live as long as the host,
 * as nodes do.
 */
class DyetraceGuestDevice : public DyetraceNetDevice, public DyetraceReceiver, public DyetraceMovable {
  public:
    static TypeId GetTypeId();
    DyetraceGuestDevice();
    ~DyetraceGuestDevice() override;

    /// Largest MTU that packets of the fabric have room for; that of a guest may be less (Plug).
    static uint16_t GetMtuMost();

    /**
     * Plugs the guest in, and takes its Ethernet address from the directory. Aborts with words where the MTU
     * exceeds what the host's EPPC carries, or checksums are off.
     * \param guest its number in the directory; `host` is where that says
     */
    void Plug(Ptr<DyetraceFabric> fabric, Ptr<DyetraceHost> host,
              std::shared_ptr<const DyetraceGuestDirectory> directory, uint32_t guest);
    uint32_t GetGuest() const { return m_guest; }
    uint64_t GetArps(DyetraceArpOutcome outcome) const {
        return m_arps.at(static_cast<std::size_t>(outcome));
    }

    /// \name NetDevice
    /// @{
    Ptr<Channel> GetChannel() const override;  ///< null: an overlay is none
    /// \return false, and changes nothing, below 68 (RFC 791) and above what can be carried
    bool SetMtu(const uint16_t mtu) override;
    uint16_t GetMtu() const override;
    bool IsLinkUp() const override;  ///< from Plug() on
    bool IsPointToPoint() const override;
    bool SendFrom(Ptr<Packet> packet, const Address& source, const Address& destination,
                  uint16_t protocol) override;
    bool NeedsArp() const override;
    /// @}

    /// A frame for this guest, from the EPPC.
    void Receive(DyetracePacket* packet) override;

    /// \name Its node goes along: addresses, connections and applications stay as they are
    /// @{
    /// The MTU may be more than what the other host carries.
    std::string GetMoveRefusal(const DyetraceHost& host) const override;
    void MoveTo(Ptr<DyetraceHost> host, DyetraceGuestPort& port) override;
    /// @}

    typedef void (*ArpTracedCallback)(DyetraceArpOutcome outcome, Ipv4Address target);

  protected:
    void DoDispose() override;

  private:
    void SetMtuAttribute(uint16_t mtu);
    bool IsPlugged() const;
    bool Drop(Ptr<const Packet> frame);
    /// Hands a whole frame to the EPPC.
    void ToOverlay(Ptr<const Packet> frame, Mac48Address destination);
    /// Whether the frame was an ARP message that the device deals with itself.
    bool SuppressArp(Ptr<const Packet> packet, Mac48Address destination, uint16_t protocol);
    void NoteArp(DyetraceArpOutcome outcome, Ipv4Address target);
    /// Queues a frame for the stack.
    void Enqueue(Ptr<Packet> frame);
    void Deliver();
    void DeliverFrame(Ptr<Packet> frame);

    uint16_t m_mtuMost;
    bool m_suppressArp;

    Ptr<DyetraceFabric> m_fabric;
    Ptr<DyetraceHost> m_host;
    DyetraceGuestPort* m_port;
    std::shared_ptr<const DyetraceGuestDirectory> m_directory;
    uint32_t m_guest;

    std::deque<Ptr<Packet>> m_arrived;  ///< for the stack, in order
    std::array<uint64_t, static_cast<std::size_t>(DyetraceArpOutcome::kCount)> m_arps{};

    TracedCallback<DyetraceArpOutcome, Ipv4Address> m_arp;
};

}  // namespace ns3

#endif  // DYETRACE_GUEST_DEVICE_H
