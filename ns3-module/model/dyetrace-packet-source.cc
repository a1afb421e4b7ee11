// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-packet-source.h"

#include <algorithm>
#include <utility>

#include <ns3/abort.h>
#include <ns3/event-impl.h>
#include <ns3/log.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>
#include <ns3/trace-source-accessor.h>
#include <ns3/uinteger.h>

#include "dyetrace-datagram.h"
#include "dyetrace-host.h"
#include "dyetrace-packet.h"

#include "core/base/random.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetracePacketSource");
NS_OBJECT_ENSURE_REGISTERED(DyetracePacketSource);

namespace {

constexpr uint64_t kSaltGuest = 0x6775657374000001;
constexpr uint64_t kSaltParty = 0x7061727479000001;

}  // namespace

/// The flows that are being sent, and the one event that sends them. Allocates only while there are more
/// flows at a time than there ever were.
class DyetracePacketSource::Sender {
  public:
    struct Place {
        DyetraceGuestPort* port;
        DyetracePacketPool& pool;
        std::shared_ptr<const DyetraceGuests> guests;
        uint32_t self;
        std::shared_ptr<const Party> party;
    };

    Sender(DyetracePacketSource& owner, Place place, uint64_t seed);
    ~Sender();

    void Schedule();
    uint32_t BeginFlow(uint32_t to, uint64_t bytes, int64_t firstNs);
    void MoveTo(DyetraceGuestPort& port);
    /// Of the source's own numbers: what it draws depends on nobody else.
    dyetrace::Random& GetRandom(int64_t stream);

    Place place;
    const uint64_t seed;

  private:
    class Event;

    struct Flow {
        uint32_t to;
        uint64_t remainingBytes;
        DyetraceDatagrams datagrams;
    };
    /// When a flow's next packet is due, and its place in m_flows; earliest first, and then the lower place.
    using Due = std::pair<int64_t, uint32_t>;

    void Run();
    void ScheduleAt(int64_t nowNs, int64_t nextNs);
    /// \return whether there is more
    bool SendPacket(Flow& flow);

    DyetracePacketSource& m_owner;
    Ptr<Event> m_event;
    bool m_hasBegun = false;
    bool m_hasDrawn = false;
    dyetrace::Random m_random{0};
    int64_t m_arrivalNs = Never;
    std::vector<Flow> m_flows;
    std::vector<uint32_t> m_freeFlows;
    std::vector<Due> m_due;  ///< heap, earliest on top
};

class DyetracePacketSource::Sender::Event : public EventImpl {
  public:
    explicit Event(Sender* sender) : m_sender(sender) {}

  protected:
    void Notify() override { m_sender->Run(); }

  private:
    Sender* m_sender;
};

DyetracePacketSource::Sender::Sender(DyetracePacketSource& owner, Place where, uint64_t seedOfAll)
    : place(std::move(where)), seed(seedOfAll), m_owner(owner), m_event(Create<Event>(this)) {}

DyetracePacketSource::Sender::~Sender() {
    m_event->Cancel();
}

// Streams may be assigned until the simulation runs, so nothing is drawn before.
void DyetracePacketSource::Sender::Schedule() {
    const int64_t nowNs = Simulator::Now().GetNanoSeconds();
    const int64_t startNs = std::max(nowNs, m_owner.GetStartNs());
    if (startNs < m_owner.GetStopNs()) ScheduleAt(nowNs, startNs);
}

// The event that is planned is one of the host before; what the guest does is not changed by where it is.
void DyetracePacketSource::Sender::MoveTo(DyetraceGuestPort& port) {
    place.port = &port;
    for (const Due& due : m_due)
        port.Resolve(m_flows[due.second].to);
    m_event->Cancel();
    m_event = Create<Event>(this);
    if (!m_hasBegun) return Schedule();
    const int64_t nowNs = Simulator::Now().GetNanoSeconds();
    const int64_t nextNs = m_due.empty() ? m_arrivalNs : std::min(m_arrivalNs, m_due.front().first);
    if (nextNs != Never) ScheduleAt(nowNs, std::max(nowNs, nextNs));
}

dyetrace::Random& DyetracePacketSource::Sender::GetRandom(int64_t stream) {
    if (!m_hasDrawn) {
        m_hasDrawn = true;
        const uint64_t own = dyetrace::mix64(seed ^ kSaltGuest) + static_cast<uint64_t>(stream);
        m_random = dyetrace::Random(dyetrace::mix64(dyetrace::mix64(own) + place.self));
    }
    return m_random;
}

// Flows before packets, and packets in the order of their flows' places: the same in every run.
void DyetracePacketSource::Sender::Run() {
    const int64_t nowNs = Simulator::Now().GetNanoSeconds();
    if (!m_hasBegun) {
        m_hasBegun = true;
        m_arrivalNs = m_owner.Begin(nowNs);
    }
    while (m_arrivalNs <= nowNs)
        m_arrivalNs = m_owner.Arrive(nowNs);
    while (!m_due.empty() && m_due.front().first <= nowNs) {
        std::pop_heap(m_due.begin(), m_due.end(), std::greater<>());
        auto& [dueNs, number] = m_due.back();
        const bool hasMore = SendPacket(m_flows[number]);
        const int64_t nextNs = hasMore ? m_owner.NextPacket(number, dueNs) : Never;
        if (nextNs == Never) {
            m_freeFlows.push_back(number);
            m_due.pop_back();
        } else {
            dueNs = nextNs;
            std::push_heap(m_due.begin(), m_due.end(), std::greater<>());
        }
    }
    const int64_t nextNs = m_due.empty() ? m_arrivalNs : std::min(m_arrivalNs, m_due.front().first);
    if (nextNs != Never) ScheduleAt(nowNs, nextNs);
}

void DyetracePacketSource::Sender::ScheduleAt(int64_t nowNs, int64_t nextNs) {
    m_event->Ref();  // the simulator drops one reference for each time the event was scheduled
    Simulator::GetImplementation()->ScheduleWithContext((*place.guests)[place.self].host,
                                                        NanoSeconds(static_cast<uint64_t>(nextNs - nowNs)),
                                                        PeekPointer(m_event));
}

uint32_t DyetracePacketSource::Sender::BeginFlow(uint32_t to, uint64_t bytes, int64_t firstNs) {
    place.port->Resolve(to);
    if (m_freeFlows.empty()) {
        m_freeFlows.push_back(static_cast<uint32_t>(m_flows.size()));
        m_flows.emplace_back();
    }
    const uint32_t number = m_freeFlows.back();
    m_freeFlows.pop_back();
    Flow& flow = m_flows[number];
    flow.to = to;
    flow.remainingBytes = bytes;
    flow.datagrams.Begin((*place.guests)[place.self], (*place.guests)[to], m_owner.m_flows);
    ++m_owner.m_flows;
    m_owner.m_flow(to, bytes == Unbounded ? 0 : bytes);
    m_due.emplace_back(firstNs, number);
    std::push_heap(m_due.begin(), m_due.end(), std::greater<>());
    return number;
}

bool DyetracePacketSource::Sender::SendPacket(Flow& flow) {
    const auto payload =
        static_cast<uint32_t>(std::min<uint64_t>(flow.remainingBytes, m_owner.m_packetBytes));
    if (flow.remainingBytes != Unbounded) flow.remainingBytes -= payload;
    DyetracePacket* packet = flow.datagrams.Make(place.pool, payload);
    ++m_owner.m_sentPackets;
    m_owner.m_tx(*packet);
    place.port->Receive(packet);
    return flow.remainingBytes != 0;
}

TypeId DyetracePacketSource::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetracePacketSource")
            .SetParent<Object>()
            .SetGroupName("Dyetrace")
            .AddAttribute("Start", "When the source begins.", TimeValue(Seconds(0)),
                          MakeTimeAccessor(&DyetracePacketSource::m_start), MakeTimeChecker(Seconds(0)))
            .AddAttribute("Stop",
                          "From when on nothing begins; flows of a size that were begun are finished.",
                          TimeValue(Time::Max()), MakeTimeAccessor(&DyetracePacketSource::m_stop),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("PacketBytes", "UDP payload of a packet; a flow's last may be shorter.",
                          UintegerValue(1400), MakeUintegerAccessor(&DyetracePacketSource::m_packetBytes),
                          MakeUintegerChecker<uint32_t>(1, 9000))
            .AddAttribute("Seed", "Of the random numbers; 0 takes RngSeedManager's seed and run.",
                          UintegerValue(0), MakeUintegerAccessor(&DyetracePacketSource::m_seed),
                          MakeUintegerChecker<uint64_t>())
            .AddTraceSource("Flow", "A flow begins.", MakeTraceSourceAccessor(&DyetracePacketSource::m_flow),
                            "ns3::DyetracePacketSource::FlowTracedCallback")
            .AddTraceSource("Tx", "The guest's frame as it is handed to the host's EPPC.",
                            MakeTraceSourceAccessor(&DyetracePacketSource::m_tx),
                            "ns3::DyetracePacketSource::PacketTracedCallback")
            .AddTraceSource("Rx", "A frame that came for the guest.",
                            MakeTraceSourceAccessor(&DyetracePacketSource::m_rx),
                            "ns3::DyetracePacketSource::PacketTracedCallback");
    return tid;
}

DyetracePacketSource::DyetracePacketSource()
    : m_stream(0), m_pool(nullptr), m_flows(0), m_sentPackets(0), m_receivedPackets(0), m_receivedBytes(0) {}

DyetracePacketSource::~DyetracePacketSource() = default;

void DyetracePacketSource::DoDispose() {
    NS_LOG_FUNCTION(this);
    m_sender.reset();
    Object::DoDispose();
}

int64_t DyetracePacketSource::AssignStreams(int64_t stream) {
    NS_LOG_FUNCTION(this << stream);
    m_stream = stream;
    return 1;
}

void DyetracePacketSource::Start(DyetraceGuestPort& port, DyetracePacketPool& pool,
                                 std::shared_ptr<const DyetraceGuests> guests, uint32_t self,
                                 std::shared_ptr<const Party> party) {
    NS_LOG_FUNCTION(this << self);
    NS_ABORT_MSG_IF(m_sender, GetInstanceTypeId().GetName() << "::Start was called before");
    const bool isOfParty = !party || std::binary_search(party->begin(), party->end(), self);
    NS_ABORT_MSG_UNLESS(isOfParty, "guest " << self << " is to send among guests of which it is none");
    m_pool = &pool;
    uint64_t seed = m_seed;
    if (seed == 0)
        seed = dyetrace::mix64(dyetrace::mix64(RngSeedManager::GetSeed()) + RngSeedManager::GetRun());
    Sender::Place place{&port, pool, std::move(guests), self, std::move(party)};
    m_sender = std::make_unique<Sender>(*this, std::move(place), seed);
    Check();
    port.Connect(this);
    m_sender->Schedule();
}

std::string DyetracePacketSource::GetMoveRefusal(const DyetraceHost&) const {
    return {};
}

void DyetracePacketSource::MoveTo(Ptr<DyetraceHost>, DyetraceGuestPort& port) {
    NS_LOG_FUNCTION(this);
    if (m_sender) m_sender->MoveTo(port);
}

void DyetracePacketSource::Receive(DyetracePacket* packet) {
    ++m_receivedPackets;
    m_receivedBytes += packet->Length();
    m_rx(*packet);
    m_pool->Free(packet);
}

void DyetracePacketSource::Check() const {}

int64_t DyetracePacketSource::Arrive(int64_t) {
    return Never;
}

uint32_t DyetracePacketSource::BeginFlow(uint32_t to, uint64_t bytes, int64_t firstNs) {
    return m_sender->BeginFlow(to, bytes, firstNs);
}

double DyetracePacketSource::Uniform() {
    return m_sender->GetRandom(m_stream).uniform();
}

void DyetracePacketSource::CheckPeers() const {
    const DyetraceGuests& guests = *m_sender->place.guests;
    const uint32_t rack = guests[GetSelf()].rack;
    for (uint32_t place = 0; place < GetPartySize(); ++place) {
        if (guests[GetPartyGuest(place)].rack != rack) return;
    }
    NS_ABORT_MSG("guest " << GetSelf() << " has no guest in another rack to send to");
}

uint32_t DyetracePacketSource::DrawPeer() {
    const DyetraceGuests& guests = *m_sender->place.guests;
    const uint32_t rack = guests[GetSelf()].rack;
    dyetrace::Random& random = m_sender->GetRandom(m_stream);
    uint32_t to = GetPartyGuest(random.below(GetPartySize()));
    while (guests[to].rack == rack)
        to = GetPartyGuest(random.below(GetPartySize()));
    return to;
}

uint32_t DyetracePacketSource::GetPartySize() const {
    const Sender::Place& at = m_sender->place;
    return static_cast<uint32_t>(at.party ? at.party->size() : at.guests->size());
}

uint32_t DyetracePacketSource::GetPartyGuest(uint32_t place) const {
    const Sender::Place& at = m_sender->place;
    return at.party ? (*at.party)[place] : place;
}

uint32_t DyetracePacketSource::GetPartyPlace(uint32_t guest) const {
    const Sender::Place& at = m_sender->place;
    if (!at.party) return guest;
    const auto found = std::lower_bound(at.party->begin(), at.party->end(), guest);
    return static_cast<uint32_t>(found - at.party->begin());
}

uint32_t DyetracePacketSource::GetSelf() const {
    return m_sender->place.self;
}

// Two parties of one seed, such as a host's first guests and its second ones, do not do the same.
uint64_t DyetracePacketSource::GetPartySeed() const {
    return dyetrace::mix64(dyetrace::mix64(m_sender->seed ^ kSaltParty) + GetPartyGuest(0));
}

int64_t DyetracePacketSource::GetPacketNs(const DataRate& rate) const {
    return rate.CalculateBytesTxTime(HeaderBytes + m_packetBytes).GetNanoSeconds();
}

double DyetracePacketSource::GetExactPacketNs(const DataRate& rate) const {
    return 8e9 * (HeaderBytes + m_packetBytes) / static_cast<double>(rate.GetBitRate());
}

}  // namespace ns3
