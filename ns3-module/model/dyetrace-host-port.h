// SPDX-License-Identifier: GPL-2.0-or-later
// The loop between a host's port on the fabric, its guests and its engines: receive, handle, poll, send,
// sleep until the deadline. It decides nothing; decisions are core's. Not installed.
#ifndef DYETRACE_HOST_PORT_H
#define DYETRACE_HOST_PORT_H

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <ns3/ptr.h>

#include "dyetrace-clock.h"
#include "dyetrace-delay-line.h"
#include "dyetrace-engines.h"
#include "dyetrace-fault-site.h"
#include "dyetrace-guest.h"
#include "dyetrace-receiver.h"
#include "dyetrace-truth.h"
#include "dyetrace-wake.h"

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/eppc/eppc.h"
#include "core/wire/drop_reason.h"
#include "core/wire/frame_buffer.h"

namespace ns3 {

class DyetraceFabric;

/// A program on a host that listens on a UDP port of the underlay.
class DyetraceUdpService {
  public:
    virtual ~DyetraceUdpService() = default;
    virtual void Handle(const dyetrace::Endpoint& from, dyetrace::Bytes datagram, dyetrace::Time now) = 0;
    /// The host's port is about to go, and may not be used after this.
    virtual void PortGoes() = 0;
};

class DyetraceHostPort : public DyetraceReceiver, public DyetraceHostControl {
  public:
    struct Config {
        Ptr<DyetraceFabric> fabric;
        uint32_t host = 0;
        Ptr<DyetraceTruth> truth;                      ///< may be null
        std::shared_ptr<const DyetraceGuests> guests;  ///< of the whole overlay: the directory
        DyetraceEngineListener* owner = nullptr;       ///< is told first
        DyetraceClock::Config clock{};
        Time guestDelay{};  ///< of frames between a guest and the EPPC
    };

    /// Aborts, naming the field, where the engine refuses its configuration.
    DyetraceHostPort(const Config& config, const dyetrace::eppc::EppcConfig& eppc, uint64_t seed);
    ~DyetraceHostPort() override;

    dyetrace::eppc::Eppc& GetEppc() { return m_eppc; }
    void Listen(DyetraceEngineListener* listener) { m_listener = listener; }
    /// Plugs in a guest of this host, by its number in the directory.
    DyetraceGuestPort& AddGuest(uint32_t guest);
    /// Its port; null where it is not on this host.
    DyetraceGuestPort* FindGuest(uint32_t guest) const;
    /// Unplugs a guest, and what was connected to its port. Precondition: FindGuest(guest)
    void RemoveGuest(uint32_t guest);
    /// Whether it knows a guest as another host's.
    bool Knows(uint32_t guest) const { return m_resolved.at(guest) && FindGuest(guest) == nullptr; }
    /// Learns from the directory where a guest of another host is now. Precondition: Knows(guest)
    void Learn(uint32_t guest);
    uint32_t GetGuestMtu() const { return m_guestMtu; }
    /// A guest of this host is about to send to that one.
    void Resolve(uint32_t guest);
    /// Acts on whatever a call on the engine has made due. Before such a call: TakeArrivals().
    void Service() { ServiceAt(LocalTime()); }

    /// What the host's own clock shows.
    dyetrace::Time LocalTime();
    uint32_t GetHost() const { return m_config.host; }
    /// What is due first in each event of a host; see DyetraceFabric::TakeArrivals.
    void TakeArrivals();

    /// Hands what arrives at a UDP port of this host to `service`, until Unlisten(); not owned.
    void Listen(uint16_t port, DyetraceUdpService* service) { m_services[port] = service; }
    void Unlisten(uint16_t port) { m_services.erase(port); }
    void SendUdp(uint16_t sourcePort, const dyetrace::Endpoint& to, dyetrace::Bytes datagram);
    bool IsIpv6() const { return !m_eppcConfig.address.is_ipv4(); }
    /// Packets for a service that were cut or wrong, by reason.
    const dyetrace::wire::DropCounters& GetUdpDrops() const { return m_udpDrops; }

    /// A frame from the fabric.
    void Receive(DyetracePacket* packet) override;
    void Expect(const DyetracePacket& packet, uint32_t turns) override;
    void ExpectEvent(uint32_t events) override;

    /// \name What faults do
    /// @{
    void SetCrashed(bool isCrashed) override;
    void RestartEppc() override;
    void SetServicesDown(bool isDown) override;
    void ChangeClock(Time step, double driftPpm) override;
    /// @}

  private:
    class GuestPort;

    void FromGuest(dyetrace::GuestPort port, DyetracePacket* packet);
    /// A guest's frame has reached the EPPC.
    void Encapsulate(dyetrace::GuestPort port, DyetracePacket* packet, dyetrace::Time now);
    /// Whether the frame was for another guest of this host, which has it then: no EPPC is needed for that.
    bool ToNeighbour(dyetrace::GuestPort port, DyetracePacket* packet, dyetrace::Time now);
    void Deliver(dyetrace::GuestPort port, DyetracePacket* packet, dyetrace::Time now);
    void EncapsulateLater(dyetrace::GuestPort port, DyetracePacket* packet);
    /// A frame has reached its guest.
    void ToGuest(dyetrace::GuestPort port, DyetracePacket* packet, dyetrace::Time now);
    void ToGuestLater(dyetrace::GuestPort port, DyetracePacket* packet);
    void NoteAtGuest(dyetrace::GuestPort port, const DyetracePacket& packet, dyetrace::wire::FlowStage stage,
                     dyetrace::Time now);
    void ServiceAt(dyetrace::Time now);
    void WakeSoon();
    /// A fault of this host begins, or ends; one that ends may have begun before the host did.
    static void CountFault(bool begins, uint16_t& inForce);
    bool IsCrashed() const { return m_crashes != 0; }
    bool AreServicesDown() const { return IsCrashed() || m_outages != 0; }
    void Poll();
    void SendControl(dyetrace::Bytes frame);
    /// The packet as the engine wants it: with what its tail sums to.
    dyetrace::wire::FrameBuffer ToBuffer(DyetracePacket& packet);
    /// Whether the packet was for a service, which has had it.
    bool ToService(const DyetracePacket& packet, dyetrace::Time now);

    /// The guest's number in the directory is known to the engine, as one of this host or of another.
    void AddToEngine(uint32_t guest);

    /// A guest that is, or was, plugged in; by GuestPort's value.
    struct Plugged {
        uint32_t guest = 0;  ///< its number in the directory
        uint32_t vni = 0;
        uint64_t mac = 0;
        bool isHere = false;
    };
    std::size_t FindPlugged(uint32_t guest) const;

    // What a packet asks for, first and together, to the front of m_wake: on a large fabric each line of it
    // is waited for.
    Config m_config;
    uint16_t m_crashes = 0;       ///< in force
    bool m_notesGuests = false;   ///< flows may be followed
    bool m_delaysGuests = false;  ///< guestDelay is not zero
    uint32_t m_guestMtu;
    DyetraceClock m_clock;
    dyetrace::eppc::Eppc m_eppc;
    DyetraceEngineListener* m_listener = nullptr;
    std::vector<std::unique_ptr<GuestPort>> m_guestPorts;  ///< by GuestPort's value
    std::vector<Plugged> m_guests;
    uint32_t m_lastTail = 0;
    uint16_t m_lastTailSum = 0;  ///< of a tail of that length: most packets have the same
    DyetraceTruth::Trail m_trail;
    DyetraceWake m_wake;

    dyetrace::eppc::EppcConfig m_eppcConfig;  ///< for an engine that begins anew
    uint64_t m_seed;
    uint64_t m_boots = 0;
    dyetrace::wire::DropCounters m_udpDrops;
    uint16_t m_udpIdentification = 0;
    uint16_t m_outages = 0;                              ///< of services, in force
    std::vector<bool> m_resolved;                        ///< by guest's number in the directory
    std::map<uint16_t, DyetraceUdpService*> m_services;  ///< by UDP port
    /// \name Frames of guests that are on their way; null where guestDelay is zero
    /// @{
    std::unique_ptr<DyetraceDelayLine> m_toEppc;
    std::unique_ptr<DyetraceDelayLine> m_toGuests;
    /// @}
};

}  // namespace ns3

#endif  // DYETRACE_HOST_PORT_H
