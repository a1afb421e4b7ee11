// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-host-port.h"

#include <algorithm>
#include <utility>

#include <ns3/abort.h>
#include <ns3/event-impl.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>

#include "dyetrace-fabric.h"
#include "dyetrace-truth.h"

namespace ns3 {

namespace eppc = dyetrace::eppc;
namespace wire = dyetrace::wire;

namespace {

wire::FrameBuffer ToBuffer(DyetracePacket& packet) {
    return {packet.Data(), packet.begin, packet.end, packet.tail};
}

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

class DyetraceHostPort::WakeEvent : public EventImpl {
  public:
    explicit WakeEvent(DyetraceHostPort* port) : m_port(port) {}

  protected:
    void Notify() override { m_port->Wake(); }

  private:
    DyetraceHostPort* m_port;
};

class DyetraceHostPort::GuestPort : public DyetraceGuestPort {
  public:
    GuestPort(DyetraceHostPort& host, dyetrace::GuestPort number) : m_host(host), m_number(number) {}

    void Receive(DyetracePacket* packet) override { m_host.FromGuest(m_number, packet); }
    void Resolve(uint32_t guest) override { m_host.Resolve(guest); }
    void Connect(DyetraceReceiver* guest) override { m_guest = guest; }
    DyetraceReceiver* GetGuest() const { return m_guest; }

  private:
    DyetraceHostPort& m_host;
    dyetrace::GuestPort m_number;
    DyetraceReceiver* m_guest = nullptr;
};

DyetraceHostPort::DyetraceHostPort(const Config& config, const eppc::EppcConfig& eppcConfig, uint64_t seed)
    : m_config(config),
      m_eppc(CreateEppc(eppcConfig, seed, LocalTime())),
      m_resolved(config.guests->size(), false),
      m_wake(Create<WakeEvent>(this)),
      m_wakeAt(dyetrace::Time::never()) {
    m_config.fabric->Attach(m_config.host, this);
}

DyetraceHostPort::~DyetraceHostPort() {
    m_wake->Cancel();
}

dyetrace::Time DyetraceHostPort::LocalTime() const {
    return {Simulator::Now().GetNanoSeconds()};
}

DyetraceGuestPort& DyetraceHostPort::AddGuest(uint32_t guest) {
    const DyetraceGuest& who = m_config.guests->at(guest);
    const dyetrace::GuestPort number{static_cast<uint32_t>(m_guestPorts.size())};
    dyetrace::MacAddress mac;
    who.mac.CopyTo(mac.octets.data());
    const auto added = m_eppc.add_guest(number, dyetrace::Vni{who.vni}, mac);
    NS_ABORT_MSG_UNLESS(added.ok(), "guest " << guest << ": " << added.error());
    m_guestPorts.push_back(std::make_unique<GuestPort>(*this, number));
    m_resolved[guest] = true;
    return *m_guestPorts.back();
}

// An overlay's controller tells a host of another guest when that is first needed: to tell every host of
// every guest would take memory by the square of their number.
void DyetraceHostPort::Resolve(uint32_t guest) {
    if (m_resolved.at(guest)) return;
    m_resolved[guest] = true;
    const DyetraceGuest& who = (*m_config.guests)[guest];
    dyetrace::MacAddress mac;
    who.mac.CopyTo(mac.octets.data());
    const Ipv4Address peer = m_config.fabric->GetTopology().GetNode(who.host).address;
    const auto added = m_eppc.add_remote(dyetrace::Vni{who.vni}, mac, dyetrace::Ipv4Address{peer.Get()});
    NS_ABORT_MSG_UNLESS(added.ok(), "remote guest " << guest << ": " << added.error());
}

void DyetraceHostPort::FromGuest(dyetrace::GuestPort port, DyetracePacket* packet) {
    m_config.fabric->TakeArrivals(m_config.host);
    const dyetrace::Time now = LocalTime();
    wire::FrameBuffer buffer = ToBuffer(*packet);
    if (m_eppc.encapsulate(port, buffer, now)) {
        m_config.fabric->GetPool().Free(packet);
    } else {
        FromBuffer(buffer, *packet);
        if (m_config.truth) m_config.truth->NoteSent(*packet);
        m_config.fabric->Send(m_config.host, packet);
    }
    ServiceAt(now);
}

void DyetraceHostPort::Receive(DyetracePacket* packet) {
    if (m_config.truth) m_config.truth->NoteArrived(*packet);
    const dyetrace::Time now = LocalTime();
    wire::FrameBuffer buffer = ToBuffer(*packet);
    const eppc::Decapsulated what = m_eppc.decapsulate(buffer, now);
    DyetraceReceiver* guest = nullptr;
    if (what.kind == eppc::Decapsulated::Kind::Deliver) guest = m_guestPorts.at(what.port.value)->GetGuest();
    if (guest != nullptr) {
        FromBuffer(buffer, *packet);
        guest->Receive(packet);
    } else {
        m_config.fabric->GetPool().Free(packet);
    }
    ServiceAt(now);
}

void DyetraceHostPort::Service() {
    ServiceAt(LocalTime());
}

void DyetraceHostPort::Wake() {
    const dyetrace::Time now = LocalTime();
    if (now < m_wakeAt) return;  // an earlier deadline came in between, and has scheduled what follows
    m_wakeAt = dyetrace::Time::never();
    m_config.fabric->TakeArrivals(m_config.host);
    ServiceAt(now);
}

void DyetraceHostPort::ServiceAt(dyetrace::Time now) {
    if (m_eppc.next_deadline() <= now) m_eppc.advance(now);
    Poll();
    ScheduleWake(now);
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

void DyetraceHostPort::ScheduleWake(dyetrace::Time now) {
    const dyetrace::Time deadline = m_eppc.next_deadline();
    if (deadline >= m_wakeAt) return;
    m_wakeAt = std::max(deadline, now);
    m_wake->Ref();  // the simulator drops one reference for each time the event was scheduled
    Simulator::GetImplementation()->ScheduleWithContext(
        m_config.host, NanoSeconds(static_cast<uint64_t>((m_wakeAt - now).ns)), PeekPointer(m_wake));
}

}  // namespace ns3
