// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/nhms.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "core/auth/seal.h"
#include "core/base/random.h"
#include "core/health/eppc_table.h"
#include "core/health/health_judge.h"
#include "core/health/investigation.h"
#include "core/health/output_queue.h"
#include "core/health/session_table.h"
#include "core/localise/candidate_paths.h"
#include "core/localise/rolling_evidence.h"
#include "core/wire/control.h"
#include "core/wire/directive.h"
#include "core/wire/update.h"

namespace dyetrace::health {

using localise::NodeId;
using localise::PathKey;
using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

namespace {

/// Requester, acceptor, and the requester's number of a session between them.
using SessionKey = std::tuple<IpAddress, IpAddress, SessionId>;

/// What detection made of a path, and of whose.
struct PathState {
    PathDetector detector;
    PairIndex pair{std::numeric_limits<std::uint32_t>::max()};
};

struct PendingDirective {
    DirectiveId id;
    std::uint32_t number = 0;  ///< among those of its EPPC
    WantedDirective wanted;
    int attempts = 0;
    Time retry_at;
};

localise::RollingConfig rolling_config(const NhmsConfig& config) {
    localise::RollingConfig rolling = config.evidence;
    rolling.short_queue = config.localiser.short_queue;
    return rolling;
}

std::optional<std::string> wrong_field(const NhmsConfig& config) {
    if (config.endpoint.address.is_unspecified()) return "endpoint: address must be set";
    if (config.endpoint.port == 0) return "endpoint: port must be set";
    if (!config.key && !config.insecure) return "key: must be set (or say insecure = true)";
    if (config.evaluate_interval.ns <= 0) return "evaluate_interval: must be positive";
    if (config.memory.ns <= 0) return "memory: must be positive";
    if (config.evidence.epoch.ns <= 0) return "evidence.epoch: must be positive";
    if (config.investigation.ns <= 0) return "investigation: must be positive";
    if (config.directive_retry.ns <= 0) return "directive_retry: must be positive";
    const RemedyPolicies& r = config.remedies;
    if (!(r.drain_share >= 0 && r.drain_share <= 1)) return "remedies.drain_share: lies between 0 and 1";
    if (!(r.recovered_share >= 0 && r.recovered_share < 1))
        return "remedies.recovered_share: lies between 0 and 1";
    if (r.repath_attempts < 1) return "remedies.repath_attempts: must be at least 1";
    if (r.settle.ns <= 0) return "remedies.settle: must be positive";
    if (r.verify_within <= r.settle * 2) return "remedies.verify_within: must be over twice settle";
    if (r.restore_after.ns < 0) return "remedies.restore_after: must not be negative";
    return wrong_field(config.detector);
}

}  // namespace

class Nhms::Engine {
  public:
    Engine(const NhmsConfig& given, auth::KeyRing keys, localise::FabricGraph fabric, std::uint64_t seed,
           Time now)
        : config(given),
          graph(std::move(fabric)),
          keys_(std::move(keys)),
          eppcs_(BootId{mix64(seed ^ 0x6e686d73)}, config.bounds.eppcs),
          table_(graph, config.table),
          evidence_(graph, table_, rolling_config(config), now - config.memory),
          candidates_(graph),
          investigation_(config, graph, evidence_),
          flow_traces_(given.flow_traces),
          judge_(config.detector),
          outputs_(config.bounds.outputs) {}
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void handle(const Endpoint& from, Bytes datagram, Time now);
    void set_keys(auth::KeyRing keys);
    void advance(Time now);
    Result<FlowTraceId, std::string> trace_flow(const FlowTraceRequest& request, Time now);
    [[nodiscard]] std::optional<FlowTraceResult> flow_trace(FlowTraceId id, Time now) const;
    [[nodiscard]] const FlowTraces& flow_traces() const { return flow_traces_; }
    Result<Done, std::string> serve(const ClientConfig& clients, Time now);
    [[nodiscard]] ClientDesk* desk() { return desk_ ? &*desk_ : nullptr; }
    bool move_guest(std::string_view tenant, std::string_view guest, IpAddress host, Time now);
    void settle_clients(Time now);
    void emit_told();
    [[nodiscard]] Time next_deadline() const;
    std::optional<Output> poll();
    [[nodiscard]] Memory remember() const;
    Result<Done, std::string> resume(const Memory& memory, Time now);
    const NhmsCounters& all_counters();

    [[nodiscard]] const wire::TimingEntry* timing(const SessionKey& session) const {
        const auto it = timings_.find(session);
        return it == timings_.end() ? nullptr : &it->second;
    }

    NhmsConfig config;
    localise::FabricGraph graph;
    NhmsCounters counters;
    wire::DropCounters drops;

  private:
    /// The key of messages to and from an EPPC.
    struct EppcKey {
        KeyId id;
        auth::PairKey key{};
    };
    [[nodiscard]] std::optional<EppcKey> key_of(IpAddress eppc, KeyId id) const;
    void take_update(const Endpoint& from, const ControlMessage& message, const EppcKey& key, Time now);
    void take(const KnownEppc& eppc, const wire::MetricsEntry& entry, Time now);
    void take(const KnownEppc& eppc, const wire::PathEntry& entry, Time now);
    void take(const KnownEppc& eppc, const wire::SessionEntry& entry, Time now);
    void take(const KnownEppc& eppc, const wire::TimingEntry& entry, Time now);
    [[nodiscard]] std::vector<localise::LinkId> links_along(const KnownEppc& eppc,
                                                            const wire::PathEntry& entry);
    void restart_paths();
    void take_window(TakenRecord& taken, Time now);
    void detect(const TakenRecord& taken, Time now);
    void tell_health(PairIndex pair, const SessionDetector& detector, Time now);
    void expire(Time now);
    [[nodiscard]] bool many_new_losses() const;
    SessionDetector* detector_of(PairIndex pair);
    void resume_paths(const std::vector<RememberedPath>& paths);
    void resume_pairs(const std::vector<RememberedPair>& pairs);
    void take(const KnownEppc& eppc, const wire::FlowStageEntry& entry, Time now);
    void take_directive_result(const ControlMessage& message, IpAddress from, Time now);
    void evaluate(Time now);
    /// Asks an EPPC that was not asked since its start for what tenants' probes need of it.
    void ask_for_probes(const KnownEppc& eppc, Time now);
    void tell_traced(FlowTraceId id, Time now);
    void put(IncidentOutputs outputs, Time now);
    void issue(const WantedDirective& wanted, Time now);
    /// Nobody is asked: the incident's record says why.
    void refuse(const WantedDirective& wanted, const std::string& why, bool for_good, Time now);
    void send_directive(PendingDirective& directive, Time now);
    void retry_directives(Time now);
    void answer(const Endpoint& to, const ControlMessage& update, ControlType type, BootId own_boot,
                const EppcKey& key);
    void send(const Endpoint& to, wire::ControlHeader header, Bytes body, const EppcKey& key);
    template <class Event>
    void emit(Event&& event);

    auth::KeyRing keys_;
    EppcTable eppcs_;
    SessionTable table_;
    localise::RollingEvidence evidence_;
    localise::CandidatePaths candidates_;
    Investigation investigation_;
    FlowTraces flow_traces_;
    std::optional<ClientDesk> desk_;
    std::map<IpAddress, BootId> asked_for_probes_;
    std::map<SessionKey, wire::TimingEntry> timings_;
    HealthJudge judge_;
    StableVector<SessionDetector> detectors_;  ///< by pair
    StableVector<PathState> path_states_;      ///< by path
    std::uint32_t next_to_expire_ = 0;         ///< pair
    Time updated_at_;                          ///< when the newest update came
    std::size_t lossy_since_look_ = 0;         ///< windows in which something was lost
    std::vector<PendingDirective> directives_;
    std::uint32_t next_directive_ = 1;
    Time evaluate_at_ = Time::never();

    std::vector<wire::UpdateEntry> entries_;  ///< reused
    OutputQueue outputs_;
};

template <class Event>
void Nhms::Engine::emit(Event&& event) {
    if (outputs_.is_full()) return drops.add(DropReason::QueueFull);
    outputs_.push(std::forward<Event>(event));
}

void Nhms::Engine::send(const Endpoint& to, wire::ControlHeader header, Bytes body, const EppcKey& key) {
    if (outputs_.is_full()) return drops.add(DropReason::QueueFull);
    header.key_id = key.id;
    auth::seal_into(outputs_.push_datagram(to), header, body, key.key, config.endpoint, to);
}

void Nhms::Engine::answer(const Endpoint& to, const ControlMessage& update, ControlType type, BootId own_boot,
                          const EppcKey& key) {
    wire::ControlHeader header;
    header.type = type;
    header.session = update.header.session;  // the challenge
    header.message_number = update.header.message_number;
    header.sender_boot = own_boot;
    header.receiver_boot = update.header.sender_boot;
    send(to, header, {}, key);
}

std::optional<Output> Nhms::Engine::poll() {
    return outputs_.pop();
}

void Nhms::Engine::handle(const Endpoint& from, Bytes datagram, Time now) {
    const auto message = ControlMessage::parse(datagram);
    if (!message) return drops.add(message.error());
    const auto key = key_of(from.address, message->header.key_id);
    if (!key) return drops.add(DropReason::ControlUnknownKey);
    if (!auth::control_tag_ok(key->key, from, config.endpoint, *message))
        return drops.add(DropReason::ControlBadTag);
    switch (message->header.type) {
        case ControlType::Update: return take_update(from, *message, *key, now);
        case ControlType::DirectiveResult: return take_directive_result(*message, from.address, now);
        default: return drops.add(DropReason::ControlUnexpected);
    }
}

std::optional<Nhms::Engine::EppcKey> Nhms::Engine::key_of(IpAddress eppc, KeyId id) const {
    const KnownEppc* const known = eppcs_.find(eppc);
    if (known != nullptr && known->key_id == id) return EppcKey{id, known->key};
    const auto key = keys_.pair_key(id, config.endpoint.address, eppc);
    if (!key) return std::nullopt;
    return EppcKey{id, *key};
}

void Nhms::Engine::set_keys(auth::KeyRing keys) {
    keys_ = std::move(keys);
    for (auto& [address, eppc] : eppcs_.all()) {
        // Until it says something under one of these, it is spoken to under the one to send under.
        if (!keys_.has(eppc.key_id)) eppc.key_id = keys_.sending();
        eppc.key = *keys_.pair_key(eppc.key_id, config.endpoint.address, address);
    }
}

void Nhms::Engine::take_update(const Endpoint& from, const ControlMessage& message, const EppcKey& key,
                               Time now) {
    const wire::ControlHeader& header = message.header;
    const BootId shown = eppcs_.shown_boot(from.address, header.sender_boot);
    if (header.receiver_boot != shown) {
        // Perhaps recorded. Whoever sent it just now will send it again with what it is shown here; and the
        // answer is smaller than what it answers.
        ++counters.hellos;
        if (header.receiver_boot.value != 0) drops.add(DropReason::ControlWrongBoot);
        return answer(from, message, ControlType::NhmsHello, shown, key);
    }
    entries_.clear();
    if (const auto body = wire::UpdateBody::parse(message.body, entries_); !body)
        return drops.add(body.error());
    const auto [eppc, verdict] = eppcs_.take(from, header.sender_boot, header.message_number);
    if (eppc == nullptr) return drops.add(DropReason::TableFull);
    if (verdict == ReplayWindow::Verdict::TooOld) return drops.add(DropReason::ControlReplayed);
    const bool fresh = verdict == ReplayWindow::Verdict::New;
    ++(fresh ? counters.updates : counters.updates_repeated);
    emit(UpdateReceived{now, from.address, eppc->boot, header.message_number, entries_.size(), !fresh});
    if (fresh) {
        eppc->key_id = key.id;
        eppc->key = key.key;
        table_.begin(from.address, eppc->boot);
        for (const wire::UpdateEntry& entry : entries_) {
            std::visit([&, known = eppc](const auto& e) { take(*known, e, now); }, entry);
        }
        evaluate_at_ = std::min(evaluate_at_, now + config.evaluate_interval);
        if (desk_) ask_for_probes(*eppc, now);
    }
    answer(from, message, ControlType::UpdateAck, shown, key);
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::SessionEntry& entry, Time now) {
    emit(SessionReported{now, eppc.endpoint.address, entry});
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::FlowStageEntry& entry, Time now) {
    if (!ClientDesk::is_of_probe(entry)) return flow_traces_.take(eppc.endpoint.address, entry);
    if (desk_) desk_->take(eppc.endpoint.address, entry, now);
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::TimingEntry& entry, Time /*now*/) {
    ++counters.timings;
    if (entry.clock_known) {
        flow_traces_.on_clock(eppc.endpoint.address, entry.peer, entry.clock_offset, entry.clock_bound);
        if (desk_) desk_->on_clock(eppc.endpoint.address, entry.peer, entry.clock_offset);
    }
    const SessionKey key{eppc.endpoint.address, entry.peer, entry.session};
    const auto it = timings_.find(key);
    if (it != timings_.end()) {
        // Updates come again and out of order; all in an entry are totals, so the newest says it all.
        if (entry.measured_ns >= it->second.measured_ns) it->second = entry;
    } else if (timings_.size() < config.bounds.sessions) {
        timings_.emplace(key, entry);
    } else {
        drops.add(DropReason::TableFull);
    }
}

/// The links of a path as it was traced. Where some switch kept silent, only if just one shortest path fits
/// those that answered; none where that is not so, or the graph has no such nodes or links.
std::vector<localise::LinkId> Nhms::Engine::links_along(const KnownEppc& eppc, const wire::PathEntry& entry) {
    std::vector<NodeId> hops;
    const auto add = [&](IpAddress address) {
        const auto node = graph.find(address);
        if (node) hops.push_back(*node);
        return node.has_value();
    };
    if (!add(eppc.endpoint.address)) return {};
    bool all_answered = entry.complete;
    for (std::size_t i = 0; i < entry.hop_count; ++i) {
        const bool silent = entry.hops[i].is_unspecified();
        all_answered = all_answered && !silent;
        if (!silent && !add(entry.hops[i])) return {};
    }
    if (!add(entry.peer)) return {};
    if (all_answered) return graph.links_along(hops).value_or(std::vector<localise::LinkId>{});
    const auto candidates =
        candidates_.between(hops.front(), hops.back(), std::span(hops).subspan(1, hops.size() - 2));
    if (!candidates.any || !candidates.one) return {};
    std::vector<localise::LinkId> links;
    for (NodeId at = hops.front(); links.size() < candidates.common.size(); at = graph.to(links.back())) {
        const auto next = std::find_if(candidates.common.begin(), candidates.common.end(),
                                       [&](localise::LinkId link) { return graph.from(link) == at; });
        if (next == candidates.common.end()) return {};
        links.push_back(*next);
    }
    ++counters.paths_completed;
    return links;
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::PathEntry& entry, Time now) {
    ++counters.paths;
    const auto links = links_along(eppc, entry);
    bool usable = !links.empty();
    if (usable) {
        const auto path = table_.path(entry.peer, entry.session, entry.path, entry.generation);
        restart_paths();
        if (path) evidence_.route(*path, Time{entry.traced_ns}, links);
        std::vector<NodeId> hops{graph.from(links.front())};
        for (const localise::LinkId link : links)
            hops.push_back(graph.to(link));
        flow_traces_.on_path(eppc.endpoint.address, entry.peer, entry.path, entry.generation, hops);
        if (!path) drops.add(DropReason::TableFull);
    } else {
        ++counters.paths_unusable;
    }
    emit(PathReported{now, eppc.endpoint.address, entry, usable});
}

/// Numbers of paths that were given to others.
void Nhms::Engine::restart_paths() {
    if (!table_.any_restarted()) return;
    for (const localise::PathId path : table_.take_restarted()) {
        evidence_.restart(path);
        if (path.value >= path_states_.size()) continue;
        PathState& state = path_states_[path.value];
        if (state.pair.value < detectors_.size()) judge_.forget(detectors_[state.pair.value], state.detector);
        state = {};
    }
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::MetricsEntry& entry, Time now) {
    ++counters.records;
    emit(RecordReceived{now, eppc.endpoint.address, entry});
    TakenRecord taken = table_.take(entry.peer, entry.session, entry.record);
    restart_paths();
    switch (taken.verdict) {
        case RecordVerdict::Window: return take_window(taken, now);
        case RecordVerdict::Impossible:
            ++counters.impossible_records;
            if (taken.window.excess) detect(taken, now);
            return;
        case RecordVerdict::OverLimit: return drops.add(DropReason::TableFull);
        case RecordVerdict::Begun:
        case RecordVerdict::Repeated:
        case RecordVerdict::Late:
        case RecordVerdict::UnknownHost:
        case RecordVerdict::OldGeneration: return;
    }
}

void Nhms::Engine::take_window(TakenRecord& taken, Time now) {
    MetricsWindow& window = taken.window;
    if (window.sent == 0) return;
    if (window.sent <= std::numeric_limits<std::uint32_t>::max()) {
        localise::PathWindow evidence{window.start,
                                      window.end,
                                      static_cast<std::uint32_t>(window.sent),
                                      static_cast<std::uint32_t>(window.lost),
                                      window.delay_count,
                                      {}};
        if (window.delay_count > 0) evidence.delay_mean = window.delay_sum / window.delay_count;
        evidence_.add(taken.path, evidence, window.delay_min);
    }
    window.route_links = static_cast<std::uint16_t>(evidence_.link_count_of(taken.path));
    detect(taken, now);
}

void Nhms::Engine::detect(const TakenRecord& taken, Time now) {
    const MetricsWindow& window = taken.window;
    if (desk_) {
        const auto [requester, acceptor] = table_.pair(taken.pair);
        desk_->add(requester, acceptor, window, now);
    }
    if (window.lost > 0) {
        ++lossy_since_look_;
        const PathKey key = table_.key(taken.path);
        emit(LossSeen{now, key.requester, key.acceptor, key.session, key.path, key.generation, window.sent,
                      window.lost});
    }
    SessionDetector* const detector = detector_of(taken.pair);
    if (detector == nullptr) return drops.add(DropReason::TableFull);
    while (path_states_.size() <= taken.path.value)
        path_states_.emplace_back();
    PathState& path = path_states_[taken.path.value];
    path.pair = taken.pair;
    if (judge_.add(*detector, path.detector, window, now)) tell_health(taken.pair, *detector, now);
}

SessionDetector* Nhms::Engine::detector_of(PairIndex pair) {
    if (pair.value >= config.bounds.pairs) return nullptr;
    while (detectors_.size() <= pair.value) {
        const auto next = static_cast<std::uint32_t>(detectors_.size());
        judge_.enter(detectors_.emplace_back(), table_.pair(PairIndex{next}).second);
    }
    return &detectors_[pair.value];
}

void Nhms::Engine::tell_health(PairIndex pair, const SessionDetector& detector, Time now) {
    const auto [requester, acceptor] = table_.pair(pair);
    if (desk_) desk_->set_health(requester, acceptor, detector.health(), detector.confidence(), now);
    emit(HealthChanged{now, requester, acceptor, detector.health(), detector.statistic(), detector.sample(),
                       detector.hits(), detector.reason(), detector.metric(), detector.confidence()});
}

/// Silence is not health. Looks at some of the pairs each time, one after the other.
void Nhms::Engine::expire(Time now) {
    const std::size_t looks = std::min(detectors_.size(), config.bounds.pairs_expired_at_a_time);
    for (std::size_t i = 0; i < looks; ++i) {
        if (next_to_expire_ >= detectors_.size()) next_to_expire_ = 0;
        const PairIndex pair{next_to_expire_++};
        SessionDetector& detector = detectors_[pair.value];
        if (judge_.expire(detector, now)) tell_health(pair, detector, now);
    }
}

Memory Nhms::Engine::remember() const {
    Memory memory;
    for (std::uint32_t i = 0; i < table_.paths(); ++i) {
        const localise::PathId path{i};
        RememberedPath& remembered = memory.paths.emplace_back(table_.remember(path));
        const auto links = evidence_.links_of(path);
        if (!links.empty()) remembered.hops.push_back(graph.address(graph.from(links.front())));
        for (const localise::LinkId link : links)
            remembered.hops.push_back(graph.address(graph.to(link)));
        if (!links.empty()) remembered.traced = evidence_.traced(path).last;
        const auto least = evidence_.delay_min(path);
        remembered.delay_known = least.has_value();
        remembered.delay_min = least.value_or(Duration{});
    }
    for (std::uint32_t i = 0; i < detectors_.size(); ++i) {
        const auto [requester, acceptor] = table_.pair(PairIndex{i});
        memory.pairs.push_back({requester, acceptor, detectors_[i]});
    }
    memory.incidents = investigation_.remember();
    return memory;
}

Result<Done, std::string> Nhms::Engine::resume(const Memory& memory, Time now) {
    auto incidents = investigation_.resume(memory.incidents, now);
    if (!incidents) return Failure{incidents.error()};
    resume_paths(memory.paths);
    resume_pairs(memory.pairs);
    put(std::move(incidents).value(), now);
    if (investigation_.is_busy()) evaluate_at_ = std::min(evaluate_at_, now + config.evaluate_interval);
    return Done{};
}

void Nhms::Engine::resume_paths(const std::vector<RememberedPath>& paths) {
    for (const RememberedPath& remembered : paths) {
        const auto path = table_.resume(remembered);
        restart_paths();
        if (!path) continue;
        ++counters.paths_remembered;
        if (remembered.delay_known) evidence_.remember_delay(*path, remembered.delay_min);
        std::vector<NodeId> hops;
        for (const IpAddress address : remembered.hops) {
            if (const auto node = graph.find(address)) hops.push_back(*node);
        }
        if (hops.empty() || hops.size() != remembered.hops.size()) continue;
        if (const auto links = graph.links_along(hops)) evidence_.route(*path, remembered.traced, *links);
    }
}

void Nhms::Engine::resume_pairs(const std::vector<RememberedPair>& pairs) {
    for (const RememberedPair& remembered : pairs) {
        const auto pair = table_.find_pair(remembered.requester, remembered.acceptor);
        SessionDetector* const detector = pair ? detector_of(*pair) : nullptr;
        if (detector == nullptr) continue;
        judge_.forget(*detector);
        *detector = remembered.detector;
        judge_.resume(*detector, remembered.acceptor);
    }
}

const NhmsCounters& Nhms::Engine::all_counters() {
    counters.by_reason = table_.counters();
    counters.evidence = evidence_.counters();
    return counters;
}

void Nhms::Engine::evaluate(Time now) {
    evidence_.forget_before(now + config.memory * -1);
    expire(now);
    const bool look = judge_.is_suspicious() || many_new_losses();
    if (look) lossy_since_look_ = 0;
    put(investigation_.evaluate(now, look), now);
    counters.evaluations = investigation_.evaluations();
    counters.incidents_over_limit = investigation_.over_limit();
}

/// No session may have lost enough to say so by itself, and yet all that lost something may have crossed one
/// link. So localisation looks where there is a tenth more of it than when it looked last, and a few windows
/// at least.
bool Nhms::Engine::many_new_losses() const {
    constexpr std::size_t kFew = 3;
    return lossy_since_look_ >= std::max(kFew, evidence_.windows_lossy() / 10);
}

void Nhms::Engine::put(IncidentOutputs outputs, Time now) {
    for (IncidentChanged& change : outputs.changes)
        emit(std::move(change));
    for (const WantedDirective& wanted : outputs.directives)
        issue(wanted, now);
    for (SuspectsNamed& named : outputs.named)
        emit(std::move(named));
    for (const DrainRequested& drain : outputs.drains)
        emit(drain);
    for (const MigrationRequested& migration : outputs.migrations)
        emit(migration);
    for (OperatorNotified& notice : outputs.notices)
        emit(std::move(notice));
}

void Nhms::Engine::refuse(const WantedDirective& wanted, const std::string& why, bool for_good, Time now) {
    if (const Incident* incident = investigation_.find(wanted.incident)) {
        emit(IncidentChanged{
            now, incident->id, incident->state, IncidentStep::DirectiveRefused, incident->subject,
            std::string(wire::to_string(wanted.body.kind)) + " to " + wanted.eppc.to_string() + ": " + why});
    }
    investigation_.on_no_answer(wanted, for_good, now);
}

void Nhms::Engine::issue(const WantedDirective& wanted, Time now) {
    KnownEppc* eppc = eppcs_.find(wanted.eppc);
    if (eppc == nullptr) {
        // A pair that nobody has measured may begin at a host that says nothing, or runs no EPPC at all.
        ++counters.directives_unknown_eppc;
        return refuse(wanted, "no such EPPC has sent an update", true, now);
    }
    const auto in_reach = [&](const PendingDirective& directive) {
        return directive.wanted.eppc != wanted.eppc ||
               eppc->next_directive - directive.number < ReplayWindow::kWidth;
    };
    if (directives_.size() >= config.bounds.directives ||
        !std::all_of(directives_.begin(), directives_.end(), in_reach)) {
        ++counters.directives_no_room;
        return refuse(wanted, "too many wait for an answer", false, now);
    }
    PendingDirective& directive = directives_.emplace_back();
    directive.id = DirectiveId{next_directive_++};
    directive.number = eppc->next_directive++;
    directive.wanted = wanted;
    emit(DirectiveSent{now, directive.id, wanted.incident, wanted.eppc, wanted.body});
    send_directive(directive, now);
}

void Nhms::Engine::send_directive(PendingDirective& directive, Time now) {
    ++directive.attempts;
    directive.retry_at = now + config.directive_retry;
    const KnownEppc* eppc = eppcs_.find(directive.wanted.eppc);
    DYETRACE_ASSERT(eppc != nullptr);
    wire::ControlHeader header;
    header.type = ControlType::Directive;
    header.message_number = directive.number;
    header.sender_boot = eppc->shown_boot;
    header.receiver_boot = eppc->boot;
    std::vector<std::uint8_t> body(directive.wanted.body.encoded_size());
    directive.wanted.body.encode_into(body);
    send(eppc->endpoint, header, body, {eppc->key_id, eppc->key});
}

Result<FlowTraceId, std::string> Nhms::Engine::trace_flow(const FlowTraceRequest& request, Time now) {
    for (const IpAddress host : {request.source_host, request.destination_host}) {
        if (eppcs_.find(host) == nullptr) return Failure{"nothing was heard of " + host.to_string()};
    }
    const auto id = flow_traces_.start(request, now);
    if (!id) return id;
    for (const auto& [eppc, body] : flow_traces_.directives(*id))
        issue({IncidentId{}, eppc, body}, now);
    return id;
}

std::optional<FlowTraceResult> Nhms::Engine::flow_trace(FlowTraceId id, Time now) const {
    auto result = flow_traces_.result(id, graph, now);
    if (!result) return result;
    for (FlowTraceResult::Path& path : result->paths) {
        for (FlowTraceResult::Link& link : path.links) {
            const auto crossing = evidence_.crossing(link.link, now - config.memory);
            link.sent = crossing.sent;
            link.lost = crossing.lost;
        }
    }
    return result;
}

Result<Done, std::string> Nhms::Engine::serve(const ClientConfig& clients, Time now) {
    auto made = ClientDesk::create(clients, now);
    if (!made) return Failure{made.error()};
    desk_.emplace(std::move(made).value());
    for (std::uint32_t i = 0; i < detectors_.size(); ++i) {
        const auto [requester, acceptor] = table_.pair(PairIndex{i});
        desk_->set_health(requester, acceptor, detectors_[i].health(), detectors_[i].confidence(), now);
    }
    asked_for_probes_.clear();
    for (const auto& [address, eppc] : eppcs_.all())
        ask_for_probes(eppc, now);
    return Done{};
}

void Nhms::Engine::ask_for_probes(const KnownEppc& eppc, Time now) {
    BootId& asked = asked_for_probes_[eppc.endpoint.address];
    if (asked == eppc.boot) return;
    asked = eppc.boot;
    for (wire::DirectiveBody& body : desk_->directives(eppc.endpoint.address))
        issue({IncidentId{}, eppc.endpoint.address, std::move(body)}, now);
}

bool Nhms::Engine::move_guest(std::string_view tenant, std::string_view guest, IpAddress host, Time now) {
    if (!desk_ || !desk_->move_guest(tenant, guest, host, now)) return false;
    asked_for_probes_.clear();
    return true;
}

void Nhms::Engine::emit_told() {
    for (ClientOutput& told : desk_->take())
        std::visit([this](auto& one) { emit(std::move(one)); }, told);
}

void Nhms::Engine::settle_clients(Time now) {
    while (const auto id = flow_traces_.take_any())
        tell_traced(*id, now);
    if (!desk_) return;
    desk_->settle(now);
    emit_told();
}

void Nhms::Engine::tell_traced(FlowTraceId id, Time now) {
    if (auto result = flow_trace(id, now))
        emit(FlowTraced{now, id, std::make_shared<const FlowTraceResult>(std::move(*result))});
}

void Nhms::Engine::retry_directives(Time now) {
    std::erase_if(directives_, [&](PendingDirective& directive) {
        if (now < directive.retry_at) return false;
        if (directive.attempts >= config.directive_attempts) {
            ++counters.directives_unanswered;
            investigation_.on_no_answer(directive.wanted, true, now);
            return true;
        }
        send_directive(directive, now);
        return false;
    });
}

void Nhms::Engine::take_directive_result(const ControlMessage& message, IpAddress from, Time now) {
    const KnownEppc* eppc = eppcs_.find(from);
    if (eppc == nullptr || message.header.sender_boot != eppc->boot ||
        message.header.receiver_boot != eppc->shown_boot) {
        return drops.add(DropReason::ControlWrongBoot);
    }
    const auto result = wire::DirectiveResultBody::parse(message.body);
    if (!result) return drops.add(result.error());
    const auto it = std::find_if(directives_.begin(), directives_.end(), [&](const PendingDirective& d) {
        return d.number == message.header.message_number && d.wanted.eppc == from;
    });
    if (it == directives_.end()) return drops.add(DropReason::ControlUnexpected);
    if (it->wanted.body.kind == wire::DirectiveKind::TraceFlow) {
        flow_traces_.on_answer(from, it->wanted.body.flow.trace, result->status);
    } else {
        investigation_.on_answer(it->wanted, *result, now);
    }
    emit(DirectiveAnswered{now, it->id, it->wanted.incident, *result});
    directives_.erase(it);
}

void Nhms::Engine::advance(Time now) {
    retry_directives(now);
    while (const auto id = flow_traces_.take_over(now))
        tell_traced(*id, now);
    if (desk_ && desk_->next_deadline() <= now) {
        desk_->advance(now);
        emit_told();
    }
    if (now < evaluate_at_) return;
    evaluate(now);
    // With nothing under investigation and nobody degraded the next update wakes it up again.
    const bool watching = judge_.is_suspicious() || investigation_.is_busy();
    const bool may_fall_silent = now - updated_at_ <= config.detector.stale_after;
    evaluate_at_ = watching          ? now + config.evaluate_interval
                   : may_fall_silent ? now + config.detector.stale_after
                                     : Time::never();
    evaluate_at_ = std::min(evaluate_at_, investigation_.next_deadline());
}

Time Nhms::Engine::next_deadline() const {
    Time next = std::min(evaluate_at_, flow_traces_.next_over());
    if (desk_) next = std::min(next, desk_->next_deadline());
    for (const PendingDirective& directive : directives_)
        next = std::min(next, directive.retry_at);
    return next;
}

Result<Nhms, std::string> Nhms::create(const NhmsConfig& config, localise::FabricGraph graph,
                                       std::uint64_t seed, Time now) {
    if (const auto wrong = wrong_field(config)) return Failure{*wrong};
    // `insecure` says an all-zero key in so many words.
    auto keys =
        auth::KeyRing::make({config.key_id, config.key.value_or(auth::SharedKey{})}, config.other_keys);
    if (!keys) return Failure{"other_keys: " + keys.error()};
    return Nhms(std::make_unique<Engine>(config, std::move(keys).value(), std::move(graph), seed, now));
}

Nhms::Nhms(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Nhms::Nhms(Nhms&&) noexcept = default;
Nhms& Nhms::operator=(Nhms&&) noexcept = default;
Nhms::~Nhms() = default;

void Nhms::handle(const Endpoint& from, Bytes datagram, Time now) {
    engine_->handle(from, datagram, now);
}
Result<Done, std::string> Nhms::set_keys(const auth::NamedKey& sending,
                                         const std::vector<auth::NamedKey>& others) {
    auto keys = auth::KeyRing::make(sending, others);
    if (!keys) return Failure{keys.error()};
    engine_->set_keys(std::move(keys).value());
    return Done{};
}
Result<FlowTraceId, std::string> Nhms::trace_flow(const FlowTraceRequest& request, Time now) {
    return engine_->trace_flow(request, now);
}
std::optional<FlowTraceResult> Nhms::flow_trace(FlowTraceId id, Time now) const {
    return engine_->flow_trace(id, now);
}
const FlowTraceCounters& Nhms::flow_trace_counters() const {
    return engine_->flow_traces().counters();
}
Result<Done, std::string> Nhms::serve(const ClientConfig& clients, Time now) {
    return engine_->serve(clients, now);
}
const ClientView* Nhms::clients() const {
    const ClientDesk* const desk = engine_->desk();
    return desk == nullptr ? nullptr : &desk->view();
}
bool Nhms::set_own_health(std::string_view service, std::string_view instance, double health, Time now) {
    ClientDesk* const desk = engine_->desk();
    return desk != nullptr && desk->set_own(service, instance, health, now);
}
bool Nhms::move_guest(std::string_view tenant, std::string_view guest, IpAddress host, Time now) {
    return engine_->move_guest(tenant, guest, host, now);
}
void Nhms::settle_clients(Time now) {
    engine_->settle_clients(now);
}
void Nhms::advance(Time now) {
    engine_->advance(now);
}
Time Nhms::next_deadline() const {
    return engine_->next_deadline();
}
std::optional<Output> Nhms::poll() {
    return engine_->poll();
}
Memory Nhms::remember() const {
    return engine_->remember();
}
Result<Done, std::string> Nhms::resume(const Memory& memory, Time now) {
    return engine_->resume(memory, now);
}
const NhmsCounters& Nhms::counters() const {
    return engine_->all_counters();
}
const wire::DropCounters& Nhms::drops() const {
    return engine_->drops;
}
const localise::FabricGraph& Nhms::graph() const {
    return engine_->graph;
}
const wire::TimingEntry* Nhms::timing(IpAddress requester, IpAddress acceptor, SessionId session) const {
    return engine_->timing({requester, acceptor, session});
}

}  // namespace dyetrace::health
