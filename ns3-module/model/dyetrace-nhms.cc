// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-nhms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <ns3/abort.h>
#include <ns3/boolean.h>
#include <ns3/double.h>
#include <ns3/event-id.h>
#include <ns3/log.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/trace-source-accessor.h>
#include <ns3/uinteger.h>

#include "dyetrace-client-convert.h"
#include "dyetrace-convert.h"
#include "dyetrace-engines.h"
#include "dyetrace-fabric.h"
#include "dyetrace-host-port.h"
#include "dyetrace-host.h"
#include "dyetrace-placement.h"
#include "dyetrace-wake.h"

#include "core/base/random.h"
#include "core/health/counter_names.h"
#include "core/health/nhms.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceNhms");
NS_OBJECT_ENSURE_REGISTERED(DyetraceNhms);

namespace health = dyetrace::health;
namespace localise = dyetrace::localise;

namespace {

constexpr uint64_t kSaltNhms = 0x6e686d7300000001;

/// The fabric as its operator configured it: nodes and links with the fabric's own numbers.
localise::FabricGraph MakeGraph(const DyetraceTopology& topology, bool isIpv6) {
    localise::FabricGraph graph;
    for (uint32_t number = 0; number < topology.GetNNodes(); ++number) {
        const DyetraceTopology::Node& node = topology.GetNode(number);
        const auto kind =
            node.tier == DyetraceTopology::Tier::Host ? localise::NodeKind::Host : localise::NodeKind::Switch;
        graph.add_node(node.name, kind, DyetraceToUnderlay(node.address, isIpv6));
    }
    for (uint32_t link = 0; link < topology.GetNLinks(); ++link) {
        graph.add_link(localise::NodeId{topology.GetFrom(link)}, localise::NodeId{topology.GetTo(link)});
    }
    return graph;
}

health::Nhms CreateNhms(const health::NhmsConfig& config, const DyetraceTopology& topology, uint64_t seed,
                        dyetrace::Time now) {
    const bool isIpv6 = !config.endpoint.address.is_ipv4();
    auto created = health::Nhms::create(config, MakeGraph(topology, isIpv6), seed, now);
    NS_ABORT_MSG_UNLESS(created.ok(),
                        "the health service at " << config.endpoint.to_string() << ": " << created.error());
    return std::move(created).value();
}

void NameSubject(const health::Subject& subject, const localise::FabricGraph& graph, std::string& from,
                 std::string& to, std::string& device) {
    if (!subject.is_link()) {
        device = graph.name(subject.device);
        return;
    }
    from = graph.name(subject.from);
    to = graph.name(subject.to);
}

health::RemedyMode ParseMode(const char* attribute, const std::string& text) {
    const auto mode = health::parse_remedy_mode(text);
    NS_ABORT_MSG_UNLESS(
        mode, "DyetraceNhms: " << attribute << " is off, advisory or automatic, not \"" << text << '"');
    return *mode;
}

DyetraceSuspect ToSuspect(const localise::Suspect& suspect, const localise::FabricGraph& graph) {
    const bool isDevice = suspect.kind == localise::Suspect::Kind::Device;
    if (isDevice)
        return {true, "", "", graph.name(suspect.device), suspect.log_odds, suspect.group, suspect.loss_rate};
    return {false,         graph.name(suspect.from), graph.name(suspect.to), "", suspect.log_odds,
            suspect.group, suspect.loss_rate};
}

/// "guest 9 to host-0-3, guest 25 to host-3-1", and why others stay.
std::string Describe(const DyetraceEvacuation& evacuation, const DyetraceTopology& topology) {
    constexpr std::size_t kNamedMost = 8;
    std::string text = evacuation.isOld && !evacuation.moved.empty() ? "they had left before: " : "";
    for (std::size_t i = 0; i < std::min(evacuation.moved.size(), kNamedMost); ++i) {
        const DyetraceEvacuation::Moved& moved = evacuation.moved[i];
        text += (i == 0 ? "" : ", ") + ("guest " + std::to_string(moved.guest)) + " to " +
                topology.GetNode(moved.to).name;
    }
    if (evacuation.moved.size() > kNamedMost)
        text += " and " + std::to_string(evacuation.moved.size() - kNamedMost) + " more";
    if (evacuation.moved.empty() && evacuation.stayed.empty()) text += "there is none";
    if (!evacuation.stayed.empty()) {
        text += (evacuation.moved.empty() ? "" : "; ") +
                ("guest " + std::to_string(evacuation.stayed[0].guest)) +
                " stays: " + evacuation.stayed[0].why;
    }
    return text;
}

}  // namespace

/// The engine, fed with the datagrams that its host's port hands over.
class DyetraceNhms::State : public DyetraceUdpService {
  public:
    State(DyetraceNhms& owner, DyetraceFabric& fabric, DyetraceHostPort& port,
          const health::NhmsConfig& config, const DyetraceTopology& topology, uint64_t seed)
        : m_owner(owner),
          m_fabric(fabric),
          m_port(port),
          m_udpPort(config.endpoint.port),
          m_engine(CreateNhms(config, topology, seed, port.LocalTime())),
          m_wake(
              port.GetHost(), [this] { return m_port.LocalTime(); }, [this] { Wake(); }) {
        port.Listen(config.endpoint.port, this);
        Service(port.LocalTime());
        PlanReading();
    }
    ~State() override {
        m_reading.Cancel();
        m_port.Unlisten(m_udpPort);
    }

    void Handle(const dyetrace::Endpoint& from, dyetrace::Bytes datagram, dyetrace::Time now) override {
        m_engine.handle(from, datagram, now);
        Service(now);
    }

    /// Ends this object: without its host there is no service.
    void PortGoes() override { m_owner.Stop(); }

    health::Nhms& GetEngine() { return m_engine; }
    dyetrace::Time LocalTime() { return m_port.LocalTime(); }
    /// Does what a call on the engine has made due.
    void ServiceNow() { Service(m_port.LocalTime()); }
    /// Where a host is reached over the underlay.
    DyetraceHostAddresses GetAddresses() const {
        return [this](uint32_t host) {
            return DyetraceToUnderlay(m_fabric.GetTopology().GetNode(host).address, m_port.IsIpv6());
        };
    }

    void TakeCounters(const std::vector<health::LinkReading>& readings) {
        m_port.TakeArrivals();
        m_engine.take_counters(readings, LocalTime());
        ServiceNow();
    }
    void TakeConclusions(const std::string& service, const health::Concluded& concluded) {
        m_port.TakeArrivals();
        m_engine.take_conclusions(service, concluded, LocalTime());
        ServiceNow();
    }

    /// Keeps the names that tenants have for their guests.
    void KnowTenants(const DyetraceClients& clients) {
        m_tenantGuests.clear();
        for (const DyetraceTenant& tenant : clients.tenants) {
            for (const DyetraceTenant::Guest& guest : tenant.guests)
                m_tenantGuests[guest.guest].emplace_back(tenant.name, guest.name);
        }
    }
    void NoteMove(uint32_t guest, uint32_t to) {
        const auto known = m_tenantGuests.find(guest);
        if (known == m_tenantGuests.end()) return;
        m_port.TakeArrivals();
        for (const auto& [tenant, name] : known->second)
            m_engine.move_guest(tenant, name, GetAddresses()(to), LocalTime());
        ServiceNow();
    }

    std::shared_ptr<const DyetraceGuests> guests;  ///< known with the clients
    void Listen(DyetraceEngineListener* listener) { m_listener = listener; }

  private:
    void Wake() {
        m_port.TakeArrivals();
        Service(m_port.LocalTime());
    }

    void PlanReading() {
        if (m_owner.m_readCounters.IsStrictlyPositive())
            m_reading = Simulator::Schedule(m_owner.m_readCounters, &State::ReadCounters, this);
    }

    /// What the fabric's switches show of their ports, as a collector would ask for it.
    void ReadCounters() {
        const DyetraceTopology& topology = m_fabric.GetTopology();
        std::vector<health::LinkReading> readings;
        for (uint32_t link = 0; link < topology.GetNLinks(); ++link) {
            const uint32_t to = topology.GetTo(link);
            const uint64_t packets = m_fabric.GetLinkPackets(link);
            if (to < topology.GetNHosts() || packets == 0) continue;
            readings.push_back({topology.GetNode(topology.GetFrom(link)).name, topology.GetNode(to).name,
                                packets, m_fabric.GetFrameErrors(link)});
        }
        TakeCounters(readings);
        PlanReading();
    }

    void TellParent(const health::Concluded& concluded) {
        if (!m_owner.m_parent) return;
        Simulator::Schedule(m_owner.m_parentDelay, &DyetraceNhms::PassOn, m_owner.m_parent,
                            m_owner.m_nameAtParent, std::make_shared<const health::Concluded>(concluded));
    }

    void Service(dyetrace::Time now) {
        if (m_engine.next_deadline() <= now) m_engine.advance(now);
        while (const auto output = m_engine.poll()) {
            if (const auto* datagram = std::get_if<health::Datagram>(&*output)) {
                m_port.SendUdp(m_udpPort, datagram->to, datagram->bytes);
                continue;
            }
            Tell(*output);
            if (m_listener != nullptr) m_listener->NhmsOutput(m_port.GetHost(), *output);
        }
        m_wake.At(m_engine.next_deadline(), now);
    }

    void Tell(const health::Output& output) {
        const localise::FabricGraph& graph = m_engine.graph();
        if (const auto* changed = std::get_if<health::HealthChanged>(&output)) {
            m_owner.m_health(DyetraceHealthChange{
                DyetraceFromAddress(changed->requester), DyetraceFromAddress(changed->acceptor),
                std::string(to_string(changed->health)), changed->sent, changed->lost, changed->reason});
        } else if (const auto* step = std::get_if<health::IncidentChanged>(&output)) {
            DyetraceIncidentStep told{step->incident.value,
                                      std::string(to_string(step->state)),
                                      std::string(to_string(step->step)),
                                      "",
                                      "",
                                      "",
                                      step->detail};
            NameSubject(step->subject, graph, told.from, told.to, told.device);
            m_owner.m_incident(told);
        } else if (const auto* named = std::get_if<health::SuspectsNamed>(&output)) {
            std::vector<DyetraceSuspect> suspects;
            for (const auto& suspect : named->suspects)
                suspects.push_back(ToSuspect(suspect, graph));
            m_owner.m_suspects(named->incident.value, suspects);
        } else if (const auto* drain = std::get_if<health::DrainRequested>(&output)) {
            if (drain->automatic) Drain(*drain);
            TellRemedy(drain->incident, drain->undrain ? "undrain" : "drain", drain->subject,
                       drain->automatic);
        } else if (const auto* migration = std::get_if<health::MigrationRequested>(&output)) {
            if (migration->automatic) Migrate(*migration);
            TellRemedy(migration->incident, "migrate", health::Subject::of_device(migration->host),
                       migration->automatic);
        } else if (const auto* event = std::get_if<health::TenantNotified>(&output)) {
            if (!m_owner.m_tenant.IsEmpty()) m_owner.m_tenant(DyetraceFromEvent(*event));
        } else if (const auto* scored = std::get_if<health::InstanceScored>(&output)) {
            m_owner.m_score(DyetraceFromScore(scored->score));
        } else if (const auto* traced = std::get_if<health::FlowTraced>(&output)) {
            if (!m_owner.m_flowTrace.IsEmpty())
                m_owner.m_flowTrace(traced->trace.value, DyetraceFromResult(*traced->result, graph));
        } else if (const auto* concluded = std::get_if<health::Concluded>(&output)) {
            TellParent(*concluded);
        } else if (const auto* notice = std::get_if<health::OperatorNotified>(&output)) {
            TellRemedy(notice->incident, "notify", notice->subject, false);
        }
    }

    void TellRemedy(health::IncidentId incident, const char* kind, const health::Subject& subject,
                    bool automatic) {
        DyetraceRemedy remedy{incident.value, kind, "", "", "", automatic};
        NameSubject(subject, m_engine.graph(), remedy.from, remedy.to, remedy.device);
        m_owner.m_remedy(remedy);
    }

    void Migrate(const health::MigrationRequested& migration) {
        if (!m_owner.m_placement) return;
        const health::IncidentId incident = migration.incident;
        m_owner.m_placement->Evacuate(
            migration.host.value,
            [this, incident](const DyetraceEvacuation& evacuation) { NoteEvacuation(incident, evacuation); });
    }

    void NoteEvacuation(health::IncidentId incident, const DyetraceEvacuation& evacuation) {
        health::GuestsMoved report;
        report.incident = incident;
        report.stayed = evacuation.stayed.size();
        for (const DyetraceEvacuation::Moved& moved : evacuation.moved)
            report.to.push_back(GetAddresses()(moved.to));
        report.detail = Describe(evacuation, m_fabric.GetTopology());
        m_port.TakeArrivals();
        m_engine.guests_moved(report, LocalTime());
        ServiceNow();
    }

    /// Does what the network's controller would; nodes and links have one numbering here and there. A host is
    /// for who places guests to drain.
    void Drain(const health::DrainRequested& drain) {
        const DyetraceTopology& topology = m_fabric.GetTopology();
        if (drain.subject.is_link()) {
            m_fabric.DrainLink(topology.FindLink(drain.subject.from.value, drain.subject.to.value),
                               !drain.undrain);
        } else if (drain.subject.device.value >= topology.GetNHosts()) {
            m_fabric.DrainNode(drain.subject.device.value, !drain.undrain);
        } else if (m_owner.m_placement) {
            m_owner.m_placement->SetDrained(drain.subject.device.value, !drain.undrain);
        }
    }

    DyetraceNhms& m_owner;
    DyetraceFabric& m_fabric;
    DyetraceHostPort& m_port;
    uint16_t m_udpPort;
    health::Nhms m_engine;
    DyetraceWake m_wake;
    DyetraceEngineListener* m_listener = nullptr;
    EventId m_reading;  ///< the next one of counters
    /// By guest: tenants, and what they call it.
    std::map<uint32_t, std::vector<std::pair<std::string, std::string>>> m_tenantGuests;
};

TypeId DyetraceNhms::GetTypeId() {
    static TypeId tid = [] {
        const health::NhmsConfig defaults;  // so that an attribute and its field never differ
        const health::ClientConfig clients;
        const auto time = [](dyetrace::Duration duration) {
            return TimeValue(DyetraceFromDuration(duration));
        };
        const auto mode = [&defaults](health::Remedy remedy) {
            return StringValue(std::string(to_string(defaults.remedies.mode(remedy))));
        };
        return TypeId("ns3::DyetraceNhms")
            .SetParent<Object>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceNhms>()
            .AddAttribute("Seed", "Of the engine's boot id; 0 takes the fabric's seed.", UintegerValue(0),
                          MakeUintegerAccessor(&DyetraceNhms::m_seed), MakeUintegerChecker<uint64_t>())
            .AddAttribute("Port", "UDP port that updates arrive at.",
                          UintegerValue(health::NhmsConfig::kPortDefault),
                          MakeUintegerAccessor(&DyetraceNhms::m_port), MakeUintegerChecker<uint16_t>(1))
            .AddAttribute("Key",
                          "Secret shared with all EPPCs: 64 hexadecimal digits. Needed unless Insecure.",
                          StringValue(""), MakeStringAccessor(&DyetraceNhms::m_key), MakeStringChecker())
            .AddAttribute("KeyId", "Which key that is.", UintegerValue(defaults.key_id.value),
                          MakeUintegerAccessor(&DyetraceNhms::m_keyId), MakeUintegerChecker<uint8_t>())
            .AddAttribute("Insecure", "Work without a key: anyone can forge updates.",
                          BooleanValue(defaults.insecure), MakeBooleanAccessor(&DyetraceNhms::m_insecure),
                          MakeBooleanChecker())
            .AddAttribute("BaselineRate", "Loss rate of a pair that is well.",
                          DoubleValue(defaults.detector.baseline_rate),
                          MakeDoubleAccessor(&DyetraceNhms::m_baselineRate), MakeDoubleChecker<double>(0, 1))
            .AddAttribute("ImpairedRate", "Loss rate of a pair that is not.",
                          DoubleValue(defaults.detector.impaired_rate),
                          MakeDoubleAccessor(&DyetraceNhms::m_impairedRate), MakeDoubleChecker<double>(0, 1))
            .AddAttribute("FalseAlarm", "Probability of a test to call a well pair ill.",
                          DoubleValue(defaults.detector.false_alarm),
                          MakeDoubleAccessor(&DyetraceNhms::m_falseAlarm), MakeDoubleChecker<double>(0, 1))
            .AddAttribute("Miss", "Probability of a test to call an ill pair well.",
                          DoubleValue(defaults.detector.miss), MakeDoubleAccessor(&DyetraceNhms::m_miss),
                          MakeDoubleChecker<double>(0, 1))
            .AddAttribute("WindowMost", "Most that one window of evidence may say for illness, in log-odds.",
                          DoubleValue(defaults.detector.window_most),
                          MakeDoubleAccessor(&DyetraceNhms::m_windowMost), MakeDoubleChecker<double>(0))
            .AddAttribute(
                "EvaluateInterval", "Between evaluations of the evidence.", time(defaults.evaluate_interval),
                MakeTimeAccessor(&DyetraceNhms::m_evaluateInterval), MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute(
                "Memory",
                "Evidence older than this opens no incident; of more than 10s it is weighed in longer "
                "epochs.",
                time(defaults.memory), MakeTimeAccessor(&DyetraceNhms::m_memory),
                MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute(
                "ReadCounters",
                "Between two readings of what the switches' ports count, as further evidence; 0: they "
                "are not read.",
                TimeValue(Seconds(0)), MakeTimeAccessor(&DyetraceNhms::m_readCounters),
                MakeTimeChecker(Seconds(0)))
            .AddAttribute(
                "ConcludeInterval",
                "How often the parent is told what evidence of that long says; 0: never. At most Memory.",
                time(defaults.conclude_interval), MakeTimeAccessor(&DyetraceNhms::m_concludeInterval),
                MakeTimeChecker(Seconds(0)))
            .AddAttribute("ParentDelay", "From here to the parent, over a network of the operator's own.",
                          TimeValue(MilliSeconds(1)), MakeTimeAccessor(&DyetraceNhms::m_parentDelay),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute(
                "CoverInterval",
                "Between two looks which links no measured pair crosses, to have others measured that may; "
                "0: never.",
                time(defaults.cover.interval), MakeTimeAccessor(&DyetraceNhms::m_coverInterval),
                MakeTimeChecker(Seconds(0)))
            .AddAttribute("CoverPairs", "Most pairs that are asked for in one such look.",
                          UintegerValue(defaults.cover.pairs_most),
                          MakeUintegerAccessor(&DyetraceNhms::m_coverPairs),
                          MakeUintegerChecker<uint32_t>(1, 100000))
            .AddAttribute("RaisedRate", "Share of packets to tag that a directive asks for.",
                          DoubleValue(defaults.raised_sampling.share().value_or(0)),
                          MakeDoubleAccessor(&DyetraceNhms::m_raisedRate), MakeDoubleChecker<double>(1e-9, 1))
            .AddAttribute("Investigation", "How long an investigation may last.",
                          time(defaults.investigation), MakeTimeAccessor(&DyetraceNhms::m_investigation),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("FreshLeast", "Time that fresh evidence spans before it is judged.",
                          time(defaults.fresh_least), MakeTimeAccessor(&DyetraceNhms::m_freshLeast),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("FreshPacketsLeast", "Packets that fresh evidence has before it is judged.",
                          UintegerValue(defaults.fresh_packets_least),
                          MakeUintegerAccessor(&DyetraceNhms::m_freshPacketsLeast),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute("DirectiveRetry", "How long to wait for an answer to a directive.",
                          time(defaults.directive_retry), MakeTimeAccessor(&DyetraceNhms::m_directiveRetry),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("DirectiveAttempts", "How often a directive is sent.",
                          UintegerValue(static_cast<uint64_t>(defaults.directive_attempts)),
                          MakeUintegerAccessor(&DyetraceNhms::m_directiveAttempts),
                          MakeUintegerChecker<uint32_t>(1, 1000))
            .AddAttribute("Repath",
                          "Whether paths that cross a confirmed suspect are moved: \"off\", \"advisory\" or "
                          "\"automatic\".",
                          mode(health::Remedy::Repath), MakeStringAccessor(&DyetraceNhms::m_repath),
                          MakeStringChecker())
            .AddAttribute(
                "Drain", "Likewise, whether a confirmed link or switch is taken out of the switches' tables.",
                mode(health::Remedy::Drain), MakeStringAccessor(&DyetraceNhms::m_drain), MakeStringChecker())
            .AddAttribute("Migrate",
                          "Likewise, whether a confirmed host's guests are asked to move elsewhere.",
                          mode(health::Remedy::Migrate), MakeStringAccessor(&DyetraceNhms::m_migrate),
                          MakeStringChecker())
            .AddAttribute("DrainHost",
                          "Likewise, whether no new guests are to be placed on a confirmed host.",
                          mode(health::Remedy::DrainHost), MakeStringAccessor(&DyetraceNhms::m_drainHost),
                          MakeStringChecker())
            .AddAttribute("Notify", "Likewise, whether somebody is told of a confirmed incident.",
                          mode(health::Remedy::Notify), MakeStringAccessor(&DyetraceNhms::m_notify),
                          MakeStringChecker())
            .AddAttribute("DrainShare",
                          "Of a tier's cables, a tier's switches or all hosts, no more is drained at a time.",
                          DoubleValue(defaults.remedies.drain_share),
                          MakeDoubleAccessor(&DyetraceNhms::m_drainShare), MakeDoubleChecker<double>(0, 1))
            .AddAttribute("RemediesMost", "Remedies begun within any RemedyInterval, of all incidents.",
                          UintegerValue(defaults.remedies.remedies_most),
                          MakeUintegerAccessor(&DyetraceNhms::m_remediesMost),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("RemedyInterval", "See RemediesMost.", time(defaults.remedies.remedy_interval),
                          MakeTimeAccessor(&DyetraceNhms::m_remedyInterval), MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("RepathAttempts", "How often one path is moved before it is left where it is.",
                          UintegerValue(static_cast<uint64_t>(defaults.remedies.repath_attempts)),
                          MakeUintegerAccessor(&DyetraceNhms::m_repathAttempts),
                          MakeUintegerChecker<uint32_t>(1, 1000))
            .AddAttribute("VerifyWithin", "A remedy that has not shown to work for so long did not.",
                          time(defaults.remedies.verify_within),
                          MakeTimeAccessor(&DyetraceNhms::m_verifyWithin), MakeTimeChecker(MilliSeconds(101)))
            .AddAttribute(
                "RestoreAfter",
                "What was drained is tried again after so long, and after twice as long each further "
                "time; 0: never.",
                time(defaults.remedies.restore_after), MakeTimeAccessor(&DyetraceNhms::m_restoreAfter),
                MakeTimeChecker(Seconds(0)))
            .AddAttribute("FlowTraces",
                          "Whether guests' flows may be followed, with DyetraceNhms::TraceFlow.",
                          BooleanValue(defaults.flow_traces.allowed),
                          MakeBooleanAccessor(&DyetraceNhms::m_flowTraces), MakeBooleanChecker())
            .AddAttribute("FlowCapture", "Bytes of a followed flow's packet that may be captured.",
                          UintegerValue(defaults.flow_traces.capture_bytes_most),
                          MakeUintegerAccessor(&DyetraceNhms::m_flowCapture),
                          MakeUintegerChecker<uint16_t>(0, dyetrace::wire::FlowTraceSpec::kCaptureMost))
            .AddAttribute(
                "ClocksAreOne",
                "All hosts' clocks are known to show the same time, so that delays need no correction.",
                BooleanValue(defaults.flow_traces.clocks_are_one),
                MakeBooleanAccessor(&DyetraceNhms::m_clocksAreOne), MakeBooleanChecker())
            .AddAttribute("ClientSpan",
                          "What tenants see is of the last so long; a pair of which nothing was heard for "
                          "three times that is not measured.",
                          time(clients.view.span), MakeTimeAccessor(&DyetraceNhms::m_clientSpan),
                          MakeTimeChecker(MilliSeconds(1)))
            .AddAttribute("ShareInterval", "Shares of tenants' pairs in each state are of intervals so long.",
                          time(clients.view.share_interval), MakeTimeAccessor(&DyetraceNhms::m_shareInterval),
                          MakeTimeChecker(MilliSeconds(1)))
            .AddAttribute("ScoreFall", "Time constant by which an instance's score falls.",
                          time(clients.scores.fall), MakeTimeAccessor(&DyetraceNhms::m_scoreFall),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("ScoreRise", "Time constant by which an instance's score rises.",
                          time(clients.scores.rise), MakeTimeAccessor(&DyetraceNhms::m_scoreRise),
                          MakeTimeChecker(Seconds(0)))
            .AddTraceSource("Tenant", "A tenant is notified of what it subscribed to.",
                            MakeTraceSourceAccessor(&DyetraceNhms::m_tenant),
                            "ns3::DyetraceNhms::TenantTracedCallback")
            .AddTraceSource("Score", "The score of an instance of a service changed.",
                            MakeTraceSourceAccessor(&DyetraceNhms::m_score),
                            "ns3::DyetraceNhms::ScoreTracedCallback")
            .AddTraceSource("FlowTrace", "A flow is not followed any more, and what was seen of it is known.",
                            MakeTraceSourceAccessor(&DyetraceNhms::m_flowTrace),
                            "ns3::DyetraceNhms::FlowTracedCallback")
            .AddTraceSource("Remedy", "The service asks for a remedy that is not an EPPC's to carry out.",
                            MakeTraceSourceAccessor(&DyetraceNhms::m_remedy),
                            "ns3::DyetraceNhms::RemedyTracedCallback")
            .AddTraceSource("Health", "A pair's health changed.",
                            MakeTraceSourceAccessor(&DyetraceNhms::m_health),
                            "ns3::DyetraceNhms::HealthTracedCallback")
            .AddTraceSource("Incident", "An investigation made a step.",
                            MakeTraceSourceAccessor(&DyetraceNhms::m_incident),
                            "ns3::DyetraceNhms::IncidentTracedCallback")
            .AddTraceSource("Suspects", "A confirmed incident names its suspects, best first.",
                            MakeTraceSourceAccessor(&DyetraceNhms::m_suspects),
                            "ns3::DyetraceNhms::SuspectsTracedCallback");
    }();
    return tid;
}

DyetraceNhms::DyetraceNhms() = default;

DyetraceNhms::~DyetraceNhms() = default;

void DyetraceNhms::DoDispose() {
    Stop();
    Object::DoDispose();
}

void DyetraceNhms::Stop() {
    if (m_placement) {
        m_placement->ForgetCallbacks();
        m_placement->TraceDisconnectWithoutContext("Move", MakeCallback(&DyetraceNhms::NoteMove, this));
        m_placement = nullptr;
    }
    m_parent = nullptr;
    m_state.reset();
}

void DyetraceNhms::Start(Ptr<DyetraceFabric> fabric, Ptr<DyetraceHost> host) {
    NS_LOG_FUNCTION(this << host->GetHost());
    NS_ABORT_MSG_IF(m_state, "DyetraceNhms::Start was called before");
    health::NhmsConfig config = DyetraceEngines::GetConfig(*this);
    const Ipv4Address address = fabric->GetTopology().GetNode(host->GetHost()).address;
    config.endpoint.address = DyetraceToUnderlay(address, host->IsIpv6());
    const uint64_t seed = dyetrace::mix64((m_seed != 0 ? m_seed : fabric->GetSeed()) ^ kSaltNhms);
    m_state = std::make_unique<State>(*this, *fabric, DyetraceEngines::GetPort(*host), config,
                                      fabric->GetTopology(), seed);
}

DyetraceNhms::State& DyetraceNhms::Started() const {
    NS_ABORT_MSG_UNLESS(m_state, "DyetraceNhms::Start has not been called");
    return *m_state;
}

void DyetraceNhms::SetPlacement(Ptr<DyetracePlacement> placement) {
    NS_LOG_FUNCTION(this);
    NS_ABORT_MSG_IF(m_placement, "DyetraceNhms::SetPlacement was called before");
    Started();
    m_placement = placement;
    m_placement->TraceConnectWithoutContext("Move", MakeCallback(&DyetraceNhms::NoteMove, this));
}

void DyetraceNhms::NoteMove(uint32_t guest, uint32_t, uint32_t to) {
    Started().NoteMove(guest, to);
}

void DyetraceNhms::SetClients(const DyetraceClients& clients, std::shared_ptr<const DyetraceGuests> guests) {
    State& state = Started();
    state.guests = std::move(guests);
    state.KnowTenants(clients);
    health::ClientConfig config = DyetraceEngines::GetClientConfig(*this);
    DyetraceAddClients(clients, *state.guests, state.GetAddresses(), config);
    const auto served = state.GetEngine().serve(config, state.LocalTime());
    NS_ABORT_MSG_UNLESS(served.ok(), "DyetraceNhms::SetClients: " << served.error());
    state.ServiceNow();
}

std::vector<DyetracePairHealth> DyetraceNhms::GetPairs(const std::string& tenant) const {
    State& state = Started();
    std::vector<DyetracePairHealth> pairs;
    const health::ClientView* const view = state.GetEngine().clients();
    const auto id = view != nullptr ? view->tenant(tenant) : std::nullopt;
    if (!id) return pairs;
    for (const auto& pair : view->pairs(*id, std::numeric_limits<std::size_t>::max(), state.LocalTime()))
        pairs.push_back(DyetraceFromPair(pair));
    return pairs;
}

bool DyetraceNhms::SetOwnHealth(const std::string& service, const std::string& instance, double own) {
    State& state = Started();
    return state.GetEngine().set_own_health(service, instance, own, state.LocalTime());
}

void DyetraceNhms::FeedCounters(const std::vector<DyetraceLinkReading>& readings) {
    NS_LOG_FUNCTION(this << readings.size());
    std::vector<health::LinkReading> taken;
    taken.reserve(readings.size());
    for (const DyetraceLinkReading& reading : readings)
        taken.push_back({reading.from, reading.to, reading.sent, reading.lost});
    Started().TakeCounters(taken);
}

void DyetraceNhms::SetParent(Ptr<DyetraceNhms> parent, const std::string& name) {
    NS_LOG_FUNCTION(this << name);
    NS_ABORT_MSG_UNLESS(parent, "DyetraceNhms::SetParent: there is no such service");
    // What one says would come back to it, and count as news.
    for (Ptr<DyetraceNhms> above = parent; above; above = above->m_parent)
        NS_ABORT_MSG_IF(above == this, "DyetraceNhms::SetParent: " << name << " would be its own parent");
    Started();
    parent->Started();
    m_parent = parent;
    m_nameAtParent = name;
}

void DyetraceNhms::PassOn(const Ptr<DyetraceNhms>& parent, const std::string& name,
                          const std::shared_ptr<const health::Concluded>& concluded) {
    if (parent->m_state) parent->m_state->TakeConclusions(name, *concluded);
}

uint32_t DyetraceNhms::TraceFlow(const DyetraceFlowTraceRequest& request, std::string* whyNot) {
    State& state = Started();
    NS_ABORT_MSG_UNLESS(state.guests, "DyetraceNhms::TraceFlow is called after SetClients");
    const auto trace = state.GetEngine().trace_flow(
        DyetraceToRequest(request, *state.guests, state.GetAddresses()), state.LocalTime());
    if (!trace && whyNot != nullptr) *whyNot = trace.error();
    state.ServiceNow();
    return trace ? trace->value : 0;
}

DyetraceFlowTrace DyetraceNhms::GetFlowTrace(uint32_t trace) const {
    State& state = Started();
    const auto result = state.GetEngine().flow_trace(health::FlowTraceId{trace}, state.LocalTime());
    return result ? DyetraceFromResult(*result, state.GetEngine().graph()) : DyetraceFlowTrace{};
}

void DyetraceNhms::SettleClients() {
    State& state = Started();
    state.GetEngine().settle_clients(state.LocalTime());
    state.ServiceNow();
}

std::vector<std::pair<std::string, uint64_t>> DyetraceNhms::GetCounters() const {
    const health::Nhms& engine = Started().GetEngine();
    DyetraceCounterList counters;
    health::for_each_counter(engine.counters(),
                             [&](std::string_view name, uint64_t value) { counters.Add(name, value); });
    counters.Add(engine.drops());
    return counters.Take();
}

health::NhmsConfig DyetraceEngines::GetConfig(const DyetraceNhms& nhms) {
    health::NhmsConfig config;
    config.endpoint.port = nhms.m_port;
    if (!nhms.m_key.empty()) config.key = DyetraceParseKey("DyetraceNhms", nhms.m_key);
    config.key_id = dyetrace::KeyId{nhms.m_keyId};
    config.insecure = nhms.m_insecure;
    config.detector.baseline_rate = nhms.m_baselineRate;
    config.detector.impaired_rate = nhms.m_impairedRate;
    config.detector.false_alarm = nhms.m_falseAlarm;
    config.detector.miss = nhms.m_miss;
    config.detector.window_most = nhms.m_windowMost;
    config.evaluate_interval = DyetraceToDuration(nhms.m_evaluateInterval);
    config.memory = DyetraceToDuration(nhms.m_memory);
    config.cover.interval = DyetraceToDuration(nhms.m_coverInterval);
    config.cover.pairs_most = nhms.m_coverPairs;
    config.conclude_interval = DyetraceToDuration(nhms.m_concludeInterval);
    config.raised_sampling = dyetrace::wire::SamplingSpec::probability(nhms.m_raisedRate);
    config.investigation = DyetraceToDuration(nhms.m_investigation);
    config.fresh_least = DyetraceToDuration(nhms.m_freshLeast);
    config.fresh_packets_least = nhms.m_freshPacketsLeast;
    config.directive_retry = DyetraceToDuration(nhms.m_directiveRetry);
    config.directive_attempts = static_cast<int>(nhms.m_directiveAttempts);
    health::RemedyPolicies& remedies = config.remedies;
    remedies.mode(health::Remedy::Repath) = ParseMode("Repath", nhms.m_repath);
    remedies.mode(health::Remedy::Drain) = ParseMode("Drain", nhms.m_drain);
    remedies.mode(health::Remedy::Migrate) = ParseMode("Migrate", nhms.m_migrate);
    remedies.mode(health::Remedy::DrainHost) = ParseMode("DrainHost", nhms.m_drainHost);
    remedies.mode(health::Remedy::Notify) = ParseMode("Notify", nhms.m_notify);
    remedies.drain_share = nhms.m_drainShare;
    remedies.remedies_most = nhms.m_remediesMost;
    remedies.remedy_interval = DyetraceToDuration(nhms.m_remedyInterval);
    remedies.repath_attempts = static_cast<int>(nhms.m_repathAttempts);
    remedies.verify_within = DyetraceToDuration(nhms.m_verifyWithin);
    remedies.restore_after = DyetraceToDuration(nhms.m_restoreAfter);
    config.flow_traces.allowed = nhms.m_flowTraces;
    config.flow_traces.capture_bytes_most = nhms.m_flowCapture;
    config.flow_traces.clocks_are_one = nhms.m_clocksAreOne;
    return config;
}

health::ClientConfig DyetraceEngines::GetClientConfig(const DyetraceNhms& nhms) {
    health::ClientConfig config;
    config.view.span = DyetraceToDuration(nhms.m_clientSpan);
    config.view.silence = config.view.span * 3;
    config.view.share_interval = DyetraceToDuration(nhms.m_shareInterval);
    config.view.clocks_are_one = nhms.m_clocksAreOne;
    config.probe_bounds.matcher.wait = config.view.silence;
    config.scores.fall = DyetraceToDuration(nhms.m_scoreFall);
    config.scores.rise = DyetraceToDuration(nhms.m_scoreRise);
    return config;
}

health::Nhms& DyetraceEngines::GetNhms(const DyetraceNhms& nhms) {
    return nhms.Started().GetEngine();
}

void DyetraceEngines::Listen(const DyetraceNhms& nhms, DyetraceEngineListener* listener) {
    nhms.Started().Listen(listener);
}

}  // namespace ns3
