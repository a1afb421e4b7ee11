// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-flow-source.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <ns3/abort.h>
#include <ns3/double.h>
#include <ns3/event-impl.h>
#include <ns3/integer.h>
#include <ns3/log.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>
#include <ns3/trace-source-accessor.h>
#include <ns3/uinteger.h>

#include "dyetrace-datagram.h"
#include "dyetrace-flow-sizes.h"
#include "dyetrace-packet.h"

#include "core/base/random.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceFlowSource");
NS_OBJECT_ENSURE_REGISTERED(DyetraceFlowSource);

namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr uint64_t kSaltGuest = 0x6775657374000001;

}  // namespace

/// The flows that are being sent, and the one event that sends them.
class DyetraceFlowSource::Sender {
  public:
    Sender(DyetraceFlowSource& owner, DyetraceGuestPort& port, std::shared_ptr<const DyetraceGuests> guests,
           uint32_t self, std::shared_ptr<const DyetraceFlowSizes> sizes, uint64_t seed);
    ~Sender();

  private:
    class Event;

    struct Flow {
        uint64_t remainingBytes;
        int64_t nextNs;  ///< when its next packet is due
        DyetraceDatagrams datagrams;
    };
    /// When a flow's next packet is due, and its place in m_flows; earliest first, and then the lower place.
    using Due = std::pair<int64_t, uint32_t>;

    void Run();
    void ScheduleNext(int64_t nowNs);
    void BeginFlow(int64_t nowNs);
    void DrawArrival();
    uint32_t DrawDestination();
    void SendPacket(Flow& flow);
    double Uniform() { return static_cast<double>(m_random.next() >> 11) * 0x1p-53; }

    DyetraceFlowSource& m_owner;
    DyetraceGuestPort& m_port;
    std::shared_ptr<const DyetraceGuests> m_guests;
    uint32_t m_self;
    std::shared_ptr<const DyetraceFlowSizes> m_sizes;
    dyetrace::Random m_random;
    Ptr<Event> m_event;
    int64_t m_packetNs;      ///< between two packets of a flow
    double m_arrivalNs = 0;  ///< when the next flow arrives, with its fraction
    std::vector<Flow> m_flows;
    std::vector<uint32_t> m_freeFlows;
    std::vector<Due> m_due;  ///< heap, earliest on top
};

class DyetraceFlowSource::Sender::Event : public EventImpl {
  public:
    explicit Event(Sender* sender) : m_sender(sender) {}

  protected:
    void Notify() override { m_sender->Run(); }

  private:
    Sender* m_sender;
};

DyetraceFlowSource::Sender::Sender(DyetraceFlowSource& owner, DyetraceGuestPort& port,
                                   std::shared_ptr<const DyetraceGuests> guests, uint32_t self,
                                   std::shared_ptr<const DyetraceFlowSizes> sizes, uint64_t seed)
    : m_owner(owner),
      m_port(port),
      m_guests(std::move(guests)),
      m_self(self),
      m_sizes(std::move(sizes)),
      m_random(seed),
      m_event(Create<Event>(this)),
      m_packetNs(owner.m_flowRate.CalculateBytesTxTime(HeaderBytes + owner.m_packetBytes).GetNanoSeconds()) {
    const uint32_t rack = (*m_guests)[self].rack;
    const bool hasPeer = std::any_of(m_guests->begin(), m_guests->end(),
                                     [rack](const DyetraceGuest& guest) { return guest.rack != rack; });
    NS_ABORT_MSG_UNLESS(hasPeer, "guest " << self << " has no guest in another rack to send to");
    const int64_t nowNs = Simulator::Now().GetNanoSeconds();
    m_arrivalNs = static_cast<double>(std::max(nowNs, owner.m_start.GetNanoSeconds()));
    DrawArrival();
    ScheduleNext(nowNs);
}

DyetraceFlowSource::Sender::~Sender() {
    m_event->Cancel();
}

// Flows before packets, and packets in the order of their flows' places: the same in every run.
void DyetraceFlowSource::Sender::Run() {
    const int64_t nowNs = Simulator::Now().GetNanoSeconds();
    while (m_arrivalNs <= static_cast<double>(nowNs)) {
        BeginFlow(nowNs);
        DrawArrival();
    }
    while (!m_due.empty() && m_due.front().first <= nowNs) {
        std::pop_heap(m_due.begin(), m_due.end(), std::greater<>());
        const uint32_t place = m_due.back().second;
        Flow& flow = m_flows[place];
        SendPacket(flow);
        if (flow.remainingBytes == 0) {
            m_due.pop_back();
            m_freeFlows.push_back(place);
        } else {
            m_due.back().first = flow.nextNs;
            std::push_heap(m_due.begin(), m_due.end(), std::greater<>());
        }
    }
    ScheduleNext(nowNs);
}

void DyetraceFlowSource::Sender::ScheduleNext(int64_t nowNs) {
    int64_t nextNs = m_due.empty() ? kNever : m_due.front().first;
    const double endNs = static_cast<double>(m_owner.m_stop.GetNanoSeconds());
    if (m_arrivalNs < endNs) nextNs = std::min(nextNs, static_cast<int64_t>(std::ceil(m_arrivalNs)));
    if (nextNs == kNever) return;
    m_event->Ref();  // the simulator drops one reference for each time the event was scheduled
    Simulator::GetImplementation()->ScheduleWithContext(
        (*m_guests)[m_self].host, NanoSeconds(static_cast<uint64_t>(nextNs - nowNs)), PeekPointer(m_event));
}

void DyetraceFlowSource::Sender::DrawArrival() {
    const double meanNs = 1e9 / m_owner.m_arrivalRate;
    m_arrivalNs += -std::log1p(-Uniform()) * meanNs;
    if (m_arrivalNs >= static_cast<double>(m_owner.m_stop.GetNanoSeconds())) {
        m_arrivalNs = std::numeric_limits<double>::infinity();
    }
}

uint32_t DyetraceFlowSource::Sender::DrawDestination() {
    const auto count = static_cast<uint32_t>(m_guests->size());
    const uint32_t rack = (*m_guests)[m_self].rack;
    uint32_t to = m_random.below(count);
    while ((*m_guests)[to].rack == rack)
        to = m_random.below(count);
    return to;
}

void DyetraceFlowSource::Sender::BeginFlow(int64_t nowNs) {
    const uint32_t to = DrawDestination();
    const uint64_t bytes = m_sizes->GetQuantile(Uniform());
    m_port.Resolve(to);
    ++m_owner.m_flows;
    m_owner.m_flow(to, bytes);
    if (m_freeFlows.empty()) {
        m_freeFlows.push_back(static_cast<uint32_t>(m_flows.size()));
        m_flows.emplace_back();
    }
    const uint32_t place = m_freeFlows.back();
    m_freeFlows.pop_back();
    Flow& flow = m_flows[place];
    flow.remainingBytes = bytes;
    flow.nextNs = nowNs;
    flow.datagrams.Begin((*m_guests)[m_self], (*m_guests)[to], m_owner.m_flows - 1);
    m_due.emplace_back(nowNs, place);
    std::push_heap(m_due.begin(), m_due.end(), std::greater<>());
}

void DyetraceFlowSource::Sender::SendPacket(Flow& flow) {
    const auto payload =
        static_cast<uint32_t>(std::min<uint64_t>(flow.remainingBytes, m_owner.m_packetBytes));
    flow.remainingBytes -= payload;
    DyetracePacket* packet = flow.datagrams.Make(*m_owner.m_pool, payload);
    flow.nextNs += m_packetNs;  // of a whole packet; after a shorter one there is no other
    ++m_owner.m_sentPackets;
    m_port.Receive(packet);
}

TypeId DyetraceFlowSource::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceFlowSource")
            .SetParent<Object>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceFlowSource>()
            .AddAttribute("Start", "When flows begin to arrive.", TimeValue(Seconds(0)),
                          MakeTimeAccessor(&DyetraceFlowSource::m_start), MakeTimeChecker(Seconds(0)))
            .AddAttribute("Stop", "When flows cease to arrive; those begun are finished.",
                          TimeValue(Time::Max()), MakeTimeAccessor(&DyetraceFlowSource::m_stop),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("ArrivalRate", "Mean number of flows a second that the guest begins.",
                          DoubleValue(10), MakeDoubleAccessor(&DyetraceFlowSource::m_arrivalRate),
                          MakeDoubleChecker<double>(1e-9, 1e9))
            .AddAttribute("FlowRate", "Pace of one flow: bits of its Ethernet frames a second.",
                          DataRateValue(DataRate("250Mbps")),
                          MakeDataRateAccessor(&DyetraceFlowSource::m_flowRate), MakeDataRateChecker())
            .AddAttribute("PacketBytes", "UDP payload of a packet; a flow's last may be shorter.",
                          UintegerValue(1400), MakeUintegerAccessor(&DyetraceFlowSource::m_packetBytes),
                          MakeUintegerChecker<uint32_t>(1, 9000))
            .AddAttribute("Seed", "Of the random numbers; 0 takes RngSeedManager's seed and run.",
                          UintegerValue(0), MakeUintegerAccessor(&DyetraceFlowSource::m_seed),
                          MakeUintegerChecker<uint64_t>())
            .AddTraceSource("Flow", "A flow begins.", MakeTraceSourceAccessor(&DyetraceFlowSource::m_flow),
                            "ns3::DyetraceFlowSource::FlowTracedCallback");
    return tid;
}

DyetraceFlowSource::DyetraceFlowSource()
    : m_stream(0), m_pool(nullptr), m_flows(0), m_sentPackets(0), m_receivedPackets(0), m_receivedBytes(0) {}

DyetraceFlowSource::~DyetraceFlowSource() = default;

void DyetraceFlowSource::DoDispose() {
    m_sender.reset();
    Object::DoDispose();
}

int64_t DyetraceFlowSource::AssignStreams(int64_t stream) {
    m_stream = stream;
    return 1;
}

void DyetraceFlowSource::Start(DyetraceGuestPort& port, DyetracePacketPool& pool,
                               std::shared_ptr<const DyetraceGuests> guests, uint32_t self,
                               std::shared_ptr<const DyetraceFlowSizes> sizes) {
    NS_LOG_FUNCTION(this << self);
    NS_ABORT_MSG_IF(m_sender, "DyetraceFlowSource::Start was called before");
    m_pool = &pool;
    port.Connect(this);
    uint64_t seed = m_seed;
    if (seed == 0)
        seed = dyetrace::mix64(dyetrace::mix64(RngSeedManager::GetSeed()) + RngSeedManager::GetRun());
    seed = dyetrace::mix64(dyetrace::mix64(seed ^ kSaltGuest) + static_cast<uint64_t>(m_stream)) + self;
    seed = dyetrace::mix64(seed);
    m_sender = std::make_unique<Sender>(*this, port, std::move(guests), self, std::move(sizes), seed);
}

void DyetraceFlowSource::Receive(DyetracePacket* packet) {
    ++m_receivedPackets;
    m_receivedBytes += packet->Length();
    m_pool->Free(packet);
}

}  // namespace ns3
