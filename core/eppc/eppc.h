// SPDX-License-Identifier: GPL-2.0-or-later
// The EPPC: the endpoint on a host that encapsulates and decapsulates guests' frames, and that opens, serves
// and reports tracking sessions.
//
//   guest frame --> encapsulate --> underlay        (data path: in place, no allocation, no lock)
//   underlay --> decapsulate --> guest frame
//
//   handle the deadline --> poll until empty --> ask for the next deadline        (control path)
//
// Sans-I/O: it knows of time, keys, randomness and the world only what it is given. The same inputs give the
// same outputs, byte for byte. Every table and queue is bounded by `EppcConfig`; what overflows is counted.
//
// Call order: `create`, `add_guest`, `add_remote`, then any of the verbs with a `now` that never runs
// backwards. After each batch of frames: if `next_deadline() <= now`, call `advance(now)`; then `poll()`
// until it is empty. And before the next frame is encapsulated, `poll()` until it is empty after every other
// verb: a marker counts what was encapsulated before it, so that is what must be on the wire before it.
// (`encapsulate` itself puts nothing out.)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/auth/key_ring.h"
#include "core/auth/secret.h"
#include "core/base/addresses.h"
#include "core/base/digest.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/eppc/config.h"
#include "core/eppc/output.h"
#include "core/wire/drop_reason.h"
#include "core/wire/flow_trace.h"
#include "core/wire/frame_buffer.h"
#include "core/wire/report_option.h"
#include "core/wire/session_messages.h"

namespace dyetrace::eppc {

/// What became of a frame from the underlay.
struct Decapsulated {
    enum class Kind : std::uint8_t {
        Deliver,   ///< the buffer now holds the guest's frame, for `port`
        Consumed,  ///< a control packet: outputs may be waiting
        NotOurs,   ///< not the engine's traffic: the host may do with it what it likes
        Dropped,   ///< for `reason`, which was counted
        Relay,     ///< the buffer now holds a packet for another peer: an Ethernet frame for the underlay
    };
    // Eight bytes in this order: they go back in one register, put together there.
    Kind kind = Kind::Dropped;
    wire::DropReason reason{};
    GuestPort port;
};

/// Totals since the start, beside the drop reasons.
struct EppcCounters {
    std::uint64_t encapsulated = 0;      ///< guests' frames sent into the underlay
    std::uint64_t decapsulated = 0;      ///< guests' frames delivered
    std::uint64_t relayed = 0;           ///< of the encapsulated, for guests of other hosts
    std::uint64_t tagged = 0;            ///< of the encapsulated, with a track option
    std::uint64_t tracked_received = 0;  ///< valid track options received
    std::uint64_t ecn_unused = 0;        ///< received in a combination that no ingress makes (RFC 6040 §4.2)
    std::uint64_t control_sent = 0;
    std::uint64_t control_received = 0;  ///< genuine, and for a boot and session that are here
    std::uint64_t sessions_refused = 0;  ///< requests of live peers that were rejected, for any reason
    std::uint64_t challenges_sent = 0;   ///< requests that were asked to prove that they are not recorded
    std::uint64_t reports_sent = 0;
    std::uint64_t reports_received = 0;
    std::uint64_t reports_ridden = 0;  ///< records sent in options of data packets, beside reports_sent
    std::uint64_t rides_received = 0;  ///< such records taken, beside reports_received
    std::uint64_t updates_sent = 0;    ///< first transmissions
    std::uint64_t updates_acked = 0;
    std::uint64_t update_entries_dropped = 0;    ///< overflow of the update queue, the sum of the next six
    std::uint64_t updates_dropped_healthy = 0;   ///< metrics that told of no new trouble
    std::uint64_t updates_dropped_troubled = 0;  ///< metrics that did
    std::uint64_t updates_dropped_sessions = 0;  ///< states of sessions
    std::uint64_t updates_dropped_paths = 0;     ///< routers of a path; it is traced again
    std::uint64_t updates_dropped_timings = 0;
    std::uint64_t updates_dropped_flows = 0;  ///< packets of followed flows
    std::uint64_t repaths = 0;                ///< paths moved to another source port
    std::uint64_t traces_sent = 0;
    std::uint64_t traces_dropped = 0;       ///< paths not traced because the trace table was full
    std::uint64_t traces_disagreed = 0;     ///< hops asked about anew because two answers did not agree
    std::uint64_t flow_stages = 0;          ///< packets of followed flows, at each stage that was asked for
    std::uint64_t flow_stages_dropped = 0;  ///< the same, for which there was no room
    std::uint64_t guests_moved = 0;         ///< remote guests that another peer carries now
};

/// What a session is asked for with.
struct SessionParameters {
    wire::SamplingSpec sampling;
    Duration report_interval;
    Duration duration;             ///< zero: until closed
    std::uint64_t packet_cap = 0;  ///< it closes after so many tracked packets; zero: never for that
    std::uint32_t metrics = wire::kMetricsAll;  ///< wanted, of wire::Metric
    std::uint32_t tracked_per_second = 0;       ///< no more are tagged; zero: no such promise

    static SessionParameters of(const EppcConfig& config);
};

class Eppc {
  public:
    /// Largest growth of a frame: Ethernet, IPv6, UDP, Geneve, the track option and the report option.
    /// The headroom to leave.
    static constexpr std::size_t kHeadroom =
        14 + 40 + 8 + 8 + wire::TrackOption::kSize + wire::ReportOption::kSize;
    /// Longest IP packet of a guest, without VLAN tags, that this configuration's underlay carries.
    static std::size_t guest_mtu(const EppcConfig& config);

    /// Errors name the field of the configuration that is wrong. The boot id, nonces and sampling phases are
    /// drawn from `seed`, which must be fresh at every start, and unpredictable where strangers are met.
    static Result<Eppc, std::string> create(const EppcConfig& config, const auth::Seed& seed, Time now);
    /// For simulations and tests, where runs repeat: with a seed made of a number.
    static Result<Eppc, std::string> create(const EppcConfig& config, std::uint64_t seed, Time now);

    Eppc(Eppc&&) noexcept;
    Eppc& operator=(Eppc&&) noexcept;
    ~Eppc();

    /// Plugs a guest in. Fails where the port or the address in that VNI is taken, or the table is full.
    Result<Done, std::string> add_guest(GuestPort port, Vni vni, const MacAddress& mac);
    /// Says how to speak with a peer, where that differs from the configuration. Before the first packet to
    /// it.
    Result<Done, std::string> add_peer(IpAddress peer, const PeerOptions& options);
    /// Says which host carries a guest: frames to `mac` in `vni` go to the EPPC at `peer`.
    Result<Done, std::string> add_remote(Vni vni, const MacAddress& mac, IpAddress peer);

    /// \name While packets flow. Fail, and change nothing, where there is no such guest.
    ///
    /// A guest that moves from host A to host B: `remove_guest`, then `add_remote` at A, so that what still
    /// comes for it there is counted as `guest-elsewhere`; `remove_remote`, then `add_guest` at B;
    /// `move_remote` everywhere else. Sessions that traffic had opened, to where no guest can send or be sent
    /// to any more, end in order.
    /// @{
    /// Unplugs a guest.
    Result<Done, std::string> remove_guest(GuestPort port, Time now);
    /// Another host carries a remote guest from now on: the next frame to it goes there.
    Result<Done, std::string> move_remote(Vni vni, const MacAddress& mac, IpAddress peer, Time now);
    Result<Done, std::string> remove_remote(Vni vni, const MacAddress& mac, Time now);
    /// @}

    /// The same, and frames for `mac` that come from other peers go on to that one: this EPPC is an
    /// intermediary, and each leg has sessions of its own. Buffers given to `decapsulate` need kHeadroom
    /// then.
    Result<Done, std::string> add_relay(Vni vni, const MacAddress& mac, IpAddress peer);

    /// A guest's frame, in a buffer with at least kHeadroom of headroom and its Ethernet, IP and port fields
    /// in the head. On success the buffer holds the encapsulation packet, an Ethernet frame for the underlay;
    /// else the buffer is as it was and the reason was counted.
    wire::Refusal encapsulate(GuestPort port, wire::FrameBuffer& frame, Time now);

    /// An Ethernet frame from the underlay. All bytes of control packets must be in the head.
    Decapsulated decapsulate(wire::FrameBuffer& frame, Time now);

    /// Optional, before a batch of frames: asks the memory at once for all that the calls of `encapsulate`,
    /// or of `decapsulate`, for these frames will look up. Worth it where there are many peers
    /// (docs/performance.md); no more than kBatchMost frames are looked at.
    static constexpr std::size_t kBatchMost = 64;
    void expect_from_guest(GuestPort port, std::span<const wire::FrameBuffer* const> frames) const;
    void expect_from_underlay(std::span<const wire::FrameBuffer* const> frames) const;
    /// The same for one frame, where many engines take turns: a step asks for what the next one reads, with
    /// others' turns between them. Any may be left out.
    enum class Step : std::uint8_t { Engine, Tables, Peer, Paths };
    void expect_from_underlay(Bytes frame, Step step) const;
    /// And for a frame that nobody knows yet: it is taken for one of the same guest and flow as the last one.
    void expect_from_guest(Step step) const;

    /// Does what is due: retransmissions, markers, reports, updates, traces.
    void advance(Time now);
    /// When `advance` has something to do next; `Time::never()` when nothing is planned.
    [[nodiscard]] Time next_deadline() const;
    /// The next output, oldest first. Valid until the next call of any other verb.
    std::optional<Output> poll();

    /// Asks `peer` for a session now, whatever the traffic and whatever sessions there are with it already.
    /// Fails where a bound is reached. Without parameters, those of the configuration.
    Result<SessionId, std::string> open_session(IpAddress peer, Time now);
    Result<SessionId, std::string> open_session(IpAddress peer, const SessionParameters& parameters,
                                                Time now);
    /// Ends one session in order, from either side; an acceptor asks its requester to. The last metrics
    /// follow.
    Result<Done, std::string> close_session(session::Role role, IpAddress peer, SessionId id,
                                            wire::CloseReason reason, Time now);
    /// Changes the keys of a running engine (auth::KeyRing says in which steps). Sessions that began under a
    /// key that is not among them any more end in order, and begin anew with the next packet. Fails, and
    /// changes nothing, where an id is given twice or there are too many.
    Result<Done, std::string> set_keys(const auth::NamedKey& sending,
                                       const std::vector<auth::NamedKey>& others, Time now);
    /// Optional, where the health service may follow flows: a guest's frame at the guest itself, before
    /// `encapsulate` (GuestOut) or after it was handed over (GuestIn), at that time of the host's clock.
    /// The frame is of `size` bytes, of which only its head need be given, as to `encapsulate`.
    void note_at_guest(GuestPort port, Bytes frame, std::size_t size, wire::FlowStage stage, Time at);

    /// Ends every session in order, in both roles: END markers, final reports, close. The last metrics
    /// follow. From now on it asks for none on traffic and accepts none.
    void close_sessions(Time now);
    /// How busy the host is, 0 to 1: from EppcConfig::load_most on it accepts no more sessions.
    void set_load(double share);
    /// Whether some requested session, or an update, is still on its way out.
    [[nodiscard]] bool is_draining() const;

    /// Moves one path to `peer` to a spare source port, at once, with a new generation, which is returned.
    /// Guests' flows on other paths keep theirs. What sessions measure on the generation before is ended with
    /// its own count, then begun anew. Refused, with a reason, while an earlier move of that path is not
    /// settled, and where no spare port is free.
    Result<PathGeneration, std::string> repath(IpAddress peer, PathIndex path, Time now);

    [[nodiscard]] const EppcCounters& counters() const;
    [[nodiscard]] const wire::DropCounters& drops() const;
    /// The sessions of this EPPC in both roles, for an operator's listing, ordered by role, peer and id.
    [[nodiscard]] std::vector<SessionView> sessions() const;

    /// The most heap that an engine of this configuration takes, in bytes: every table and queue at its
    /// bound, the largest of those that grow in two places at once, and what a verb uses while it runs.
    /// Outputs that were taken by `poll`, and what `sessions` returns, are the caller's. In libsodium there
    /// is no more.
    [[nodiscard]] static std::size_t memory_bound(const EppcConfig& config);
    [[nodiscard]] std::size_t memory_bound() const;

    /// An engine in the same state, which goes its own way from here on: equal inputs, equal outputs. For
    /// checks and simulations; the data path of a copy may allocate until it has seen what this one has.
    [[nodiscard]] Eppc clone() const;
    /// Of all that decides what the engine will do, beside its configuration, guests and remotes: two of one
    /// configuration and equal digests behave alike from `now` on. Counters, and other figures that decide
    /// nothing, are left out. So is where the second stands that the age of challenges is told by: who
    /// compares engines at different times adds `now` in whole seconds of `auth::CookieMaker::kTick`.
    [[nodiscard]] StateDigest::Value digest(Time now) const;

  private:
    class Engine;
    struct Planning;
    explicit Eppc(std::unique_ptr<Engine> engine);
    std::unique_ptr<Engine> engine_;
};

}  // namespace dyetrace::eppc
