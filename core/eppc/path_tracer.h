// SPDX-License-Identifier: GPL-2.0-or-later
// Learns which routers a path crosses. Control packets with a small TTL go out on the data path's own
// 5-tuple, so the fabric hashes them as it hashes the data; the router where one dies names itself by ICMP
// time exceeded, and the far EPPC answers the first one that lives.
//
// Nobody signs an ICMP message, so a router counts only by what a stranger cannot know: an answer must quote
// a probe that is outstanding, by its 5-tuple, its IP identification (random) and its UDP checksum (which
// covers the probe's HMAC), and the tag itself where that much is quoted; and two answers, to two probes,
// must agree.
//
// One trace goes in rounds. The first sends TTLs 1, 2, ... at once, at most `ttl_most` until a reply has told
// how far the peer is; each further one asks the hops that are not settled. Routers answer at a limited rate:
// all probes of an engine keep a spacing on average, which grows when routers that have answered fall
// silent; rounds without an answer back off; and repeats are spread at random.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/random.h"
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
    std::uint16_t destination_port = 0;

    bool operator==(const TracedPath&) const = default;
};

/// A trace packet to send. `PathTracer::on_sent` wants to know what became of it.
struct TraceProbe {
    TracedPath path;
    wire::PathTraceBody body;
    std::uint16_t identification = 0;  ///< of the outer IP header, IPv4
};

/// What was learned of a path.
struct LearnedPath {
    TracedPath path;
    bool complete = false;  ///< the peer answered, and every router before it did twice
    std::uint16_t hop_count = 0;
    std::array<IpAddress, wire::PathEntry::kMaxHops> hops{};  ///< unspecified where a router stayed unsettled
};

struct PathTracerConfig {
    std::size_t active_most = 256;
    std::size_t waiting_most = 16384;
    std::uint8_t ttl_most = 8;  ///< up to kMaxHops
    int attempts = 5;           ///< rounds of one trace; two are needed
    Duration timeout;           ///< of a round; doubles with each round in which somebody stayed silent
    Duration spacing;           ///< between probes, on average
};

class PathTracer {
  public:
    PathTracer(const PathTracerConfig& config, IpAddress own_address, std::uint64_t seed)
        : config_(config),
          own_address_(own_address),
          random_(seed),
          window_(std::min(kWindowFirst, config.active_most)),
          threshold_(config.active_most) {}

    /// Wants `path` traced; false where the queue is full. A path already waiting or being traced is not
    /// doubled.
    bool request(const TracedPath& path, Time now);
    /// Forgets the paths of a session.
    void forget(IpAddress peer, SessionId session);
    /// Forgets one path of a session, whatever its generation.
    void forget(IpAddress peer, SessionId session, PathIndex path);

    /// A probe has been sent with this UDP checksum and payload: its answers count from now on.
    void on_sent(const TraceProbe& probe, std::uint16_t checksum, Bytes payload);
    /// A router's answer; `payload` is what it quotes behind the UDP header. Returns whether it counts.
    bool on_time_exceeded(const wire::IcmpTimeExceeded& message, Bytes payload, IpAddress router, Time now);
    /// The far EPPC's answer, authenticated. Returns whether it counts.
    bool on_reply(IpAddress peer, SessionId session, const wire::PathTraceReplyBody& reply, Time now);

    /// Starts, repeats and ends traces.
    void service(Time now, std::vector<TraceProbe>& probes, std::vector<LearnedPath>& learned);
    [[nodiscard]] Time next_deadline() const { return next_; }

    /// Hops begun anew because two answers did not agree.
    [[nodiscard]] std::uint64_t disagreements() const { return disagreements_; }
    /// Traces that may go on at a time, as the routers let it be.
    [[nodiscard]] std::size_t window() const { return window_; }
    void digest_into(StateDigest& digest) const;

    /// Of one whose paths lead to up to so many peers.
    [[nodiscard]] static heap::Need memory_bound(const PathTracerConfig& config, std::size_t peers);

  private:
    /// A probe as its answer must quote it.
    struct Probe {
        std::uint64_t tag = 0;  ///< last 8 bytes of the payload
        std::uint16_t identification = 0;
        std::uint16_t checksum = 0;
        bool outstanding = false;
    };
    struct Hop {
        IpAddress router;  ///< whom the answers so far name
        std::uint8_t answers = 0;
        std::uint8_t newest = 0;        ///< index of the probe sent last
        std::array<Probe, 2> probes{};  ///< the last two; an answer to an older one comes too late
        [[nodiscard]] bool settled() const { return answers >= kAnswers; }
    };
    struct Trace {
        TracedPath path;
        std::uint16_t number = 0;
        std::uint8_t ttl_sent = 0;  ///< highest asked for
        std::uint8_t distance = 0;  ///< TTL that reaches the peer; zero: not known yet
        std::uint8_t rounds = 0;
        std::uint8_t silent_rounds = 0;  ///< in which somebody did not answer
        std::uint16_t outstanding = 0;   ///< answers that this round still waits for
        std::uint16_t payload_size = 0;  ///< bytes of UDP payload of each of its probes
        Time deadline;
        std::array<Hop, wire::PathEntry::kMaxHops> hops{};

        [[nodiscard]] bool complete() const;
        [[nodiscard]] bool quotes_probe(const Probe& probe, const wire::IcmpTimeExceeded& message,
                                        Bytes payload) const;
    };

    static constexpr std::uint8_t kAnswers = 2;  ///< that agree, from two probes, settle a hop
    static constexpr std::size_t kWindowFirst = 8;

    [[nodiscard]] Trace* find(std::uint16_t number);
    void send_round(Trace& trace, Time now, std::vector<TraceProbe>& probes);
    void answered(Trace& trace, Time now);
    void start_over(Hop& hop);
    void end_of_round(Trace& trace, Time now);
    void widen();
    /// Whether probes may go out now, and from when on they may.
    [[nodiscard]] bool may_send(Time now) const { return now >= free_at(); }
    [[nodiscard]] Time free_at() const;
    /// Highest TTL to ask for.
    [[nodiscard]] std::uint8_t reach(const Trace& trace) const;
    [[nodiscard]] Duration back_off(const Trace& trace);
    /// Uniform in [0, most).
    [[nodiscard]] Duration random_below(Duration most);
    static LearnedPath conclude(const Trace& trace);

    PathTracerConfig config_;
    IpAddress own_address_;
    Random random_;
    std::uint16_t next_number_ = 0;
    std::uint64_t disagreements_ = 0;
    Time next_ = Time::never();
    Time paced_until_ = Time::earliest();  ///< when the probes sent so far would have gone out one by one
    std::size_t window_;
    std::size_t threshold_;  ///< up to here the window grows by each trace that ends, then by each windowful
    std::size_t ended_ = 0;  ///< since the window last grew
    Time halved_at_ = Time::earliest();
    std::deque<TracedPath> waiting_;
    std::vector<Trace> active_;
    std::vector<std::uint8_t> distances_;  ///< by peer: TTL that reached it last; zero: not known
};

}  // namespace dyetrace::eppc
