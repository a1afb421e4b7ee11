// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/nhms.h"

#include <algorithm>

#include "core/auth/seal.h"
#include "core/base/random.h"
#include "core/health/nhms_engine.h"

namespace dyetrace::health {

using localise::NodeId;
using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

namespace {

/// All of the memory lies in 25 of each 32 epochs, so that what ends a little ahead has room too: a
/// longer memory gets longer epochs.
localise::RollingConfig rolling_config(const NhmsConfig& config) {
    localise::RollingConfig rolling = config.evidence;
    rolling.short_queue = config.localiser.short_queue;
    const auto for_memory =
        static_cast<std::int64_t>(std::max<std::size_t>(rolling.epochs_most * 25 / 32, 1));
    rolling.epoch.ns = std::max(rolling.epoch.ns, (config.memory.ns + for_memory - 1) / for_memory);
    return rolling;
}

localise::CandidateConfig candidate_config(const NhmsConfig& config) {
    localise::CandidateConfig candidates;
    candidates.max_choices = config.evidence.ways_most;
    return candidates;
}

std::optional<std::string> wrong_field(const NhmsConfig& config) {
    if (config.endpoint.address.is_unspecified()) return "endpoint: address must be set";
    if (config.endpoint.port == 0) return "endpoint: port must be set";
    if (!config.key && !config.insecure) return "key: must be set (or say insecure = true)";
    if (config.evaluate_interval.ns <= 0) return "evaluate_interval: must be positive";
    if (config.memory.ns <= 0) return "memory: must be positive";
    if (config.evidence.epoch.ns <= 0) return "evidence.epoch: must be positive";
    if (config.evidence.ways_most == 0) return "evidence.ways_most: must be at least 1";
    if (config.conclude_interval.ns < 0) return "conclude_interval: must not be negative";
    if (config.conclude_interval > config.memory) return "conclude_interval: must be at most memory";
    if (config.cover.interval.ns < 0) return "cover.interval: must not be negative";
    if (config.cover.session.ns <= 0) return "cover.session: must be positive";
    if (config.investigation.ns <= 0) return "investigation: must be positive";
    if (config.directive_retry.ns <= 0) return "directive_retry: must be positive";
    const RemedyPolicies& r = config.remedies;
    if (!(r.drain_share >= 0 && r.drain_share <= 1)) return "remedies.drain_share: lies between 0 and 1";
    if (!(r.recovered_share >= 0 && r.recovered_share < 1))
        return "remedies.recovered_share: lies between 0 and 1";
    if (!(r.remaining_share >= 0 && r.remaining_share < 1))
        return "remedies.remaining_share: lies between 0 and 1";
    if (r.repath_attempts < 1) return "remedies.repath_attempts: must be at least 1";
    if (r.settle.ns <= 0) return "remedies.settle: must be positive";
    if (r.verify_within <= r.settle * 2) return "remedies.verify_within: must be over twice settle";
    if (r.restore_after.ns < 0) return "remedies.restore_after: must not be negative";
    return wrong_field(config.detector);
}

}  // namespace

Nhms::Engine::Engine(const NhmsConfig& given, auth::KeyRing keys, localise::FabricGraph fabric,
                     std::uint64_t seed, Time now)
    : config(given),
      graph(std::move(fabric)),
      keys_(std::move(keys)),
      eppcs_(BootId{mix64(seed ^ 0x6e686d73)}, config.bounds.eppcs, config.bounds.forget_after),
      table_(graph, config.table),
      evidence_(graph, table_, rolling_config(config), now - config.memory),
      candidates_(graph, candidate_config(config)),
      investigation_(config, graph, evidence_),
      coverage_(config.cover, graph, evidence_),
      flow_traces_(given.flow_traces, seed),
      probe_numbers_(TraceNumbers::Of::Probes, seed),
      judge_(config.detector),
      outputs_(config.bounds.outputs) {}

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

Memory Nhms::Engine::remember() const {
    Memory memory;
    for (std::uint32_t i = 0; i < table_.paths(); ++i) {
        const localise::PathId path{i};
        if (!table_.is_held(path)) continue;
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
    resume_paths(memory.paths, now);
    resume_pairs(memory.pairs);
    put(std::move(incidents).value(), now);
    if (investigation_.is_busy()) evaluate_at_ = std::min(evaluate_at_, now + config.evaluate_interval);
    evaluate_at_ = std::min(evaluate_at_, investigation_.next_deadline());
    return Done{};
}

void Nhms::Engine::resume_paths(const std::vector<RememberedPath>& paths, Time now) {
    for (const RememberedPath& remembered : paths) {
        const auto path = table_.resume(remembered, now);
        restart_forgotten();
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
    counters.eppcs_forgotten = eppcs_.forgotten();
    return counters;
}

void Nhms::Engine::evaluate(Time now) {
    evidence_.forget_before(now + config.memory * -1);
    expire(now);
    const bool look = judge_.is_suspicious() || many_new_losses() || was_told_;
    if (look) lossy_since_look_ = 0;
    was_told_ = false;
    put(investigation_.evaluate(now, look), now);
    counters.evaluations = investigation_.evaluations();
    counters.incidents_over_limit = investigation_.over_limit();
}

void Nhms::Engine::look_at_cover(Time now) {
    evidence_.forget_before(now + config.memory * -1);
    std::vector<NodeId> hosts;
    for (const auto& [address, eppc] : eppcs_.all()) {
        const auto node = graph.find(address);
        const bool is_alive = now - eppc.heard <= config.detector.stale_after;
        if (node && is_alive && graph.kind(*node) == localise::NodeKind::Host) hosts.push_back(*node);
    }
    for (const WantedDirective& wanted : coverage_.look(hosts, now + config.memory * -1, now)) {
        ++counters.cover_pairs;
        issue(wanted, now);
    }
    counters.cover_links = coverage_.in_reach();
    counters.cover_links_crossed = coverage_.crossed();
    cover_at_ = hosts.empty() ? Time::never() : now + config.cover.interval;
}

/// No session may have lost enough to say so by itself, and yet all that lost something may have crossed one
/// link. So localisation looks where there is a tenth more of it than when it looked last, and a few windows
/// at least.
bool Nhms::Engine::many_new_losses() const {
    constexpr std::size_t kFew = 3;
    return lossy_since_look_ >= std::max(kFew, evidence_.windows_lossy() / 10);
}

void Nhms::Engine::advance(Time now) {
    retry_directives(now);
    while (const auto id = flow_traces_.take_over(now))
        tell_traced(*id, now);
    if (desk_ && desk_->next_deadline() <= now) {
        desk_->advance(now);
        emit_told();
        for (const IpAddress address : desk_->take_due(now)) {
            if (const KnownEppc* const eppc = eppcs_.find(address)) {
                ask_for_probes(*eppc, now);
            } else {
                desk_->forget(address);  // it has given way to another
            }
        }
    }
    if (now >= conclude_at_) conclude(now);
    if (now >= cover_at_) look_at_cover(now);
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
    Time next = std::min({evaluate_at_, conclude_at_, cover_at_, flow_traces_.next_over()});
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
void Nhms::take_counters(std::span<const LinkReading> readings, Time now) {
    engine_->take_counters(readings, now);
}
void Nhms::take_conclusions(std::string_view service, const Concluded& concluded, Time now) {
    engine_->take_conclusions(service, concluded, now);
}
bool Nhms::guests_moved(const GuestsMoved& report, Time now) {
    return engine_->guests_moved(report, now);
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
