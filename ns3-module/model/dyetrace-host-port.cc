// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-host-port.h"

#include <algorithm>
#include <utility>

#include <ns3/abort.h>
#include <ns3/simulator.h>

#include "dyetrace-convert.h"
#include "dyetrace-fabric.h"
#include "dyetrace-truth.h"

#include "core/base/prefetch.h"
#include "core/base/random.h"
#include "core/eppc/packet_builder.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/ip.h"
#include "core/wire/udp.h"

namespace ns3 {

namespace eppc = dyetrace::eppc;
namespace wire = dyetrace::wire;

namespace {

void FromBuffer(const wire::FrameBuffer& buffer, DyetracePacket& packet) {
    packet.begin = static_cast<uint32_t>(buffer.begin);
    packet.end = static_cast<uint32_t>(buffer.end);
    packet.tail = static_cast<uint32_t>(buffer.tail);
}

eppc::Eppc CreateEppc(const eppc::EppcConfig& config, uint64_t seed, dyetrace::Time now) {
    auto created = eppc::Eppc::create(config, seed, now);
    NS_ABORT_MSG_UNLESS(created.ok(),
                        "the EPPC at " << config.address.to_string() << ": " << created.error());
    return std::move(created).value();
}

static_assert(DyetraceGuestPort::Headroom >= eppc::Eppc::kHeadroom, "encapsulation needs more headroom");

}  // namespace

class DyetraceHostPort::GuestPort : public DyetraceGuestPort {
  public:
    GuestPort(DyetraceHostPort& host, dyetrace::GuestPort number) : m_host(host), m_number(number) {}

    void Receive(DyetracePacket* packet) override { m_host.FromGuest(m_number, packet); }
    void Resolve(uint32_t guest) override { m_host.Resolve(guest); }
    uint32_t GetMtu() const override { return m_host.m_guestMtu; }
    void Connect(DyetraceReceiver* guest) override { m_guest = guest; }
    DyetraceReceiver* GetConnected() const override { return m_guest; }

  private:
    DyetraceHostPort& m_host;
    dyetrace::GuestPort m_number;
    DyetraceReceiver* m_guest = nullptr;
};

DyetraceHostPort::DyetraceHostPort(const Config& config, const eppc::EppcConfig& eppcConfig, uint64_t seed)
    : m_config(config),
      m_notesGuests(eppcConfig.flow_traces > 0),
      m_delaysGuests(!config.guestDelay.IsZero()),
      m_guestMtu(static_cast<uint32_t>(eppc::Eppc::guest_mtu(eppcConfig))),
      m_clock(config.clock),
      m_eppc(CreateEppc(eppcConfig, seed, LocalTime())),
      m_wake(
          config.host, [this] { return LocalTime(); },
          [this] {
              TakeArrivals();
              ServiceAt(LocalTime());
          }),
      m_eppcConfig(eppcConfig),
      m_seed(seed),
      m_resolved(config.guests->size(), false) {
    m_config.fabric->Attach(m_config.host, this);
    m_config.fabric->AttachControl(m_config.host, this);
    if (!m_delaysGuests) return;
    m_toEppc = std::make_unique<DyetraceDelayLine>(
        m_config.host, m_config.guestDelay,
        [this](dyetrace::GuestPort port, DyetracePacket* packet) { EncapsulateLater(port, packet); });
    m_toGuests = std::make_unique<DyetraceDelayLine>(
        m_config.host, m_config.guestDelay,
        [this](dyetrace::GuestPort port, DyetracePacket* packet) { ToGuestLater(port, packet); });
}

DyetraceHostPort::~DyetraceHostPort() {
    for (const auto& [port, service] : std::exchange(m_services, {}))
        service->PortGoes();
    m_config.fabric->AttachControl(m_config.host, nullptr);
    m_config.fabric->Detach(m_config.host);
    if (!m_delaysGuests || !m_config.fabric->IsBuilt()) return;  // its pool went with it
    for (DyetraceDelayLine* const line : {m_toEppc.get(), m_toGuests.get()}) {
        while (DyetracePacket* const packet = line->Take())
            m_config.fabric->GetPool().Free(packet);
    }
}

wire::FrameBuffer DyetraceHostPort::ToBuffer(DyetracePacket& packet) {
    if (packet.tail != m_lastTail) {
        m_lastTail = packet.tail;
        m_lastTailSum =
            static_cast<uint16_t>(~wire::checksum_finish(DyetracePayload::ChecksumSum(packet.tail)));
    }
    return {packet.Data(), packet.begin, packet.end, packet.tail, m_lastTailSum};
}

dyetrace::Time DyetraceHostPort::LocalTime() {
    return m_clock.Read(Simulator::Now().GetNanoSeconds());
}

void DyetraceHostPort::TakeArrivals() {
    m_config.fabric->TakeArrivals(m_config.host);
}

std::size_t DyetraceHostPort::FindPlugged(uint32_t guest) const {
    const auto found = std::find_if(m_guests.begin(), m_guests.end(),
                                    [guest](const Plugged& plugged) { return plugged.guest == guest; });
    return static_cast<std::size_t>(found - m_guests.begin());
}

// A guest that comes back gets the port that it had.
DyetraceGuestPort& DyetraceHostPort::AddGuest(uint32_t guest) {
    const DyetraceGuest& who = m_config.guests->at(guest);
    const std::size_t place = FindPlugged(guest);
    if (place == m_guests.size()) {
        const dyetrace::GuestPort number{static_cast<uint32_t>(place)};
        m_guestPorts.push_back(std::make_unique<GuestPort>(*this, number));
        m_guests.push_back({guest, who.vni, DyetraceToMac(who.mac).to_integer(), false});
    }
    if (m_resolved[guest] && !m_guests[place].isHere) {
        const auto removed =
            m_eppc.remove_remote(dyetrace::Vni{who.vni}, DyetraceToMac(who.mac), LocalTime());
        NS_ABORT_MSG_UNLESS(removed.ok(), "guest " << guest << ": " << removed.error());
    }
    m_guests[place].isHere = true;
    AddToEngine(guest);
    m_resolved[guest] = true;
    return *m_guestPorts[place];
}

DyetraceGuestPort* DyetraceHostPort::FindGuest(uint32_t guest) const {
    const std::size_t place = FindPlugged(guest);
    return place < m_guests.size() && m_guests[place].isHere ? m_guestPorts[place].get() : nullptr;
}

void DyetraceHostPort::RemoveGuest(uint32_t guest) {
    const std::size_t place = FindPlugged(guest);
    const auto removed = m_eppc.remove_guest(dyetrace::GuestPort{static_cast<uint32_t>(place)}, LocalTime());
    NS_ABORT_MSG_UNLESS(removed.ok(), "guest " << guest << ": " << removed.error());
    m_guests[place].isHere = false;
    m_resolved[guest] = false;
    m_guestPorts[place]->Connect(nullptr);
}

void DyetraceHostPort::Learn(uint32_t guest) {
    const DyetraceGuest& who = m_config.guests->at(guest);
    const Ipv4Address peer = m_config.fabric->GetTopology().GetNode(who.host).address;
    const auto moved = m_eppc.move_remote(dyetrace::Vni{who.vni}, DyetraceToMac(who.mac),
                                          DyetraceToUnderlay(peer, IsIpv6()), LocalTime());
    NS_ABORT_MSG_UNLESS(moved.ok(), "remote guest " << guest << ": " << moved.error());
}

// An overlay's controller tells a host of another guest when that is first needed: to tell every host of
// every guest would take memory by the square of their number.
void DyetraceHostPort::Resolve(uint32_t guest) {
    if (m_resolved.at(guest)) return;
    m_resolved[guest] = true;
    AddToEngine(guest);
}

void DyetraceHostPort::AddToEngine(uint32_t guest) {
    const DyetraceGuest& who = m_config.guests->at(guest);
    const dyetrace::Vni vni{who.vni};
    const std::size_t own = FindPlugged(guest);
    if (own < m_guests.size() && m_guests[own].isHere) {
        const dyetrace::GuestPort number{static_cast<uint32_t>(own)};
        const auto added = m_eppc.add_guest(number, vni, DyetraceToMac(who.mac));
        NS_ABORT_MSG_UNLESS(added.ok(), "guest " << guest << ": " << added.error());
        return;
    }
    const Ipv4Address peer = m_config.fabric->GetTopology().GetNode(who.host).address;
    const auto added = m_eppc.add_remote(vni, DyetraceToMac(who.mac), DyetraceToUnderlay(peer, IsIpv6()));
    NS_ABORT_MSG_UNLESS(added.ok(), "remote guest " << guest << ": " << added.error());
}

void DyetraceHostPort::FromGuest(dyetrace::GuestPort port, DyetracePacket* packet) {
    TakeArrivals();
    if (IsCrashed()) return m_config.fabric->GetPool().Free(packet);
    const dyetrace::Time now = LocalTime();
    if (m_notesGuests) NoteAtGuest(port, *packet, wire::FlowStage::GuestOut, now);
    if (!m_delaysGuests) return Encapsulate(port, packet, now);
    m_toEppc->Put(port, packet);
    ServiceAt(now);
}

void DyetraceHostPort::EncapsulateLater(dyetrace::GuestPort port, DyetracePacket* packet) {
    TakeArrivals();
    if (IsCrashed()) return m_config.fabric->GetPool().Free(packet);
    Encapsulate(port, packet, LocalTime());
}

void DyetraceHostPort::Encapsulate(dyetrace::GuestPort port, DyetracePacket* packet, dyetrace::Time now) {
    if (m_guests.size() > 1 && ToNeighbour(port, packet, now)) return ServiceAt(now);
    wire::FrameBuffer buffer = ToBuffer(*packet);
    if (m_eppc.encapsulate(port, buffer, now)) {
        m_config.fabric->GetPool().Free(packet);
    } else {
        FromBuffer(buffer, *packet);
        if (m_config.truth) m_config.truth->NoteSent(*packet, m_trail);
        m_config.fabric->Send(m_config.host, packet);
    }
    ServiceAt(now);
}

bool DyetraceHostPort::ToNeighbour(dyetrace::GuestPort port, DyetracePacket* packet, dyetrace::Time now) {
    if (packet->HeadLength() < wire::EthernetHeader::kSize) return false;
    const Plugged& from = m_guests[port.value];
    const uint64_t destination = dyetrace::load_u64(packet->Frame()) >> 16;
    const uint64_t source = dyetrace::load_u64(packet->Frame() + 6) >> 16;
    if (!from.isHere || source != from.mac) return false;  // the EPPC says why it is not carried
    for (std::size_t place = 0; place < m_guests.size(); ++place) {
        const Plugged& to = m_guests[place];
        if (!to.isHere || to.mac != destination || to.vni != from.vni) continue;
        Deliver(dyetrace::GuestPort{static_cast<uint32_t>(place)}, packet, now);
        return true;
    }
    return false;
}

void DyetraceHostPort::Deliver(dyetrace::GuestPort port, DyetracePacket* packet, dyetrace::Time now) {
    if (!m_delaysGuests) return ToGuest(port, packet, now);
    m_toGuests->Put(port, packet);
}

void DyetraceHostPort::NoteAtGuest(dyetrace::GuestPort port, const DyetracePacket& packet,
                                   wire::FlowStage stage, dyetrace::Time now) {
    m_eppc.note_at_guest(port, {packet.Frame(), packet.HeadLength()}, packet.Length(), stage, now);
}

void DyetraceHostPort::ToGuest(dyetrace::GuestPort port, DyetracePacket* packet, dyetrace::Time now) {
    DyetraceReceiver* const guest = m_guestPorts.at(port.value)->GetConnected();
    if (guest == nullptr) return m_config.fabric->GetPool().Free(packet);
    if (m_notesGuests) NoteAtGuest(port, *packet, wire::FlowStage::GuestIn, now);
    guest->Receive(packet);
}

void DyetraceHostPort::ToGuestLater(dyetrace::GuestPort port, DyetracePacket* packet) {
    TakeArrivals();
    if (IsCrashed()) return m_config.fabric->GetPool().Free(packet);
    const dyetrace::Time now = LocalTime();
    ToGuest(port, packet, now);
    ServiceAt(now);
}

void DyetraceHostPort::Receive(DyetracePacket* packet) {
    if (IsCrashed()) return m_config.fabric->GetPool().Free(packet);
    if (m_config.truth) m_config.truth->NoteArrived(*packet);
    const dyetrace::Time now = LocalTime();
    if (ToService(*packet, now)) return m_config.fabric->GetPool().Free(packet);
    wire::FrameBuffer buffer = ToBuffer(*packet);
    const eppc::Decapsulated what = m_eppc.decapsulate(buffer, now);
    Poll();  // before the guest may answer: no data overtakes a marker that did not count it
    if (what.kind == eppc::Decapsulated::Kind::Deliver) {
        FromBuffer(buffer, *packet);
        Deliver(what.port, packet, now);
    } else if (what.kind == eppc::Decapsulated::Kind::Relay) {
        FromBuffer(buffer, *packet);
        if (m_config.truth) m_config.truth->NoteSent(*packet);
        m_config.fabric->Send(m_config.host, packet);
    } else {
        m_config.fabric->GetPool().Free(packet);
    }
    ServiceAt(now);
}

void DyetraceHostPort::Expect(const DyetracePacket& packet, uint32_t turns) {
    using Step = eppc::Eppc::Step;
    const dyetrace::Bytes frame{packet.Frame(), packet.HeadLength()};
    switch (turns) {
        case 5: dyetrace::prefetch_lines(this, &m_wake); break;
        case 4: m_eppc.expect_from_underlay(frame, Step::Engine); break;
        case 3: m_eppc.expect_from_underlay(frame, Step::Tables); break;
        case 2:
            m_eppc.expect_from_underlay(frame, Step::Peer);
            if (!m_guestPorts.empty()) dyetrace::prefetch_line(m_guestPorts.front().get());
            break;
        case 1:
            m_eppc.expect_from_underlay(frame, Step::Paths);
            if (!m_guestPorts.empty()) dyetrace::prefetch_line(m_guestPorts.front()->GetConnected());
            break;
        default: break;
    }
}

void DyetraceHostPort::ExpectEvent(uint32_t events) {
    using Step = eppc::Eppc::Step;
    switch (events) {
        case 6: dyetrace::prefetch_lines(this, &m_wake); break;
        case 5:
            m_eppc.expect_from_guest(Step::Engine);
            dyetrace::prefetch_line(m_guestPorts.data());
            break;
        case 4:
            m_eppc.expect_from_guest(Step::Tables);
            if (!m_guestPorts.empty()) dyetrace::prefetch_line(m_guestPorts.front().get());
            break;
        case 3:
            m_eppc.expect_from_guest(Step::Peer);
            if (m_config.truth) m_config.truth->NoteExpected(m_trail);
            break;
        case 2: m_eppc.expect_from_guest(Step::Paths); break;
        default: break;
    }
}

void DyetraceHostPort::ServiceAt(dyetrace::Time now) {
    if (IsCrashed()) return;
    if (m_eppc.next_deadline() <= now) m_eppc.advance(now);
    Poll();
    m_wake.At(m_eppc.next_deadline(), now);
}

void DyetraceHostPort::Poll() {
    while (const auto output = m_eppc.poll()) {
        if (const auto* transmit = std::get_if<eppc::Transmit>(&*output)) {
            SendControl(transmit->bytes);
            continue;
        }
        if (m_config.owner != nullptr) m_config.owner->EppcOutput(m_config.host, *output);
        if (m_listener != nullptr) m_listener->EppcOutput(m_config.host, *output);
    }
}

void DyetraceHostPort::SendControl(dyetrace::Bytes frame) {
    DyetracePacket* packet = m_config.fabric->GetPool().Allocate(0, static_cast<uint32_t>(frame.size()));
    std::copy(frame.begin(), frame.end(), packet->Frame());
    if (m_config.truth) m_config.truth->NoteSent(*packet);
    m_config.fabric->Send(m_config.host, packet);
}

bool DyetraceHostPort::ToService(const DyetracePacket& packet, dyetrace::Time now) {
    if (m_services.empty() || packet.tail != 0) return false;  // what a service gets is stored whole
    const dyetrace::Bytes frame{packet.Frame(), packet.HeadLength()};
    if (frame.size() < wire::EthernetHeader::kSize) return false;
    const dyetrace::Bytes rest = frame.subspan(wire::EthernetHeader::kSize);
    const auto ip = wire::IpHeader::parse(dyetrace::load_u16(&frame[12]), rest, rest.size());
    if (!ip.ok() || ip->protocol != wire::kProtocolUdp || ip->is_fragment) return false;
    const dyetrace::Bytes datagram = rest.subspan(ip->header_length, ip->payload_length);
    const auto udp = wire::UdpHeader::parse(datagram, datagram.size());
    if (!udp.ok()) return false;
    const auto service = m_services.find(udp->destination_port);
    if (service == m_services.end()) return false;
    // RFC 8200 section 8.1: over IPv6 there is none without.
    if (udp->checksum == 0 && !ip->source.is_ipv4()) {
        m_udpDrops.add(wire::DropReason::UdpZeroChecksum);
        return true;
    }
    if (!wire::udp_checksum_ok(ip->source, ip->destination, datagram.first(udp->length))) {
        m_udpDrops.add(wire::DropReason::UdpBadChecksum);
        return true;
    }
    if (AreServicesDown()) return true;
    service->second->Handle({ip->source, udp->source_port},
                            datagram.subspan(wire::UdpHeader::kSize, udp->length - wire::UdpHeader::kSize),
                            now);
    return true;
}

void DyetraceHostPort::CountFault(bool begins, uint16_t& inForce) {
    if (begins) {
        ++inForce;
    } else if (inForce > 0) {
        --inForce;
    }
}

void DyetraceHostPort::SetCrashed(bool isCrashed) {
    CountFault(isCrashed, m_crashes);
    if (!IsCrashed()) RestartEppc();
}

void DyetraceHostPort::RestartEppc() {
    ++m_boots;
    m_eppc = CreateEppc(m_eppcConfig, dyetrace::mix64(m_seed + m_boots), LocalTime());
    for (uint32_t guest = 0; guest < m_resolved.size(); ++guest) {
        if (m_resolved[guest]) AddToEngine(guest);
    }
    WakeSoon();
}

void DyetraceHostPort::SetServicesDown(bool isDown) {
    CountFault(isDown, m_outages);
}

void DyetraceHostPort::ChangeClock(Time step, double driftPpm) {
    m_clock.Change(Simulator::Now().GetNanoSeconds(), step.GetNanoSeconds(), driftPpm);
    WakeSoon();
}

// A change may be made in the midst of another host's event, or of this one's: the engine is left alone until
// then.
void DyetraceHostPort::WakeSoon() {
    const dyetrace::Time now = LocalTime();
    m_wake.At(now, now);
}

void DyetraceHostPort::SendUdp(uint16_t sourcePort, const dyetrace::Endpoint& to, dyetrace::Bytes datagram) {
    if (AreServicesDown()) return;
    eppc::ControlRoute route;
    route.source_mac = m_eppcConfig.mac;
    route.next_hop_mac = m_eppcConfig.gateway_mac;
    route.source = {m_eppcConfig.address, sourcePort};
    route.destination = to;
    route.identification = ++m_udpIdentification;
    SendControl(eppc::build_datagram(route, datagram));
}

}  // namespace ns3
