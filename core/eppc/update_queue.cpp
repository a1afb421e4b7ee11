// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/update_queue.h"

#include <algorithm>
#include <utility>

namespace dyetrace::eppc {
namespace {

/// Whether both say the same of the path, whenever they were traced.
bool same_routers(const wire::PathEntry& one, const wire::PathEntry& other) {
    return one.complete == other.complete && one.source_port == other.source_port &&
           std::equal(one.hops.begin(), one.hops.begin() + one.hop_count, other.hops.begin(),
                      other.hops.begin() + other.hop_count);
}

}  // namespace

UpdateQueue::PathKey UpdateQueue::key_of(const wire::MetricsEntry& entry) {
    return {entry.peer, entry.session, entry.record.path, entry.record.generation};
}
UpdateQueue::PathKey UpdateQueue::key_of(const wire::PathEntry& entry) {
    return {entry.peer, entry.session, entry.path, entry.generation};
}
UpdateQueue::SessionKey UpdateQueue::key_of(const wire::TimingEntry& entry) {
    return {entry.peer, entry.session};
}

UpdateQueue::UpdateQueue(const UpdateQueue& other)
    : entries_most_(other.entries_most_),
      timings_most_(other.timings_most_),
      flows_most_(other.flows_most_),
      healthy_(other.healthy_),
      troubled_(other.troubled_),
      events_(other.events_),
      timings_(other.timings_),
      traffic_(other.traffic_),
      flows_(other.flows_) {
    index_all();
}

void UpdateQueue::index_all() {
    for (auto at = healthy_.begin(); at != healthy_.end(); ++at)
        metrics_at_[key_of(*at)] = {at, false};
    for (auto at = troubled_.begin(); at != troubled_.end(); ++at)
        metrics_at_[key_of(*at)] = {at, true};
    for (auto at = events_.begin(); at != events_.end(); ++at) {
        if (const auto* path = std::get_if<wire::PathEntry>(&*at)) paths_at_[key_of(*path)] = at;
    }
    for (auto at = timings_.begin(); at != timings_.end(); ++at)
        timings_at_[key_of(*at)] = at;
}

std::optional<GivenUp> UpdateQueue::add(const wire::UpdateEntry& entry, bool troubled) {
    return std::visit([&](const auto& e) { return add(e, troubled); }, entry);
}

std::optional<GivenUp> UpdateQueue::add(const wire::MetricsEntry& entry, bool troubled) {
    const auto [known, is_new] = metrics_at_.try_emplace(key_of(entry));
    WaitingMetrics& waiting = known->second;
    if (!is_new) {
        *waiting.at = entry;
        if (troubled && !waiting.troubled) {
            troubled_.splice(troubled_.end(), healthy_, waiting.at);
            waiting.troubled = true;
        }
        return std::nullopt;
    }
    Metrics& list = troubled ? troubled_ : healthy_;
    waiting = {list.insert(list.end(), entry), troubled};
    return shrink();
}

std::optional<GivenUp> UpdateQueue::add(const wire::SessionEntry& entry, bool /*troubled*/) {
    events_.emplace_back(entry);
    return shrink();
}

std::optional<GivenUp> UpdateQueue::add(const wire::PathEntry& entry, bool /*troubled*/) {
    const auto [known, is_new] = paths_at_.try_emplace(key_of(entry));
    if (!is_new && same_routers(std::get<wire::PathEntry>(*known->second), entry)) return std::nullopt;
    known->second = events_.insert(events_.end(), entry);
    return shrink();
}

std::optional<GivenUp> UpdateQueue::add(const wire::TimingEntry& entry, bool /*troubled*/) {
    const auto [known, is_new] = timings_at_.try_emplace(key_of(entry));
    if (!is_new) {
        *known->second = entry;
        return std::nullopt;
    }
    known->second = timings_.insert(timings_.end(), entry);
    if (timings_.size() <= timings_most_) return std::nullopt;
    const wire::TimingEntry& oldest = timings_.front();
    const GivenUp given_up{GivenUp::Kind::Timing, oldest.peer, oldest.session, {}, {}};
    timings_at_.erase(key_of(oldest));
    timings_.pop_front();
    return given_up;
}

std::optional<GivenUp> UpdateQueue::add(const wire::TrafficEntry& entry, bool /*troubled*/) {
    const auto known = std::find_if(traffic_.begin(), traffic_.end(), [&](const wire::TrafficEntry& other) {
        return other.peer == entry.peer;
    });
    if (known != traffic_.end()) {
        known->packets = entry.packets;
        return std::nullopt;
    }
    traffic_.push_back(entry);
    if (traffic_.size() > kTrafficMost) traffic_.pop_front();  // the next choice tells of it again
    return std::nullopt;
}

std::optional<GivenUp> UpdateQueue::add(const wire::FlowStageEntry& entry, bool /*troubled*/) {
    flows_.push_back(entry);
    if (flows_.size() <= flows_most_) return std::nullopt;
    flows_.pop_front();
    return GivenUp{GivenUp::Kind::Flow, {}, {}, {}, {}};
}

std::optional<GivenUp> UpdateQueue::shrink() {
    if (entries() <= entries_most_) return std::nullopt;
    if (!healthy_.empty()) return drop_metrics(healthy_, GivenUp::Kind::Healthy);
    if (!events_.empty()) return drop_event();
    return drop_metrics(troubled_, GivenUp::Kind::Troubled);
}

GivenUp UpdateQueue::drop_metrics(Metrics& metrics, GivenUp::Kind kind) {
    const PathKey key = key_of(metrics.front());
    metrics_at_.erase(key);
    metrics.pop_front();
    return {kind, key.peer, key.session, key.path, key.generation};
}

GivenUp UpdateQueue::drop_event() {
    const Event& oldest = events_.front();
    GivenUp given_up;
    if (const auto* path = std::get_if<wire::PathEntry>(&oldest)) {
        given_up = {GivenUp::Kind::Path, path->peer, path->session, path->path, path->generation};
    } else {
        const auto& session = std::get<wire::SessionEntry>(oldest);
        given_up = {GivenUp::Kind::Session, session.peer, session.session, {}, {}};
    }
    forget(oldest);
    events_.pop_front();
    return given_up;
}

void UpdateQueue::forget(const Event& event) {
    const auto* path = std::get_if<wire::PathEntry>(&event);
    if (path == nullptr) return;
    const auto known = paths_at_.find(key_of(*path));
    if (&*known->second == &event) paths_at_.erase(known);  // else a newer one of that path waits too
}

heap::Need UpdateQueue::memory_bound(std::size_t entries_most, std::size_t timings_most,
                                     std::size_t flows_most) {
    const heap::Need metrics = heap::list<wire::MetricsEntry>(1) + heap::map<PathKey, WaitingMetrics>(1);
    const heap::Need event = heap::list<Event>(1) + heap::map<PathKey, Events::iterator>(1);
    const heap::Need timing = heap::list<wire::TimingEntry>(1) + heap::map<SessionKey, Timings::iterator>(1) +
                              heap::vector<std::uint8_t>(wire::TimingEntry::kMaxSketchBytes);
    const std::size_t entry = std::max(metrics.kept, event.kept);
    // One more is there until another has gone for it.
    const std::size_t flow = flows_most == 0 ? 0 : heap::list<wire::FlowStageEntry>(1).kept;
    const std::size_t traffic = heap::list<wire::TrafficEntry>(1).kept;
    return {entries_most * entry + timings_most * timing.kept + kTrafficMost * traffic + flows_most * flow,
            entry + timing.kept + traffic + flow};
}

std::vector<wire::UpdateEntry> UpdateQueue::take(std::size_t room) {
    std::vector<wire::UpdateEntry> taken;
    const auto take_while_it_fits = [&](auto& list, const auto& to_entry, const auto& forget_entry) {
        while (!list.empty()) {
            wire::UpdateEntry entry = to_entry(list.front());
            const std::size_t size = wire::encoded_size(entry);
            if (size > room) return false;
            room -= size;
            forget_entry(list.front());
            list.pop_front();
            taken.push_back(std::move(entry));
        }
        return true;
    };
    const auto as_is = [](const auto& entry) { return wire::UpdateEntry{entry}; };
    const auto event = [](const Event& entry) {
        return std::visit([](const auto& e) { return wire::UpdateEntry{e}; }, entry);
    };
    const auto forget_event = [this](const Event& entry) { forget(entry); };
    const auto forget_metrics = [this](const wire::MetricsEntry& entry) { metrics_at_.erase(key_of(entry)); };
    const auto forget_timing = [this](const wire::TimingEntry& entry) { timings_at_.erase(key_of(entry)); };
    // Sessions and paths go before the metrics that speak of them.
    (void)(take_while_it_fits(events_, event, forget_event) &&
           take_while_it_fits(troubled_, as_is, forget_metrics) &&
           take_while_it_fits(healthy_, as_is, forget_metrics) &&
           take_while_it_fits(timings_, as_is, forget_timing) &&
           take_while_it_fits(traffic_, as_is, [](const wire::TrafficEntry&) {}) &&
           take_while_it_fits(flows_, as_is, [](const wire::FlowStageEntry&) {}));
    return taken;
}

}  // namespace dyetrace::eppc
