// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/schema.h"

#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/wire/ethernet.h"
#include "scenarios/reader/engine_types.h"
#include "scenarios/reader/fault_kinds.h"
#include "scenarios/reader/network.h"
#include "scenarios/reader/schema_keys.h"
#include "scenarios/reader/types.h"
#include "scenarios/reader/workload_kinds.h"

namespace dyetrace::scenario {
namespace {

/// Of the underlay: what EPPCs send at most (EppcConfig::underlay_mtu).
constexpr std::int64_t packet_longest = 1600;
/// Ethernet's header, and preamble, FCS and gap (IEEE 802.3), which take up a queue too.
constexpr std::int64_t around_packet = wire::EthernetHeader::kSize + 24;

}  // namespace

const TableSchema<RunSettings>& run_schema() {
    using S = RunSettings;
    static const TableSchema<S> table{
        "run",
        false,
        "How long the run is, and which of the many like it.",
        {key("duration", &S::duration, DurationType{Duration::milliseconds(1), longest},
             "Simulated time with traffic."),
         key("drain", &S::drain, DurationType{{}, Duration::seconds(60)},
             "Simulated time after `duration` in which no new flows begin: sessions close and last reports "
             "arrive."),
         key("seed", &S::seed, IntegerType{0, any_integer},
             "Of all random numbers. The same file, seed and run give the same database; `dyetrace run "
             "--seed` sets it.")}};
    return table;
}

const TableSchema<FabricSettings>& fabric_schema() {
    using S = FabricSettings;
    static const TableSchema<S> table{
        "fabric",
        false,
        "The underlay: switches, links and hosts.",
        {key("kind", &S::kind,
             ChoiceType<FabricKind>{{{"fat-tree", FabricKind::FatTree},
                                     {"leaf-spine", FabricKind::LeafSpine},
                                     {"clos", FabricKind::Clos},
                                     {"jellyfish", FabricKind::Jellyfish},
                                     {"graphml", FabricKind::GraphMl},
                                     {"edge-list", FabricKind::EdgeList}}},
             "Shape of the fabric. Each kind has keys of its own, named in their meanings below."),
         key("k", &S::k, IntegerType{4, 64, true},
             "`fat-tree`: ports of a switch. There are k pods and k^3/4 hosts."),
         key("link_rate", &S::link_rate_bps, RateType{link_rate_least, link_rate_most},
             "Of every link, in each direction, that nothing else is said of."),
         key("link_delay", &S::link_delay, DurationType{{}, link_delay_most},
             "Propagation delay of every link that nothing else is said of."),
         // With less room the longest packets, which are those with tags, would find none ever.
         key("queue", &S::queue_bytes, SizeType{packet_longest + around_packet, 1'000'000'000},
             "What every port can hold; a packet that finds no room is dropped."),
         key("ecn", &S::ecn_bytes, SizeType{0, 1'000'000'000},
             "A port that holds more marks ECN-capable packets (RFC 3168); 0B: none does."),
         key("mtu", &S::mtu, IntegerType{packet_longest, 65'535},
             "Longest IP packet that a link takes, bytes; a longer one is dropped and its sender told."),
         optional_key("detection_delay", &S::detection_delay, DurationType{{}, longest}, "\"50ms\"",
                      "From a link's failure, or its return, to routes that know of it; `\"-\"`: they never "
                      "change."),
         key("grade", &S::grade, ChoiceType<std::string>{{{"lean", "lean"}, {"stock", "stock"}}},
             "`lean`: switches and links of dyetrace's own. `stock`: an ns-3 node with an internet stack for "
             "each; "
             "slower, and the same packet by packet."),
         key("underlay", &S::underlay, ChoiceType<std::string>{{{"ipv4", "ipv4"}, {"ipv6", "ipv6"}}},
             "Version of IP of all packets between hosts. `ipv6`: a node has its IPv4 address in fd00::/96, "
             "and packets are 20 bytes longer."),
         key("guest_delay", &S::guest_delay, DurationType{{}, Duration::seconds(1)},
             "How long frames take between a guest and its host's EPPC, in each direction."),
         key("icmp_rate", &S::icmp_rate, IntegerType{0, 1'000'000'000},
             "ICMP messages a second that a switch sends at most, path traces' answers among them; 0: no "
             "limit."),
         key("icmp_burst", &S::icmp_burst, IntegerType{1, 1'000'000},
             "ICMP messages that it may send at once where `icmp_rate` limits them."),
         key("leaves", &S::leaves, IntegerType{2, 1024}, "`leaf-spine`: switches with hosts."),
         key("spines", &S::spines, IntegerType{1, 128},
             "`leaf-spine`: switches that every leaf has a link to. `clos`: core switches of each plane."),
         key("pods", &S::pods, IntegerType{1, 128}, "`clos`: pods."),
         key("edges", &S::edges, IntegerType{1, 128}, "`clos`: edge switches of each pod."),
         key("planes", &S::planes, IntegerType{1, 128},
             "`clos`: aggregation switches of each pod. The nth of every pod has links to the core switches "
             "of plane n."),
         key("switches", &S::switches, IntegerType{4, 4096}, "`jellyfish`: switches, all with hosts."),
         key("degree", &S::degree, IntegerType{3, 64},
             "`jellyfish`: other switches that each is joined with, drawn at random; less than `switches`."),
         key("wiring_seed", &S::wiring_seed, IntegerType{0, any_integer},
             "`jellyfish`: decides which those are; `run.seed` has no part in it."),
         key("hosts_per_rack", &S::hosts_per_rack, IntegerType{1, 253},
             "`leaf-spine`, `clos`, `jellyfish`: hosts of each leaf, edge switch or switch."),
         optional_key(
             "uplink_rate", &S::uplink_rate_bps, RateType{link_rate_least, link_rate_most},
             "that of `link_rate`",
             "`leaf-spine`: of the links to spines. `clos`: of the links between edge and aggregation. "
             "A leaf is oversubscribed `hosts_per_rack` * `link_rate` to `spines` * `uplink_rate`."),
         optional_key("core_rate", &S::core_rate_bps, RateType{link_rate_least, link_rate_most},
                      "that of `link_rate`", "`clos`: of the links between aggregation and core."),
         optional_key("file", &S::file, TextType{"a file"}, "none: `graphml` and `edge-list` must have it",
                      "`graphml`, `edge-list`: what describes the fabric, looked for beside the scenario, in "
                      "`topologies/` there, and among those shipped."),
         key("hosts_per_node", &S::hosts_per_node, IntegerType{0, 253},
             "`graphml`, `edge-list`: hosts at each node of which the file says nothing else."),
         key("largest_part", &S::largest_part, BooleanType{},
             "`graphml`, `edge-list`: of a network in parts that no link joins, keep only the largest, the "
             "first of those that are; otherwise that is an error.")}};
    return table;
}

namespace {

ChoiceType<WorkloadKind> workload_kind_type() {
    ChoiceType<WorkloadKind> type;
    for (const WorkloadKindInfo& info : workload_kinds())
        type.choices.emplace_back(info.name, info.kind);
    return type;
}

std::string workload_kinds_in_words() {
    std::string text = "How traffic is made.";
    for (const WorkloadKindInfo& info : workload_kinds())
        text += fmt::format(" `{}`: {}.", info.name, info.meaning);
    return text;
}

/// A key of some kinds only, which says so.
Key<WorkloadSettings> key_of_workloads(Key<WorkloadSettings> made) {
    std::vector<std::string> names;
    for (const WorkloadKindInfo& info : workload_kinds()) {
        if (has_key(info, made.info.name)) names.push_back("`" + info.name + "`");
    }
    made.info.meaning += fmt::format(" Of {}.", fmt::join(names, ", "));
    return made;
}

/// Words that ns-3's objects take as they are.
ChoiceType<std::string> word_type(std::initializer_list<const char*> words) {
    ChoiceType<std::string> type;
    for (const char* word : words)
        type.choices.emplace_back(word, word);
    return type;
}

std::vector<Key<WorkloadSettings>> stream_keys() {
    using S = WorkloadSettings;
    return {
        key("rate", &S::rate_bps, RateType{1'000, 1'000'000'000'000},
            "What each guest sends, its Ethernet frames counted; of `on-off` while it is on."),
        key("flows", &S::flows, IntegerType{1, 1024},
            "Flows that share the rate, each with ports and a destination of its own."),
        key("destination", &S::destination, word_type({"random", "permutation"}),
            "Of each flow, for the whole run. `random`: a guest of another rack, each as likely. "
            "`permutation`: each guest sends to one other, and gets from one."),
        key("on_time", &S::on_time, DurationType{Duration::microseconds(1), longest},
            "Mean time on; each flow has times of its own."),
        key("off_time", &S::off_time, DurationType{{}, longest}, "Mean time off, with which each begins."),
        key("times", &S::times, word_type({"exponential", "fixed", "pareto"}),
            "How times on and off are distributed; `pareto` has shape 1.5: some are very long.")};
}

std::vector<Key<WorkloadSettings>> incast_keys() {
    using S = WorkloadSettings;
    return {key("interval", &S::interval, DurationType{Duration::microseconds(1), longest},
                "From one round to the next; the first is at `start`."),
            key("fan_in", &S::fan_in, IntegerType{1, 65'535},
                "Guests that answer one receiver, drawn anew in each round."),
            key("receivers", &S::receivers, IntegerType{1, 65'535},
                "Receivers in a round, each with senders of its own."),
            optional_key("receiver", &S::receiver, TextType{"a host"}, "each round has another",
                         "The host whose guest receives in every round."),
            key("response", &S::response_bytes, SizeType{1, 1'000'000'000'000},
                "UDP payload that each sender answers with."),
            key("jitter", &S::jitter, DurationType{{}, longest},
                "A response begins so long at most after the round, at random; 0s: all at once.")};
}

}  // namespace

const TableSchema<WorkloadSettings>& workload_schema() {
    using S = WorkloadSettings;
    static const TableSchema<S> table = [] {
        TableSchema<S> made{
            "workload",
            false,
            "What the guests send. Written as `[[workload]]` there may be several, which send at once, each "
            "from "
            "guests of its own.",
            {key("kind", &S::kind, workload_kind_type(), workload_kinds_in_words()),
             key("hosts", &S::hosts, TextType{"a host or a pattern"},
                 "Whose guests take part, such as `host-0-*`; they send among themselves."),
             key("vni", &S::vni, IntegerType{1, vni_most}, "Virtual network that these guests are in."),
             key_of_workloads(
                 key("distribution", &S::distribution, TextType{"a shipped name, or a file"},
                     "Sizes of flows: `web-search`, `data-mining`, `hadoop`, `storage`, or a `.cdf` file of "
                     "your own, looked for beside the scenario, in `distributions/` there, and among those "
                     "shipped.")),
             key_of_workloads(
                 key("load", &S::load, ShareType{least_share},
                     "Mean share of each host's link that its flows take up, headers included.")),
             key_of_workloads(key("flow_rate", &S::flow_rate_bps, RateType{1'000, 1'000'000'000'000},
                                  "Pace of the packets of one flow, or of one response."))}};
        for (const auto& keys : {stream_keys(), incast_keys()}) {
            for (const Key<S>& one : keys)
                made.keys.push_back(key_of_workloads(one));
        }
        // 1472 bytes of UDP payload are an IPv4 packet of 1500; with the outer headers and the track option
        // it fits into an underlay packet of 1600 over IPv4. What fits over IPv6: workload_checks.cpp.
        made.keys.push_back(key("packet", &S::packet_bytes, IntegerType{18, 1472},
                                "UDP payload of a full packet, bytes; 1472 is a guest MTU of 1500."));
        made.keys.push_back(key("start", &S::start, DurationType{{}, longest}, "When it begins."));
        made.keys.push_back(
            optional_key("stop", &S::stop, DurationType{{}, longest}, "the end of `run.duration`",
                         "From when on nothing begins; flows and responses that were begun are finished."));
        return made;
    }();
    return table;
}

const TableSchema<TrackingSettings>& tracking_schema() {
    using S = TrackingSettings;
    static const TableSchema<S> table{
        "tracking",
        false,
        "How the EPPC on each host measures what its guests send.",
        {key("rate", &S::rate, ShareType{},
             "Share of the data packets that carry the track option; a budget has none."),
         key("sampling", &S::sampling, sampling_type(),
             "Which packets those are (RFC 5475): every Nth to a peer (N is 1 / `rate`, rounded), each with "
             "a probability, those whose hash is in the share, or as many as a budget has tags for."),
         key("sampling_seed", &S::sampling_seed, IntegerType{0, wire::SamplingSpec::kParameterMost},
             "`hash-consistent`: sessions with one seed pick the same packets."),
         key("sampling_budget", &S::sampling_budget, IntegerType{1, 1'000'000'000},
             "`rate-budget`: tags a second in each session."),
         key("sampling_burst", &S::sampling_burst, IntegerType{1, wire::SamplingSpec::kParameterMost},
             "`rate-budget`: tags that a session may give at once after a silence."),
         key("flow_filter", &S::flow_filter, FlowFilterType{},
             "Sampling looks only at packets that meet one of these rules, such as `\"protocol=udp "
             "destination_ports=80-443\"`; none: at all."),
         key("metrics", &S::metrics, MetricsType{},
             "What sessions ask for. Without delay no clock is learned and no delay corrected, without "
             "quantiles there is no sketch; the rest is in every record, asked for or not."),
         key("tracked_per_second", &S::tracked_per_second, IntegerType{0, 1'000'000'000},
             "A session tags no more packets a second, and tells its acceptor so; 0: no bound."),
         key("accepted_per_second", &S::accepted_per_second, IntegerType{0, 1'000'000'000},
             "What the sessions that a host accepts may promise of that together; beyond it they are "
             "refused. 0: no bound."),
         key("traffic_sessions", &S::traffic_sessions, IntegerType{0, 1'000'000},
             "No more sessions does a host ask for at a time; beyond them its peers take turns."),
         key("choice_interval", &S::choice_interval, DurationType{shortest_interval, longest_interval},
             "Between two looks at the peers that wait for their turn."),
         key("turn", &S::turn, DurationType{{}, longest},
             "A session lasts so long at least before it makes room for who waits."),
         key("near_prefix", &S::near_prefix, IntegerType{0, 32},
             "Peers that share so many leading bits of the (IPv4) address are near, and what is sent to them "
             "counts for a quarter when turns are given: 24 is a rack, 16 a pod; 0: none is."),
         key("path_count", &S::path_count, IntegerType{1, 1024},
             "Outer UDP source ports, and so paths, to each peer."),
         key("report_interval", &S::report_interval, DurationType{shortest_interval, longest_interval},
             "Between two reports of a session's acceptor."),
         key("ride_wait", &S::ride_wait, DurationType{{}, longest_interval},
             "A report that is due waits so long for data packets to ride in before it goes in a packet of "
             "its own; 0s: it never rides."),
         key("path_idle", &S::path_idle, DurationType{shortest_interval, longest_interval},
             "After so long without data on a path its measured interval ends with an END marker."),
         key("waiting_time", &S::waiting_time, DurationType{{}, longest},
             "What comes later than that behind an END counts as lost, even where it comes (RFC 7680 "
             "Tmax)."),
         key("session_duration", &S::session_duration, DurationType{{}, longest},
             "After so long a session closes by itself, and the next packet asks for another; 0s: it lasts."),
         optional_key("key", &S::key, SecretType{}, "none: it or `insecure = true` must be given",
                      "Secret that all EPPCs and the health service share; tags and messages are "
                      "authenticated with it."),
         key("insecure", &S::insecure, BooleanType{},
             "Work without a key: anyone on the underlay could forge tags and messages.")}};
    return table;
}

namespace {

ChoiceType<RemedyMode> remedy_mode_type() {
    return {
        {{"off", RemedyMode::Off}, {"advisory", RemedyMode::Advisory}, {"automatic", RemedyMode::Automatic}}};
}

}  // namespace

const TableSchema<HealthSettings>& health_schema() {
    using S = HealthSettings;
    static const TableSchema<S> table{
        "health",
        false,
        "The health service (NHMS), which stands on a host of the fabric and is reached through it.",
        {with_fallback(key("host", &S::host, TextType{"a host"}, "Where it stands."), "the first host"),
         key("update_interval", &S::update_interval, DurationType{shortest_interval, longest_interval},
             "Between two health updates of an EPPC."),
         key("evaluate_interval", &S::evaluate_interval, DurationType{shortest_interval, longest_interval},
             "Between two looks at the evidence."),
         key("raised_rate", &S::raised_rate, ShareType{least_share},
             "Share of packets, drawn by chance, that it asks suspected pairs to tag."),
         key("investigation", &S::investigation,
             DurationType{Duration::milliseconds(1), Duration::seconds(3600)},
             "How long it waits for fresh evidence that confirms or refutes a suspicion."),
         key("cover_interval", &S::cover_interval, DurationType{shortest_interval, longest_interval, true},
             "Between two looks which links no measured pair crosses; pairs that may cross those are "
             "measured too. "
             "0s: it does not look. Of use where hosts measure few of their pairs "
             "(`tracking.traffic_sessions`)."),
         key("cover_pairs", &S::cover_pairs, IntegerType{1, 100'000},
             "Most pairs asked for in one such look."),
         key("read_counters", &S::read_counters, DurationType{shortest_interval, longest_interval, true},
             "Between two readings of what switches' ports count (packets in, and damaged ones: "
             "`frame-errors`), which are further evidence; 0s: they are not read."),
         key("repath", &S::repath, remedy_mode_type(),
             "Whether EPPCs move the paths that cross a confirmed link or switch to other source ports. Here "
             "and "
             "below `advisory` says so and leaves it to the operator."),
         key("drain", &S::drain, remedy_mode_type(),
             "Whether a confirmed link (both directions) or switch is taken out of the switches' tables, "
             "where "
             "`repath` did not help."),
         key("migrate", &S::migrate, remedy_mode_type(),
             "Whether the guests of a confirmed host are moved elsewhere: each to the host with the fewest "
             "guests, none to one that is drained or was to be emptied before. Of equal ones chance "
             "decides."),
         key("migrate_after", &S::migrate_after, DurationType{{}, Duration::seconds(3600)},
             "From the decision to move guests until they are elsewhere. Shorter than `verify_within`."),
         key("learn_after", &S::learn_after, DurationType{{}, Duration::seconds(3600)},
             "From a guest's move until other hosts send to its new host. What they send in between is "
             "dropped "
             "by the old one, as `guest-elsewhere`."),
         key("drain_host", &S::drain_host, remedy_mode_type(),
             "Whether a confirmed host gets no new guests."),
         key("notify", &S::notify, remedy_mode_type(), "Whether somebody is told of a confirmed incident."),
         key("drain_share", &S::drain_share, ShareType{0},
             "Of the cables between two tiers, of a tier's switches or of all hosts, no more is drained at a "
             "time; nothing is that would cut hosts off."),
         key("repath_attempts", &S::repath_attempts, IntegerType{1, 1000},
             "How often one path is moved before it is left where it is."),
         key("verify_within", &S::verify_within,
             DurationType{Duration::milliseconds(101), Duration::seconds(3600)},
             "A remedy that has not shown to work for so long did not, and the next one is tried."),
         key("restore_after", &S::restore_after, DurationType{{}, Duration::seconds(3600)},
             "What was drained is tried again after so long, and after twice as long each further time; "
             "`0s`: never."),
         key("client_span", &S::client_span, DurationType{Duration::milliseconds(1), longest_interval},
             "What tenants see, and their conditions and services' scores are of, is of the last so long; a "
             "pair of which nothing was heard for three times that is not measured."),
         key("share_interval", &S::share_interval, DurationType{Duration::milliseconds(1), longest_interval},
             "The share of a tenant's pairs in each state is told of intervals so long, and so are pairs and "
             "probes."),
         key("score_fall", &S::score_fall, DurationType{{}, longest_interval},
             "Time constant by which the score of a service's instance falls."),
         key("score_rise", &S::score_rise, DurationType{{}, longest_interval}, "The same where it rises.")}};
    return table;
}

const TableSchema<Clock>& clock_schema() {
    using S = Clock;
    static const TableSchema<S> table{
        "clock",
        true,
        "Clocks of hosts. Without one a host's clock shows true time; of several for one host the last "
        "counts.",
        {required(key("hosts", &S::hosts, TextType{"a host or a pattern"},
                      "Whose they are: a name, or a pattern such as `host-0-*`.")),
         key("offset", &S::offset, DurationType{{}, Duration::seconds(3600)},
             "What the clock is ahead of true time at the beginning."),
         key("drift", &S::drift, IntegerType{-1000, 1000}, "How much faster it runs, in millionths."),
         key("jitter", &S::jitter, DurationType{{}, Duration::seconds(1)},
             "Error of each reading: uniform from 0 to this.")}};
    return table;
}

namespace {

ChoiceType<FaultKind> fault_kind_type() {
    ChoiceType<FaultKind> type;
    for (const FaultKindInfo& info : fault_kinds())
        type.choices.emplace_back(info.name, info.kind);
    return type;
}

std::string fault_kinds_in_words() {
    std::string text = "What breaks.";
    for (const FaultKindInfo& info : fault_kinds())
        text += fmt::format(" `{}`: {}.", info.name, info.meaning);
    return text;
}

/// "`corruption`, `silent-drop`": the kinds that have this key.
std::string kinds_with(const std::string& key) {
    std::vector<std::string> names;
    for (const FaultKindInfo& info : fault_kinds()) {
        if (has_key(info, key)) names.push_back("`" + info.name + "`");
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

/// A key of some kinds only, which says so.
Key<Fault> key_of_kinds(Key<Fault> made) {
    made.info.meaning += " Of " + kinds_with(made.info.name) + ".";
    return made;
}

}  // namespace

const TableSchema<Fault>& fault_schema() {
    using S = Fault;
    static const TableSchema<S> table{
        "fault",
        true,
        "Something that breaks. The measuring and deciding side is not told.",
        {required(key("kind", &S::kind, fault_kind_type(), fault_kinds_in_words())),
         with_fallback(
             key("from", &S::from, TextType{"a node or a pattern"},
                 "Node at the sending end of the link, or a pattern such as `agg-*`: `*` is any run "
                 "of characters, `?` any one."),
             "none: a fault of links must have it"),
         with_fallback(key("to", &S::to, TextType{"a node or a pattern"}, "Node at the receiving end."),
                       "none: a fault of links must have it"),
         key("both_ways", &S::both_ways, BooleanType{},
             "Whether the links back are struck too. Of faults of links; `link-down` and `link-flap` always "
             "are."),
         with_fallback(key("node", &S::node, TextType{"a node or a pattern"},
                           "The switch (`switch-down`) or host (the other kinds without `from`)."),
                       "none: a fault of nodes must have it"),
         key("count", &S::count, IntegerType{0, 1'000'000},
             "How many of the links or nodes that match are struck, chosen at random; 0: all."),
         key("choice_seed", &S::choice_seed, IntegerType{0, any_integer}, "By which they are chosen."),
         key("at", &S::at, DurationType{{}, longest}, "When it begins; before the end of `run.duration`."),
         optional_key("until", &S::until, DurationType{{}, longest}, "never", "When it ends; after `at`."),
         key_of_kinds(with_fallback(key("probability", &S::probability, ShareType{},
                                        "Of each packet to be struck. Zero is allowed: a fault that does "
                                        "nothing."),
                                    "none: these kinds must have it")),
         key_of_kinds(key("share", &S::share, ShareType{}, "Of all flows, by a hash of the outer headers.")),
         key_of_kinds(key("match", &S::match, FlowFilterType{},
                          "Rules for the outer headers, which have no vni; a packet must meet one, such as "
                          "`\"source_ports=49152-49159\"`; none: `share` decides.")),
         key_of_kinds(key("delay", &S::delay, DurationType{{}, Duration::seconds(10)},
                          "How much longer a packet takes.")),
         key_of_kinds(key("jitter", &S::jitter, DurationType{{}, Duration::seconds(10)},
                          "Random delay on top, uniform from 0 to this.")),
         key_of_kinds(with_fallback(key("rate", &S::rate_bps, RateType{1'000'000, 1'000'000'000'000},
                                        "What the link sends at, where that is less than it has."),
                                    "none: `rate-cut` must have it")),
         key_of_kinds(with_fallback(
             key("mtu", &S::mtu, IntegerType{68, 65'535}, "Longest IP packet that the link takes, bytes."),
             "none: `mtu-shrink` must have it")),
         key_of_kinds(key("down_time", &S::down_time, DurationType{Duration::microseconds(1), longest},
                          "How long the cable is down each time.")),
         key_of_kinds(key("up_time", &S::up_time, DurationType{Duration::microseconds(1), longest},
                          "How long it is up in between.")),
         key_of_kinds(key("step", &S::step, DurationType{{}, Duration::seconds(3600)},
                          "How far the clock jumps forward.")),
         key_of_kinds(key("drift", &S::drift, IntegerType{-1000, 1000},
                          "How much faster the clock runs, in millionths."))}};
    return table;
}

const TableSchema<RecordSettings>& record_schema() {
    using S = RecordSettings;
    static const TableSchema<S> table{"record",
                                      false,
                                      "What is kept besides the run's database.",
                                      {key("pcap", &S::pcap, TextListType{"ports, each `node:peer`", 64},
                                           "Ports that `dyetrace run --pcap DIR` captures; none listed: the "
                                           "uplink of the first host, and both ends of the "
                                           "first fault's link.")}};
    return table;
}

std::vector<TableInfo> schema() {
    return {
        run_schema().info(),          fabric_schema().info(),           workload_schema().info(),
        tracking_schema().info(),     health_schema().info(),           clock_schema().info(),
        fault_schema().info(),        record_schema().info(),           tenant_schema().info(),
        tenant_guest_schema().info(), tenant_condition_schema().info(), tenant_subscription_schema().info(),
        service_schema().info(),      service_instance_schema().info(), probe_schema().info(),
        flow_trace_schema().info()};
}

}  // namespace dyetrace::scenario
