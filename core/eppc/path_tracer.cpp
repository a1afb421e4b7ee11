// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/path_tracer.h"

#include <algorithm>
#include <limits>

namespace dyetrace::eppc {
namespace {

/// Probes that may follow each other at once; the spacing holds on average.
constexpr std::int64_t kBurst = 16;
/// The back-off of silent rounds doubles this often at most.
constexpr int kBackOffMost = 3;

}  // namespace

bool PathTracer::Trace::complete() const {
    if (distance == 0) return false;
    return std::all_of(hops.begin(), hops.begin() + (distance - 1),
                       [](const Hop& hop) { return hop.settled(); });
}

bool PathTracer::Trace::quotes_probe(const Probe& probe, const wire::IcmpTimeExceeded& message,
                                     Bytes payload) const {
    if (!probe.outstanding || probe.checksum != message.quoted_udp_checksum) return false;
    if (path.address.is_ipv4() && probe.identification != message.quoted_identification) return false;
    // Routers quote 8 bytes behind the IP header (RFC 792), or much more (RFC 1812 §4.3.2.3, RFC 4443 §3.3);
    // behind the packet's own end may come padding and extensions (RFC 4884 §4).
    return payload.size() < payload_size || payload_size < sizeof probe.tag ||
           load_u64(&payload[payload_size - sizeof probe.tag]) == probe.tag;
}

bool PathTracer::request(const TracedPath& path, Time now) {
    const auto same = [&](const TracedPath& other) { return other == path; };
    if (std::any_of(waiting_.begin(), waiting_.end(), same)) return true;
    if (std::any_of(active_.begin(), active_.end(), [&](const Trace& trace) { return trace.path == path; }))
        return true;
    if (waiting_.size() >= config_.waiting_most) return false;
    waiting_.push_back(path);
    if (active_.size() < window_) next_ = std::min(next_, std::max(now, free_at()));
    return true;
}

void PathTracer::forget(IpAddress peer, SessionId session) {
    const auto belongs = [&](const TracedPath& path) {
        return path.address == peer && path.session == session;
    };
    std::erase_if(waiting_, belongs);
    std::erase_if(active_, [&](const Trace& trace) { return belongs(trace.path); });
}

void PathTracer::forget(IpAddress peer, SessionId session, PathIndex index) {
    const auto is_it = [&](const TracedPath& path) {
        return path.address == peer && path.session == session && path.path == index;
    };
    std::erase_if(waiting_, is_it);
    std::erase_if(active_, [&](const Trace& trace) { return is_it(trace.path); });
}

PathTracer::Trace* PathTracer::find(std::uint16_t number) {
    const auto it =
        std::find_if(active_.begin(), active_.end(), [&](const Trace& t) { return t.number == number; });
    return it == active_.end() ? nullptr : &*it;
}

void PathTracer::on_sent(const TraceProbe& probe, std::uint16_t checksum, Bytes payload) {
    Trace* trace = find(probe.body.trace);
    if (trace == nullptr || probe.body.ttl > trace->hops.size()) return;
    trace->payload_size = static_cast<std::uint16_t>(payload.size());
    Hop& hop = trace->hops[probe.body.ttl - 1U];
    hop.newest ^= 1U;
    Probe& sent = hop.probes[hop.newest];
    sent.identification = probe.identification;
    sent.checksum = checksum;
    sent.tag = payload.size() < sizeof sent.tag ? 0 : load_u64(&payload[payload.size() - sizeof sent.tag]);
    sent.outstanding = true;
}

void PathTracer::start_over(Hop& hop) {
    // What is outstanding may come from before a change of route, or from whoever told the first tale.
    hop = Hop{};
    ++disagreements_;
}

void PathTracer::answered(Trace& trace, Time now) {
    if (trace.outstanding > 0) --trace.outstanding;
    if (trace.complete()) {
        next_ = std::min(next_, now);
    } else if (trace.outstanding == 0) {
        // Everybody has answered, so the next round need not wait for the timeout; but routers do without
        // two questions in a row, and many traces may have come to this point together.
        const Duration quarter = config_.timeout / 4;
        trace.deadline = std::min(trace.deadline, now + quarter + random_below(quarter));
        next_ = std::min(next_, trace.deadline);
    }
}

bool PathTracer::on_time_exceeded(const wire::IcmpTimeExceeded& message, Bytes payload, IpAddress router,
                                  Time now) {
    if (router.is_unspecified() || router.is_multicast() || message.quoted_source != own_address_)
        return false;
    for (Trace& trace : active_) {
        if (trace.path.address != message.quoted_destination ||
            trace.path.source_port != message.quoted_source_port ||
            trace.path.destination_port != message.quoted_destination_port) {
            continue;
        }
        // Who reaches the peer with this TTL has no router there.
        const std::size_t hops = trace.distance == 0 ? trace.hops.size() : trace.distance - std::size_t{1};
        for (std::size_t i = 0; i < hops; ++i) {
            Hop& hop = trace.hops[i];
            const auto probe = std::find_if(hop.probes.begin(), hop.probes.end(), [&](const Probe& p) {
                return trace.quotes_probe(p, message, payload);
            });
            if (probe == hop.probes.end()) continue;
            probe->outstanding = false;  // one probe, one answer
            if (hop.answers > 0 && hop.router != router) {
                start_over(hop);
            } else {
                hop.router = router;
                ++hop.answers;
            }
            answered(trace, now);
            return true;
        }
    }
    return false;
}

bool PathTracer::on_reply(IpAddress peer, SessionId session, const wire::PathTraceReplyBody& reply,
                          Time now) {
    Trace* trace = find(reply.trace);
    if (trace == nullptr || trace->path.address != peer || trace->path.session != session ||
        reply.path != trace->path.path || reply.generation != trace->path.generation || reply.ttl == 0 ||
        reply.ttl > trace->ttl_sent || reply.ttl_received == 0 || reply.ttl_received > reply.ttl) {
        return false;
    }
    // Sent with `ttl`, arrived with `ttl_received`: it crossed the difference in routers.
    const auto distance = static_cast<std::uint8_t>(reply.ttl - reply.ttl_received + 1);
    if (trace->path.peer >= distances_.size()) distances_.resize(trace->path.peer + 1);
    distances_[trace->path.peer] = distance;
    if (trace->distance == distance) return true;
    if (trace->distance != 0) {  // the route changed meanwhile
        for (Hop& hop : trace->hops)
            hop = Hop{};
        ++disagreements_;
    }
    trace->distance = distance;
    // Of those that this round waits for, the ones from here on are answered by this.
    std::uint16_t outstanding = 1;
    for (std::size_t i = 0; i + 1 < distance; ++i) {
        const Hop& hop = trace->hops[i];
        if (hop.probes[hop.newest].outstanding) ++outstanding;
    }
    trace->outstanding = std::min(trace->outstanding, outstanding);
    answered(*trace, now);
    return true;
}

std::uint8_t PathTracer::reach(const Trace& trace) const {
    if (trace.distance != 0) return trace.distance;
    const std::uint8_t before = trace.path.peer < distances_.size() ? distances_[trace.path.peer] : 0;
    // Without an answer from the peer at the usual distance the route may have become longer.
    return before != 0 && trace.rounds == 0 ? before : config_.ttl_most;
}

Duration PathTracer::random_below(Duration most) {
    constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
    return Duration{random_.below(static_cast<std::uint32_t>(std::clamp<std::int64_t>(most.ns, 1, kMost)))};
}

Duration PathTracer::back_off(const Trace& trace) {
    const Duration wait =
        config_.timeout * (std::int64_t{1} << std::min<int>(trace.silent_rounds, kBackOffMost));
    return wait + random_below(wait / 4);  // so that traces that were silent together do not ask together
}

Time PathTracer::free_at() const {
    return paced_until_ - config_.spacing * kBurst;
}

void PathTracer::send_round(Trace& trace, Time now, std::vector<TraceProbe>& probes) {
    const std::uint8_t last = reach(trace);
    trace.ttl_sent = std::max(trace.ttl_sent, last);
    ++trace.rounds;
    trace.deadline = now + back_off(trace);
    trace.outstanding = 0;
    for (std::uint8_t ttl = 1; ttl <= last; ++ttl) {
        const bool reaches_peer = trace.distance != 0 && ttl == trace.distance;
        if (reaches_peer || trace.hops[ttl - 1U].settled()) continue;  // known
        TraceProbe probe;
        probe.path = trace.path;
        probe.body.path = trace.path.path;
        probe.body.generation = trace.path.generation;
        probe.body.ttl = ttl;
        probe.body.trace = trace.number;
        probe.identification = static_cast<std::uint16_t>(random_.next_u32() >> 16);
        probes.push_back(probe);
        ++trace.outstanding;
        paced_until_ = std::max(paced_until_, now) + config_.spacing;
    }
}

void PathTracer::end_of_round(Trace& trace, Time now) {
    if (trace.outstanding == 0) return;
    ++trace.silent_rounds;
    // A router that never spoke may be one that does not; one that fell silent has had enough of us.
    const auto fell_silent = [](const Hop& hop) {
        return hop.answers > 0 && !hop.settled() && hop.probes[hop.newest].outstanding;
    };
    const bool limited = std::any_of(trace.hops.begin(), trace.hops.end(), fell_silent);
    if (!limited || now < halved_at_ + config_.timeout) return;
    halved_at_ = now;
    window_ = threshold_ = std::max<std::size_t>(window_ / 2, 1);
    ended_ = 0;
}

void PathTracer::widen() {
    if (window_ >= config_.active_most || (window_ >= threshold_ && ++ended_ < window_)) return;
    ++window_;
    ended_ = 0;
}

LearnedPath PathTracer::conclude(const Trace& trace) {
    LearnedPath learned;
    learned.path = trace.path;
    learned.complete = trace.complete();
    if (trace.distance != 0) {
        learned.hop_count = static_cast<std::uint16_t>(trace.distance - 1);
    } else {  // the peer did not answer: as far as routers did
        for (std::size_t i = 0; i < trace.hops.size(); ++i) {
            if (trace.hops[i].settled()) learned.hop_count = static_cast<std::uint16_t>(i + 1);
        }
    }
    for (std::size_t i = 0; i < learned.hop_count; ++i) {
        if (trace.hops[i].settled()) learned.hops[i] = trace.hops[i].router;
    }
    return learned;
}

heap::Need PathTracer::memory_bound(const PathTracerConfig& config, std::size_t peers) {
    return heap::deque<TracedPath>(config.waiting_most) + heap::grown_vector<Trace>(config.active_most) +
           heap::stepped_vector<std::uint8_t>(peers);
}

void PathTracer::service(Time now, std::vector<TraceProbe>& probes, std::vector<LearnedPath>& learned) {
    std::erase_if(active_, [&](Trace& trace) {
        const bool complete = trace.complete();
        if (!complete && now < trace.deadline) return false;
        if (!complete && trace.rounds < config_.attempts) {
            if (!may_send(now)) {
                trace.deadline = free_at();
                return false;
            }
            end_of_round(trace, now);
            send_round(trace, now, probes);
            return false;
        }
        widen();
        learned.push_back(conclude(trace));
        return true;
    });
    while (!waiting_.empty() && active_.size() < window_ && may_send(now)) {
        Trace trace;
        trace.path = waiting_.front();
        waiting_.pop_front();
        do
            ++next_number_;
        while (find(next_number_) != nullptr);
        trace.number = next_number_;
        send_round(trace, now, probes);
        active_.push_back(trace);
    }
    next_ = Time::never();
    for (const Trace& trace : active_)
        next_ = std::min(next_, trace.deadline);
    if (!waiting_.empty() && active_.size() < window_) next_ = std::min(next_, free_at());
}

}  // namespace dyetrace::eppc
