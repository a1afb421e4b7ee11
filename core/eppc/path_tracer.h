// SPDX-License-Identifier: GPL-2.0-or-later
// Learns which routers a path crosses. Control packets with a small TTL go out on the data path's own
// 5-tuple, so the fabric hashes them as it hashes the data; the router where one dies names itself by ICMP
// time exceeded, and the far EPPC answers the first one that lives.
//
// One trace sends TTLs 1, 2, ... at once, at most `ttl_most` until a reply has told how far the peer is. What
// stays unanswered is asked again, `attempts` times in all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/wire/icmp.h"
#include "core/wire/session_messages.h"
#include "core/wire/update.h"

namespace dyetrace::eppc {

/// One path as the tracer is asked about it.
struct TracedPath {
    std::uint32_t peer = 0;  ///< the engine's index of the peer
    IpAddress address;       ///< of the peer
    SessionId session;
    PathIndex path;
    PathGeneration generation;
    std::uint16_t source_port = 0;

    bool operator==(const TracedPath&) const = default;
};

/// A trace packet to send.
struct TraceProbe {
    TracedPath path;
    wire::PathTraceBody body;
    std::uint16_t identification = 0;  ///< of the outer IP header
};

/// What was learned of a path.
struct LearnedPath {
    TracedPath path;
    bool complete = false;
    std::uint16_t hop_count = 0;
    std::array<IpAddress, wire::PathEntry::kMaxHops> hops{};
};

struct PathTracerConfig {
    std::size_t active_most = 256;
    std::size_t waiting_most = 16384;
    std::uint8_t ttl_most = 8;
    int attempts = 4;
    Duration timeout;
};

class PathTracer {
  public:
    PathTracer(const PathTracerConfig& config, IpAddress own_address, std::uint16_t destination_port)
        : config_(config), own_address_(own_address), destination_port_(destination_port) {}

    /// Wants `path` traced; false where the queue is full. A path already waiting or being traced is not
    /// doubled.
    bool request(const TracedPath& path, Time now);
    /// Forgets the paths of a session.
    void forget(IpAddress peer, SessionId session);

    /// A router's answer. Counts only where a trace is outstanding whose quoted packet it is.
    bool on_time_exceeded(const wire::IcmpTimeExceeded& message, IpAddress router, Time now);
    /// The far EPPC's answer.
    bool on_reply(IpAddress peer, const wire::PathTraceReplyBody& reply, Time now);

    /// Starts, repeats and ends traces.
    void service(Time now, std::vector<TraceProbe>& probes, std::vector<LearnedPath>& learned);
    [[nodiscard]] Time next_deadline() const { return next_; }

  private:
    struct Trace {
        TracedPath path;
        std::uint16_t number = 0;
        std::uint8_t ttl_sent = 0;  ///< highest asked for
        std::uint8_t distance = 0;  ///< TTL that reaches the peer; zero: not known yet
        int attempts = 0;
        Time deadline;
        std::array<IpAddress, wire::PathEntry::kMaxHops> hops{};

        [[nodiscard]] bool complete() const;
    };

    [[nodiscard]] Trace* find(std::uint16_t number);
    void send(Trace& trace, Time now, std::vector<TraceProbe>& probes);
    /// Highest TTL to ask for.
    [[nodiscard]] std::uint8_t reach(const Trace& trace) const;
    static LearnedPath conclude(const Trace& trace);

    PathTracerConfig config_;
    IpAddress own_address_;
    std::uint16_t destination_port_;
    std::uint16_t next_number_ = 0;
    Time next_ = Time::never();
    std::deque<TracedPath> waiting_;
    std::vector<Trace> active_;
    std::vector<std::uint8_t> distances_;  ///< by peer: TTL that reached it last; zero: not known
};

}  // namespace dyetrace::eppc
