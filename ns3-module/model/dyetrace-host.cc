// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-host.h"

#include <ns3/abort.h>
#include <ns3/boolean.h>
#include <ns3/double.h>
#include <ns3/log.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/trace-source-accessor.h>
#include <ns3/uinteger.h>

#include "dyetrace-convert.h"
#include "dyetrace-engines.h"
#include "dyetrace-fabric.h"
#include "dyetrace-host-port.h"
#include "dyetrace-truth.h"

#include "core/base/random.h"
#include "core/eppc/counter_names.h"
#include "core/tracking/flow_rule_text.h"
#include "core/tracking/sampling_settings.h"
#include "core/wire/metric_names.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceHost");
NS_OBJECT_ENSURE_REGISTERED(DyetraceHost);

namespace eppc = dyetrace::eppc;
namespace wire = dyetrace::wire;

namespace {

constexpr uint64_t kSaltHost = 0x686f737400000001;

wire::SamplingSpec::Kind ParseSampling(const std::string& name) {
    const auto kind = dyetrace::tracking::sampling_kind_named(name);
    NS_ABORT_MSG_UNLESS(kind, "DyetraceHost: no Sampling is called \"" << name << '"');
    return *kind;
}

template <class Value>
Value Read(const dyetrace::Result<Value, std::string>& result, const std::string& attribute) {
    NS_ABORT_MSG_UNLESS(result.ok(), "DyetraceHost: " << attribute << ": " << result.error());
    return *result;
}

DyetracePathMetrics ToMetrics(uint32_t host, const eppc::MetricsReported& reported) {
    const wire::PathRecord& record = reported.record;
    DyetracePathMetrics metrics{};
    metrics.host = host;
    metrics.peer = DyetraceFromAddress(reported.peer);
    metrics.session = reported.session.value;
    metrics.path = record.path.value;
    metrics.generation = record.generation.value;
    metrics.isOpen = (record.flags & wire::PathRecord::kFlagOpen) != 0;
    metrics.isExcess = (record.flags & wire::PathRecord::kFlagExcess) != 0;
    metrics.sent = record.sent;
    metrics.received = record.received;
    metrics.trackedSent = record.tracked_sent;
    metrics.trackedReceived = record.tracked_received;
    metrics.delayMin = DyetraceFromDuration({record.delay_ns_min});
    metrics.delaySum = DyetraceFromDuration({record.delay_ns_sum});
    metrics.delayMax = DyetraceFromDuration({record.delay_ns_max});
    metrics.delayCount = record.delay_count;
    return metrics;
}

}  // namespace

/// The port with its engines, and the way from their outputs to the trace sources.
class DyetraceHost::State : public DyetraceEngineListener {
  public:
    State(DyetraceHost& host, DyetraceHostPort::Config config, const eppc::EppcConfig& engine, uint64_t seed)
        : m_host(host), port(WithOwner(std::move(config), this), engine, seed) {}

    void NhmsOutput(uint32_t, const dyetrace::health::Output&) override {}
    void EppcOutput(uint32_t number, const eppc::Output& output) override {
        if (const auto* changed = std::get_if<eppc::SessionChanged>(&output)) {
            m_host.m_session(
                DyetraceSessionChange{number, changed->role == dyetrace::session::Role::Requester,
                                      DyetraceFromAddress(changed->peer), changed->session.value,
                                      std::string(to_string(changed->from)),
                                      std::string(to_string(changed->to)), std::string(changed->reason)});
        } else if (const auto* reported = std::get_if<eppc::MetricsReported>(&output)) {
            if (!m_host.m_metrics.IsEmpty()) m_host.m_metrics(ToMetrics(number, *reported));
        }
    }

  private:
    static DyetraceHostPort::Config WithOwner(DyetraceHostPort::Config config, State* owner) {
        config.owner = owner;
        return config;
    }

    DyetraceHost& m_host;

  public:
    DyetraceHostPort port;
};

TypeId DyetraceHost::GetTypeId() {
    static TypeId tid = [] {
        const eppc::EppcConfig defaults;  // so that an attribute and its field never differ
        const dyetrace::tracking::SamplingSettings sampling;
        const auto time = [](dyetrace::Duration duration) {
            return TimeValue(DyetraceFromDuration(duration));
        };
        return TypeId("ns3::DyetraceHost")
            .SetParent<Object>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceHost>()
            .AddAttribute("Seed", "Of the engine's sampling, boot id and nonces; 0 takes the fabric's seed.",
                          UintegerValue(0), MakeUintegerAccessor(&DyetraceHost::m_seed),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute(
                "Underlay",
                "What encapsulation packets and all others between hosts are: \"ipv4\" or \"ipv6\". "
                "Over IPv6 a host has its IPv4 address in fd00::/96. All hosts have the same.",
                StringValue("ipv4"), MakeStringAccessor(&DyetraceHost::m_underlay), MakeStringChecker())
            .AddAttribute("ClockOffset",
                          "What the host's clock is ahead of the simulator's at the beginning.",
                          TimeValue(Seconds(0)), MakeTimeAccessor(&DyetraceHost::m_clockOffset),
                          MakeTimeChecker(Seconds(-3600), Seconds(3600)))
            .AddAttribute("ClockDrift", "How much faster the host's clock runs, in millionths.",
                          DoubleValue(0), MakeDoubleAccessor(&DyetraceHost::m_clockDrift),
                          MakeDoubleChecker<double>(-1000, 1000))
            .AddAttribute("ClockJitter", "Error of each reading of the clock: uniform from 0 to this.",
                          TimeValue(Seconds(0)), MakeTimeAccessor(&DyetraceHost::m_clockJitter),
                          MakeTimeChecker(Seconds(0), Seconds(1)))
            .AddAttribute("Key",
                          "Secret that all EPPCs share: 64 hexadecimal digits. Needed unless Insecure.",
                          StringValue(""), MakeStringAccessor(&DyetraceHost::m_key), MakeStringChecker())
            .AddAttribute("KeyId", "Which key that is.", UintegerValue(defaults.key_id.value),
                          MakeUintegerAccessor(&DyetraceHost::m_keyId), MakeUintegerChecker<uint8_t>())
            .AddAttribute("Insecure", "Work without a key: anyone can forge tags and messages.",
                          BooleanValue(defaults.insecure), MakeBooleanAccessor(&DyetraceHost::m_insecure),
                          MakeBooleanChecker())
            .AddAttribute(
                "UnderlayMtu", "Longest outer IP packet, bytes.", UintegerValue(defaults.underlay_mtu),
                MakeUintegerAccessor(&DyetraceHost::m_underlayMtu), MakeUintegerChecker<uint32_t>(576, 65535))
            .AddAttribute("OptionClass", "Geneve option class of the track option.",
                          UintegerValue(defaults.option_class),
                          MakeUintegerAccessor(&DyetraceHost::m_optionClass), MakeUintegerChecker<uint16_t>())
            .AddAttribute(
                "SourcePortBase", "First outer UDP source port.", UintegerValue(defaults.source_port_base),
                MakeUintegerAccessor(&DyetraceHost::m_sourcePortBase), MakeUintegerChecker<uint16_t>(1024))
            .AddAttribute("PathCount", "Paths to each peer, each on an outer UDP source port of its own.",
                          UintegerValue(defaults.path_count),
                          MakeUintegerAccessor(&DyetraceHost::m_pathCount),
                          MakeUintegerChecker<uint16_t>(1, 1024))
            .AddAttribute(
                "PortCount",
                "Outer UDP source ports in all, those for moved paths included; 0: 16 more than paths.",
                UintegerValue(defaults.port_count), MakeUintegerAccessor(&DyetraceHost::m_portCount),
                MakeUintegerChecker<uint16_t>(0, 2048))
            .AddAttribute("PortRest", "A port that a path has left carries no other path for so long.",
                          time(defaults.port_rest), MakeTimeAccessor(&DyetraceHost::m_portRest),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("Dscp", "Of every outer packet.", UintegerValue(defaults.dscp),
                          MakeUintegerAccessor(&DyetraceHost::m_dscp), MakeUintegerChecker<uint8_t>(0, 63))
            .AddAttribute("Sampling",
                          "Which data packets carry the tag: \"every-nth\" (N is 1 / Rate, rounded), "
                          "\"probability\", \"hash-consistent\" or \"rate-budget\".",
                          StringValue(std::string(wire::to_string(sampling.sampling))),
                          MakeStringAccessor(&DyetraceHost::m_sampling), MakeStringChecker())
            .AddAttribute("SamplingSeed", "hash-consistent: with one seed the same packets are picked.",
                          UintegerValue(sampling.sampling_seed),
                          MakeUintegerAccessor(&DyetraceHost::m_samplingSeed),
                          MakeUintegerChecker<uint32_t>(0, wire::SamplingSpec::kParameterMost))
            .AddAttribute("SamplingBudget", "rate-budget: tags a second of each session.",
                          UintegerValue(sampling.sampling_budget),
                          MakeUintegerAccessor(&DyetraceHost::m_samplingBudget),
                          MakeUintegerChecker<uint32_t>(1))
            .AddAttribute("SamplingBurst", "rate-budget: tags of a session at once after a silence.",
                          UintegerValue(sampling.sampling_burst),
                          MakeUintegerAccessor(&DyetraceHost::m_samplingBurst),
                          MakeUintegerChecker<uint32_t>(1, wire::SamplingSpec::kParameterMost))
            .AddAttribute("FlowFilter",
                          "Rules, with commas between them, of which a packet must meet one to be sampled: "
                          "\"protocol=udp destination_ports=80-443\"; none: every packet is.",
                          StringValue(dyetrace::tracking::to_string(defaults.flow_filter)),
                          MakeStringAccessor(&DyetraceHost::m_flowFilter), MakeStringChecker())
            .AddAttribute("Metrics", "What sessions ask for, with commas: \"counts,delay\"; or \"all\".",
                          StringValue(wire::metrics_to_string(defaults.metrics)),
                          MakeStringAccessor(&DyetraceHost::m_metricsWanted), MakeStringChecker())
            .AddAttribute("TrackedPerSecond", "A session tags no more packets a second; 0: no bound.",
                          UintegerValue(defaults.tracked_per_second),
                          MakeUintegerAccessor(&DyetraceHost::m_trackedPerSecond),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute(
                "AcceptedPerSecond", "What accepted sessions may promise of that together; 0: no bound.",
                UintegerValue(defaults.accepted_per_second),
                MakeUintegerAccessor(&DyetraceHost::m_acceptedPerSecond), MakeUintegerChecker<uint32_t>())
            .AddAttribute("Rate", "Share of the data packets that carry the tag.",
                          DoubleValue(defaults.sampling.share().value_or(0)),
                          MakeDoubleAccessor(&DyetraceHost::m_rate), MakeDoubleChecker<double>(0, 1))
            .AddAttribute("OpenOnTraffic", "Ask for a session with a peer when a guest first sends to it.",
                          BooleanValue(defaults.open_on_traffic),
                          MakeBooleanAccessor(&DyetraceHost::m_openOnTraffic), MakeBooleanChecker())
            .AddAttribute("TrafficSessions",
                          "Most sessions that are asked for on traffic; beyond them peers take turns.",
                          UintegerValue(defaults.traffic_sessions),
                          MakeUintegerAccessor(&DyetraceHost::m_trafficSessions),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("ChoiceInterval", "Between two looks at the peers that wait for their turn.",
                          time(defaults.choice_interval), MakeTimeAccessor(&DyetraceHost::m_choiceInterval),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("Turn", "A session lasts so long before it makes room for who waits.",
                          time(defaults.turn), MakeTimeAccessor(&DyetraceHost::m_turn),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute(
                "NearPrefix",
                "Peers that share so many leading bits of the address in the fabric, IPv4, are near, "
                "and count for a quarter when turns are given; 0: none is.",
                UintegerValue(defaults.near_prefix), MakeUintegerAccessor(&DyetraceHost::m_nearPrefix),
                MakeUintegerChecker<uint8_t>(0, 32))
            .AddAttribute("ReportInterval", "Between reports of an acceptor.", time(defaults.report_interval),
                          MakeTimeAccessor(&DyetraceHost::m_reportInterval), MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute(
                "RideWait",
                "How long a report that is due waits for data packets to ride in; 0: it never does.",
                time(defaults.ride_wait), MakeTimeAccessor(&DyetraceHost::m_rideWait),
                MakeTimeChecker(Seconds(0)))
            .AddAttribute("PathIdle", "A measured interval ends after so long without data on its path.",
                          time(defaults.path_idle), MakeTimeAccessor(&DyetraceHost::m_pathIdle),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("WaitingTime", "What comes later behind an END counts as lost.",
                          time(defaults.waiting_time), MakeTimeAccessor(&DyetraceHost::m_waitingTime),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("SessionDuration", "How long a session lasts; 0: until it is closed.",
                          time(defaults.session_duration), MakeTimeAccessor(&DyetraceHost::m_sessionDuration),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("RetransmitFirst", "First wait for an answer; it doubles with each.",
                          time(defaults.retransmit_first), MakeTimeAccessor(&DyetraceHost::m_retransmitFirst),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("RetransmitLast", "Longest wait for an answer.", time(defaults.retransmit_last),
                          MakeTimeAccessor(&DyetraceHost::m_retransmitLast), MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("RetransmitMost", "Transmissions without an answer until a peer is lost.",
                          UintegerValue(static_cast<uint64_t>(defaults.retransmit_most)),
                          MakeUintegerAccessor(&DyetraceHost::m_retransmitMost),
                          MakeUintegerChecker<uint32_t>(1, 1000))
            .AddAttribute("KeepAliveInterval", "Between keep-alives; three missed: the peer is lost.",
                          time(defaults.keep_alive_interval),
                          MakeTimeAccessor(&DyetraceHost::m_keepAliveInterval),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("AcceptSessions", "False: serves no session as acceptor.",
                          BooleanValue(defaults.accept_sessions),
                          MakeBooleanAccessor(&DyetraceHost::m_acceptSessions), MakeBooleanChecker())
            .AddAttribute("RejectBackOff", "How long those whose request is rejected are told to wait.",
                          time(defaults.reject_back_off), MakeTimeAccessor(&DyetraceHost::m_rejectBackOff),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("TracePaths", "Learn the routers of each path in use.",
                          BooleanValue(defaults.trace_paths),
                          MakeBooleanAccessor(&DyetraceHost::m_tracePaths), MakeBooleanChecker())
            .AddAttribute("TraceTtlMost", "Highest TTL asked for; a path has a router less.",
                          UintegerValue(defaults.trace_ttl_most),
                          MakeUintegerAccessor(&DyetraceHost::m_traceTtlMost),
                          MakeUintegerChecker<uint8_t>(1, 24))
            .AddAttribute("TraceTimeout",
                          "How long routers may take to answer; doubles where they stay silent.",
                          time(defaults.trace_timeout), MakeTimeAccessor(&DyetraceHost::m_traceTimeout),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("TraceAttempts", "How often a router is asked.",
                          UintegerValue(static_cast<uint64_t>(defaults.trace_attempts)),
                          MakeUintegerAccessor(&DyetraceHost::m_traceAttempts),
                          MakeUintegerChecker<uint32_t>(1, 100))
            .AddAttribute("TraceSpacing", "Between two trace packets, on average.",
                          time(defaults.trace_spacing), MakeTimeAccessor(&DyetraceHost::m_traceSpacing),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("TraceRetry", "How long until a path with a silent router is asked about again.",
                          time(defaults.trace_retry), MakeTimeAccessor(&DyetraceHost::m_traceRetry),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute("NhmsAddress",
                          "Address in the fabric of the health service's host; 0.0.0.0: there is none.",
                          Ipv4AddressValue(Ipv4Address::GetAny()),
                          MakeIpv4AddressAccessor(&DyetraceHost::m_nhmsAddress), MakeIpv4AddressChecker())
            .AddAttribute("NhmsPort", "UDP port of the health service.",
                          UintegerValue(dyetrace::health::NhmsConfig::kPortDefault),
                          MakeUintegerAccessor(&DyetraceHost::m_nhmsPort), MakeUintegerChecker<uint16_t>(1))
            .AddAttribute(
                "ManagementPort", "UDP port of this EPPC for the health service's answers and directives.",
                UintegerValue(defaults.management_port),
                MakeUintegerAccessor(&DyetraceHost::m_managementPort), MakeUintegerChecker<uint16_t>(1))
            .AddAttribute("UpdateInterval", "Between health updates.", time(defaults.update_interval),
                          MakeTimeAccessor(&DyetraceHost::m_updateInterval), MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("RequestedSessions", "Most sessions that this host requests at a time.",
                          UintegerValue(defaults.bounds.requested_sessions),
                          MakeUintegerAccessor(&DyetraceHost::m_requestedSessions),
                          MakeUintegerChecker<uint32_t>(1))
            .AddAttribute("AcceptedSessions", "Most sessions that this host accepts at a time.",
                          UintegerValue(defaults.bounds.accepted_sessions),
                          MakeUintegerAccessor(&DyetraceHost::m_acceptedSessions),
                          MakeUintegerChecker<uint32_t>(1))
            .AddAttribute(
                "FlowTraces", "Guests' flows that the health service may have followed here at a time.",
                UintegerValue(defaults.flow_traces), MakeUintegerAccessor(&DyetraceHost::m_flowTraces),
                MakeUintegerChecker<uint32_t>(0, 4))
            .AddAttribute("FlowCapture", "Bytes of such a flow's packet that it may be told.",
                          UintegerValue(defaults.flow_capture),
                          MakeUintegerAccessor(&DyetraceHost::m_flowCapture),
                          MakeUintegerChecker<uint32_t>(0, wire::FlowTraceSpec::kCaptureMost))
            .AddAttribute("GuestDelay",
                          "How long frames take between a guest and the EPPC, in each direction.",
                          TimeValue(Seconds(0)), MakeTimeAccessor(&DyetraceHost::m_guestDelay),
                          MakeTimeChecker(Seconds(0), Seconds(1)))
            .AddTraceSource("Session", "A session changed its state.",
                            MakeTraceSourceAccessor(&DyetraceHost::m_session),
                            "ns3::DyetraceHost::SessionTracedCallback")
            .AddTraceSource("Metrics", "An acceptor reported a path's metrics.",
                            MakeTraceSourceAccessor(&DyetraceHost::m_metrics),
                            "ns3::DyetraceHost::MetricsTracedCallback");
    }();
    return tid;
}

DyetraceHost::DyetraceHost() : m_host(0) {}

DyetraceHost::~DyetraceHost() = default;

void DyetraceHost::DoDispose() {
    m_state.reset();
    Object::DoDispose();
}

void DyetraceHost::Start(Ptr<DyetraceFabric> fabric, uint32_t host,
                         std::shared_ptr<const DyetraceGuests> guests, Ptr<DyetraceTruth> truth) {
    NS_LOG_FUNCTION(this << host);
    NS_ABORT_MSG_IF(m_state, "DyetraceHost::Start was called before");
    m_host = host;
    eppc::EppcConfig config = DyetraceEngines::GetConfig(*this);
    const bool isIpv6 = IsIpv6();
    config.address = DyetraceToUnderlay(fabric->GetTopology().GetNode(host).address, isIpv6);
    if (isIpv6 && config.nhms) config.nhms->address = DyetraceToUnderlay(m_nhmsAddress, isIpv6);
    // All hosts share the first 96 bits of their IPv6 addresses.
    if (isIpv6 && config.near_prefix != 0) config.near_prefix += 96;
    config.mac = DyetraceToMac(fabric->GetTopology().GetMac(host));
    config.gateway_mac = DyetraceToMac(fabric->GetGatewayMac(host));
    const uint64_t seed =
        dyetrace::mix64(dyetrace::mix64((m_seed != 0 ? m_seed : fabric->GetSeed()) ^ kSaltHost) + host);
    const DyetraceClock::Config clock{m_clockOffset.GetNanoSeconds(), m_clockDrift,
                                      m_clockJitter.GetNanoSeconds(), seed};
    m_state = std::make_unique<State>(
        *this, DyetraceHostPort::Config{fabric, host, truth, std::move(guests), nullptr, clock, m_guestDelay},
        config, seed);
}

DyetraceHost::State& DyetraceHost::Started() const {
    NS_ABORT_MSG_UNLESS(m_state, "DyetraceHost::Start has not been called");
    return *m_state;
}

bool DyetraceHost::IsIpv6() const {
    const bool isIpv6 = m_underlay == "ipv6";
    NS_ABORT_MSG_UNLESS(isIpv6 || m_underlay == "ipv4",
                        "DyetraceHost: Underlay is ipv4 or ipv6, not " << m_underlay);
    return isIpv6;
}

DyetraceGuestPort& DyetraceHost::AddGuest(uint32_t guest) {
    return Started().port.AddGuest(guest);
}

DyetraceGuestPort* DyetraceHost::FindGuest(uint32_t guest) const {
    return Started().port.FindGuest(guest);
}

uint32_t DyetraceHost::GetGuestMtu() const {
    return Started().port.GetGuestMtu();
}

void DyetraceHost::RemoveGuest(uint32_t guest) {
    NS_LOG_FUNCTION(this << guest);
    DyetraceHostPort& port = Started().port;
    NS_ABORT_MSG_UNLESS(port.FindGuest(guest), "guest " << guest << " is not on host " << m_host);
    port.TakeArrivals();
    port.RemoveGuest(guest);
    port.Service();
}

DyetraceGuestPort& DyetraceHost::TakeGuest(uint32_t guest) {
    NS_LOG_FUNCTION(this << guest);
    DyetraceHostPort& port = Started().port;
    port.TakeArrivals();
    DyetraceGuestPort& plugged = port.AddGuest(guest);
    port.Service();
    return plugged;
}

void DyetraceHost::Learn(uint32_t guest, bool isKnown) {
    NS_LOG_FUNCTION(this << guest);
    DyetraceHostPort& port = Started().port;
    if (!isKnown && !port.Knows(guest)) return;
    port.TakeArrivals();
    port.Resolve(guest);
    port.Learn(guest);
    port.Service();
}

uint32_t DyetraceHost::OpenSession(Ipv4Address peer) {
    DyetraceHostPort& port = Started().port;
    port.TakeArrivals();
    const auto opened = port.GetEppc().open_session(DyetraceToUnderlay(peer, IsIpv6()), port.LocalTime());
    NS_ABORT_MSG_UNLESS(opened.ok(), "a session with " << peer << ": " << opened.error());
    port.Service();
    return opened->value;
}

std::string DyetraceHost::Repath(Ipv4Address peer, uint16_t path) {
    NS_LOG_FUNCTION(this << peer << path);
    DyetraceHostPort& port = Started().port;
    port.TakeArrivals();
    const auto moved = port.GetEppc().repath(DyetraceToUnderlay(peer, IsIpv6()), dyetrace::PathIndex{path},
                                             port.LocalTime());
    port.Service();
    return moved.ok() ? std::string() : moved.error();
}

void DyetraceHost::CloseSessions() {
    DyetraceHostPort& port = Started().port;
    port.TakeArrivals();
    port.GetEppc().close_sessions(port.LocalTime());
    port.Service();
}

bool DyetraceHost::IsDraining() const {
    return Started().port.GetEppc().is_draining();
}

std::vector<std::pair<std::string, uint64_t>> DyetraceHost::GetCounters() const {
    const eppc::Eppc& engine = Started().port.GetEppc();
    DyetraceCounterList counters;
    for (const eppc::NamedCounter& counter : eppc::kCounters)
        counters.Add(counter.name, engine.counters().*counter.field);
    counters.Add(engine.drops());
    return counters.Take();
}

dyetrace::eppc::EppcConfig DyetraceEngines::GetConfig(const DyetraceHost& host) {
    eppc::EppcConfig config;
    if (!host.m_key.empty()) config.key = DyetraceParseKey("DyetraceHost", host.m_key);
    config.key_id = dyetrace::KeyId{host.m_keyId};
    config.insecure = host.m_insecure;
    config.underlay_mtu = host.m_underlayMtu;
    config.option_class = host.m_optionClass;
    config.source_port_base = host.m_sourcePortBase;
    config.path_count = host.m_pathCount;
    config.port_count = host.m_portCount;
    config.port_rest = DyetraceToDuration(host.m_portRest);
    config.dscp = host.m_dscp;
    config.sampling =
        dyetrace::tracking::SamplingSettings{ParseSampling(host.m_sampling), host.m_rate, host.m_samplingSeed,
                                             host.m_samplingBudget, host.m_samplingBurst}
            .spec();
    config.flow_filter = Read(dyetrace::tracking::parse_flow_filter(host.m_flowFilter), "FlowFilter");
    config.sampling.filtered = !config.flow_filter.rules.empty();
    config.metrics = Read(wire::parse_metrics(host.m_metricsWanted), "Metrics");
    config.tracked_per_second = host.m_trackedPerSecond;
    config.accepted_per_second = host.m_acceptedPerSecond;
    config.open_on_traffic = host.m_openOnTraffic;
    config.traffic_sessions = host.m_trafficSessions;
    config.choice_interval = DyetraceToDuration(host.m_choiceInterval);
    config.turn = DyetraceToDuration(host.m_turn);
    config.near_prefix = host.m_nearPrefix;
    config.report_interval = DyetraceToDuration(host.m_reportInterval);
    config.ride_wait = DyetraceToDuration(host.m_rideWait);
    config.path_idle = DyetraceToDuration(host.m_pathIdle);
    config.waiting_time = DyetraceToDuration(host.m_waitingTime);
    config.session_duration = DyetraceToDuration(host.m_sessionDuration);
    config.retransmit_first = DyetraceToDuration(host.m_retransmitFirst);
    config.retransmit_last = DyetraceToDuration(host.m_retransmitLast);
    config.retransmit_most = static_cast<int>(host.m_retransmitMost);
    config.keep_alive_interval = DyetraceToDuration(host.m_keepAliveInterval);
    config.accept_sessions = host.m_acceptSessions;
    config.reject_back_off = DyetraceToDuration(host.m_rejectBackOff);
    config.trace_paths = host.m_tracePaths;
    config.trace_ttl_most = host.m_traceTtlMost;
    config.trace_timeout = DyetraceToDuration(host.m_traceTimeout);
    config.trace_attempts = static_cast<int>(host.m_traceAttempts);
    config.trace_spacing = DyetraceToDuration(host.m_traceSpacing);
    config.trace_retry = DyetraceToDuration(host.m_traceRetry);
    if (host.m_nhmsAddress != Ipv4Address::GetAny()) {
        config.nhms = dyetrace::Endpoint{dyetrace::Ipv4Address{host.m_nhmsAddress.Get()}, host.m_nhmsPort};
    }
    config.management_port = host.m_managementPort;
    config.update_interval = DyetraceToDuration(host.m_updateInterval);
    config.bounds.requested_sessions = host.m_requestedSessions;
    config.bounds.accepted_sessions = host.m_acceptedSessions;
    config.flow_traces = host.m_flowTraces;
    config.flow_capture = host.m_flowCapture;
    return config;
}

dyetrace::eppc::Eppc& DyetraceEngines::GetEppc(const DyetraceHost& host) {
    return host.Started().port.GetEppc();
}

DyetraceHostPort& DyetraceEngines::GetPort(const DyetraceHost& host) {
    return host.Started().port;
}

void DyetraceEngines::Listen(const DyetraceHost& host, DyetraceEngineListener* listener) {
    host.Started().port.Listen(listener);
}

}  // namespace ns3
