// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/path_tracer.h"

#include <algorithm>

namespace dyetrace::eppc {
namespace {

/// The outer identification of a trace packet holds the trace's number and the TTL, so that a router's
/// answer, which quotes little more than the IP header, says which question it answers.
constexpr int kTtlBits = 5;
constexpr std::uint16_t kTtlMask = (1 << kTtlBits) - 1;
constexpr std::uint16_t kNumberMask = 0xffff >> kTtlBits;

std::uint16_t identification_of(std::uint16_t number, std::uint8_t ttl) {
    return static_cast<std::uint16_t>(number << kTtlBits | ttl);
}

}  // namespace

bool PathTracer::Trace::complete() const {
    if (distance == 0) return false;
    return std::all_of(hops.begin(), hops.begin() + (distance - 1),
                       [](IpAddress hop) { return !hop.is_unspecified(); });
}

bool PathTracer::request(const TracedPath& path, Time now) {
    const auto same = [&](const TracedPath& other) { return other == path; };
    if (std::any_of(waiting_.begin(), waiting_.end(), same)) return true;
    if (std::any_of(active_.begin(), active_.end(), [&](const Trace& trace) { return trace.path == path; }))
        return true;
    if (waiting_.size() >= config_.waiting_most) return false;
    waiting_.push_back(path);
    if (active_.size() < config_.active_most) next_ = std::min(next_, now);
    return true;
}

void PathTracer::forget(IpAddress peer, SessionId session) {
    const auto belongs = [&](const TracedPath& path) {
        return path.address == peer && path.session == session;
    };
    std::erase_if(waiting_, belongs);
    std::erase_if(active_, [&](const Trace& trace) { return belongs(trace.path); });
}

PathTracer::Trace* PathTracer::find(std::uint16_t number) {
    const auto it =
        std::find_if(active_.begin(), active_.end(), [&](const Trace& t) { return t.number == number; });
    return it == active_.end() ? nullptr : &*it;
}

bool PathTracer::on_time_exceeded(const wire::IcmpTimeExceeded& message, IpAddress router, Time now) {
    const auto ttl = static_cast<std::uint8_t>(message.quoted_identification & kTtlMask);
    Trace* trace = find(message.quoted_identification >> kTtlBits);
    if (trace == nullptr || ttl == 0 || ttl > trace->ttl_sent || router.is_unspecified() ||
        message.quoted_source != own_address_ || message.quoted_destination != trace->path.address ||
        message.quoted_source_port != trace->path.source_port ||
        message.quoted_destination_port != destination_port_) {
        return false;
    }
    if (trace->distance != 0 && ttl >= trace->distance) return false;
    trace->hops[ttl - 1U] = router;
    if (trace->complete()) next_ = std::min(next_, now);
    return true;
}

bool PathTracer::on_reply(IpAddress peer, const wire::PathTraceReplyBody& reply, Time now) {
    Trace* trace = find(reply.trace);
    if (trace == nullptr || trace->path.address != peer || reply.path != trace->path.path ||
        reply.ttl > trace->ttl_sent) {
        return false;
    }
    // Sent with `ttl`, arrived with `ttl_received`: it crossed the difference in routers.
    const auto distance = static_cast<std::uint8_t>(reply.ttl - reply.ttl_received + 1);
    if (trace->distance != 0 && trace->distance != distance) trace->hops = {};  // the route changed meanwhile
    trace->distance = distance;
    if (trace->path.peer >= distances_.size()) distances_.resize(trace->path.peer + 1);
    distances_[trace->path.peer] = distance;
    if (trace->complete()) next_ = std::min(next_, now);
    return true;
}

std::uint8_t PathTracer::reach(const Trace& trace) const {
    if (trace.distance != 0) return trace.distance;
    const std::uint8_t before = trace.path.peer < distances_.size() ? distances_[trace.path.peer] : 0;
    // Without an answer from the peer at the usual distance the route may have become longer.
    return before != 0 && trace.attempts == 0 ? before : config_.ttl_most;
}

void PathTracer::send(Trace& trace, Time now, std::vector<TraceProbe>& probes) {
    const std::uint8_t last = reach(trace);
    trace.ttl_sent = std::max(trace.ttl_sent, last);
    ++trace.attempts;
    trace.deadline = now + config_.timeout;
    for (std::uint8_t ttl = 1; ttl <= last; ++ttl) {
        const bool reaches_peer = trace.distance != 0 && ttl == trace.distance;
        if (reaches_peer || !trace.hops[ttl - 1U].is_unspecified()) continue;  // known
        TraceProbe probe;
        probe.path = trace.path;
        probe.body.path = trace.path.path;
        probe.body.generation = trace.path.generation;
        probe.body.ttl = ttl;
        probe.body.trace = trace.number;
        probe.identification = identification_of(trace.number, ttl);
        probes.push_back(probe);
    }
}

LearnedPath PathTracer::conclude(const Trace& trace) {
    LearnedPath learned;
    learned.path = trace.path;
    learned.complete = trace.complete();
    learned.hop_count = trace.distance == 0 ? 0 : static_cast<std::uint16_t>(trace.distance - 1);
    std::copy_n(trace.hops.begin(), learned.hop_count, learned.hops.begin());
    return learned;
}

void PathTracer::service(Time now, std::vector<TraceProbe>& probes, std::vector<LearnedPath>& learned) {
    std::erase_if(active_, [&](Trace& trace) {
        const bool over = now >= trace.deadline;
        if (!trace.complete() && !(over && trace.attempts >= config_.attempts)) {
            if (over) send(trace, now, probes);
            return false;
        }
        learned.push_back(conclude(trace));
        return true;
    });
    while (!waiting_.empty() && active_.size() < config_.active_most) {
        Trace trace;
        trace.path = waiting_.front();
        waiting_.pop_front();
        do
            next_number_ = (next_number_ + 1) & kNumberMask;
        while (find(next_number_) != nullptr);
        trace.number = next_number_;
        send(trace, now, probes);
        active_.push_back(trace);
    }
    next_ = Time::never();
    for (const Trace& trace : active_)
        next_ = std::min(next_, trace.deadline);
}

}  // namespace dyetrace::eppc
