// SPDX-License-Identifier: GPL-2.0-or-later
// What a health service is told: updates from EPPCs, entry by entry.
#include <algorithm>
#include <array>
#include <span>

#include "core/health/give_way.h"
#include "core/health/nhms_engine.h"

namespace dyetrace::health {

using localise::NodeId;
using localise::PathKey;
using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

namespace {

bool all_answered(const wire::PathEntry& entry) {
    return entry.complete && std::none_of(entry.hops.begin(), entry.hops.begin() + entry.hop_count,
                                          [](IpAddress hop) { return hop.is_unspecified(); });
}

}  // namespace

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
    const auto [eppc, verdict] = eppcs_.take(from, header.sender_boot, header.message_number, now);
    if (eppc == nullptr) return drops.add(DropReason::TableFull);
    if (verdict == ReplayWindow::Verdict::TooOld) return drops.add(DropReason::ControlReplayed);
    const bool fresh = verdict == ReplayWindow::Verdict::New;
    ++(fresh ? counters.updates : counters.updates_repeated);
    emit(UpdateReceived{now, from.address, eppc->boot, header.message_number, entries_.size(), !fresh});
    if (fresh) {
        updated_at_ = now;
        eppc->key_id = key.id;
        eppc->key = key.key;
        table_.begin(from.address, eppc->boot, now);
        for (const wire::UpdateEntry& entry : entries_) {
            std::visit([&, known = eppc](const auto& e) { take(*known, e, now); }, entry);
        }
        evaluate_at_ = std::min(evaluate_at_, now + config.evaluate_interval);
        if (config.cover.interval.ns > 0) cover_at_ = std::min(cover_at_, now + config.cover.interval);
        if (config.conclude_interval.ns > 0)
            conclude_at_ = std::min(conclude_at_, now + config.conclude_interval);
        if (desk_) ask_for_probes(*eppc, now);
    }
    answer(from, message, ControlType::UpdateAck, shown, key);
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::SessionEntry& entry, Time now) {
    emit(SessionReported{now, eppc.endpoint.address, entry});
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::TrafficEntry& entry, Time now) {
    ++counters.traffic;
    if (config.cover.interval.ns == 0) return;
    const auto from = graph.find(eppc.endpoint.address), to = graph.find(entry.peer);
    if (from && to) coverage_.note_traffic(*from, *to, entry.packets, now);
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::FlowStageEntry& entry, Time now) {
    if (!TraceNumbers::is_of_probe(entry.trace)) return flow_traces_.take(eppc.endpoint.address, entry);
    if (desk_) desk_->take(eppc.endpoint.address, entry, now);
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::TimingEntry& entry, Time now) {
    ++counters.timings;
    if (entry.clock_known) {
        flow_traces_.on_clock(eppc.endpoint.address, entry.peer, entry.clock_offset, entry.clock_bound);
        if (desk_) desk_->on_clock(eppc.endpoint.address, entry.peer, entry.clock_offset);
    }
    const SessionKey key{eppc.endpoint.address, entry.peer, entry.session};
    const auto it = timings_.find(key);
    const wire::TimingEntry* const before = it == timings_.end() ? nullptr : &it->second.entry;
    if (before == nullptr && timings_.size() >= config.bounds.sessions) {
        if (take_stale(timings_, timing_looked_at_, config.bounds.forget_after, now).empty())
            return drops.add(DropReason::TableFull);
        ++counters.timings_forgotten;
    }
    // Updates come again and out of order; all in an entry are totals, so the newest says it all.
    if (before != nullptr && entry.measured_ns <= before->measured_ns) return;
    if (desk_) desk_->on_delays(eppc.endpoint.address, before, entry, now);
    timings_.insert_or_assign(it, key, KnownTiming{entry, now});
}

/// The ways that a trace leaves open: one where every router answered, else all shortest ones that fit those
/// that did. None where no way fits, too many do, or the graph has no such nodes or links.
std::vector<localise::NewChoice> Nhms::Engine::ways_along(const KnownEppc& eppc,
                                                          const wire::PathEntry& entry) {
    const auto from = graph.find(eppc.endpoint.address), to = graph.find(entry.peer);
    if (!from || !to) return {};
    std::vector<std::optional<NodeId>> hops;
    for (std::size_t i = 0; i < entry.hop_count; ++i) {
        const bool silent = entry.hops[i].is_unspecified();
        hops.push_back(silent ? std::nullopt : graph.find(entry.hops[i]));
        if (!silent && !hops.back()) return {};
    }
    if (!all_answered(entry)) return candidates_.fitting(*from, *to, hops);
    std::vector<NodeId> nodes{*from};
    for (const auto& hop : hops)
        nodes.push_back(*hop);
    nodes.push_back(*to);
    auto links = graph.links_along(nodes);
    if (!links) return {};
    return {{std::move(*links), 1}};
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::PathEntry& entry, Time now) {
    ++counters.paths;
    auto ways = ways_along(eppc, entry);
    PathReported reported{now, eppc.endpoint.address, entry, ways.size(), {}};
    if (ways.empty()) {
        ++counters.paths_unusable;
        return emit(std::move(reported));
    }
    if (ways.size() > 1) {
        ++counters.paths_partial;
    } else {
        if (!all_answered(entry)) ++counters.paths_completed;
        reported.nodes.push_back(graph.from(ways.front().links.front()));
        for (const localise::LinkId link : ways.front().links)
            reported.nodes.push_back(graph.to(link));
        flow_traces_.on_path(eppc.endpoint.address, entry.peer, entry.path, entry.generation, reported.nodes);
    }
    const auto path = table_.path(entry.peer, entry.session, entry.path, entry.generation);
    restart_forgotten();
    if (path) {
        evidence_.route_among(*path, Time{entry.traced_ns}, std::move(ways));
    } else {
        drops.add(DropReason::TableFull);
    }
    emit(std::move(reported));
}

/// Numbers that stand for others than before, or for nothing.
void Nhms::Engine::restart_forgotten() {
    if (!table_.any_restarted()) return;
    const auto [paths, pairs] = table_.take_restarted();
    for (const localise::PathId path : paths) {
        evidence_.restart(path);
        if (path.value >= path_states_.size()) continue;
        PathState& state = path_states_[path.value];
        if (state.pair.value < detectors_.size()) judge_.forget(detectors_[state.pair.value], state.detector);
        state = {};
    }
    for (const PairIndex pair : pairs) {
        if (pair.value >= detectors_.size()) continue;
        judge_.forget(detectors_[pair.value]);
        judge_.enter(detectors_[pair.value], table_.pair(pair).second);
    }
}

void Nhms::Engine::take(const KnownEppc& eppc, const wire::MetricsEntry& entry, Time now) {
    ++counters.records;
    emit(RecordReceived{now, eppc.endpoint.address, entry});
    TakenRecord taken = table_.take(entry.peer, entry.session, entry.record);
    restart_forgotten();
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

}  // namespace dyetrace::health
