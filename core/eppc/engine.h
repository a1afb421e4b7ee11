// SPDX-License-Identifier: GPL-2.0-or-later
// The inside of `Eppc`, by file: data_path.cpp (frames), measurement.cpp (what they mean to sessions),
// handshake.cpp (how sessions begin), control_path.cpp (messages between EPPCs), timing.cpp (clocks and
// delays), path_tracing.cpp (routers), management.cpp (updates and directives), candidates.cpp (whom to
// measure), riding.cpp (reports in data packets), state_digest.cpp (copies and digests), prefetch.cpp
// (batches), relay.cpp, guest_moves.cpp, memory.cpp (what all that takes); engine.cpp holds tables, deadlines
// and outputs. eppc.cpp is the front: `Eppc` itself; config.cpp says what no engine can be.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/auth/cookie.h"
#include "core/auth/key_ring.h"
#include "core/auth/secret.h"
#include "core/base/flat_table.h"
#include "core/base/heap.h"
#include "core/base/prefetch.h"
#include "core/base/random.h"
#include "core/base/stable_vector.h"
#include "core/base/timer_queue.h"
#include "core/eppc/ecn.h"
#include "core/eppc/eppc.h"
#include "core/eppc/flow_tap.h"
#include "core/eppc/nhms_channel.h"
#include "core/eppc/outer_header.h"
#include "core/eppc/overlay.h"
#include "core/eppc/packet_builder.h"
#include "core/eppc/path_tracer.h"
#include "core/eppc/update_sender.h"
#include "core/session/acceptor_session.h"
#include "core/session/back_off.h"
#include "core/session/candidate.h"
#include "core/session/peer_history.h"
#include "core/session/requester_session.h"
#include "core/tracking/path_table.h"
#include "core/tracking/peer_clock.h"
#include "core/tracking/sketch_table.h"
#include "core/wire/frame_buffer.h"
#include "core/wire/geneve.h"
#include "core/wire/guest_frame.h"
#include "core/wire/ip.h"
#include "core/wire/track_option.h"
#include "core/wire/udp.h"

namespace dyetrace::eppc {

/// What parts of the engine are told of its configuration.
[[nodiscard]] session::RetransmitPolicy retransmit_policy(const EppcConfig& config);
[[nodiscard]] PathTracerConfig tracer_config(const EppcConfig& config);
[[nodiscard]] UpdateSenderConfig update_config(const EppcConfig& config);
[[nodiscard]] std::uint16_t port_count_of(const EppcConfig& config);
/// Why no engine can have it: the field, and what is wrong with it.
[[nodiscard]] std::optional<std::string> wrong_field(const EppcConfig& config);
/// "10.0.0.1 is IPv4", for errors.
[[nodiscard]] std::string version_of(const IpAddress& address);

/// Sessions of one peer: a vector's doubling would cost more than what few of them take.
template <class Session>
void make_room_for_one(std::vector<Session>& sessions) {
    static_assert(std::is_nothrow_move_constructible_v<Session>);
    if (sessions.size() == sessions.capacity()) sessions.reserve(sessions.size() + 1 + sessions.size() / 8);
}

/// Another EPPC. What the data path needs comes first, in three cache lines.
struct alignas(kCacheLine) Peer {
    Peer(IpAddress its_address, std::uint16_t path_count, std::uint16_t port_count)
        : address(its_address), paths(path_count, port_count), routers(path_count) {}

    /// What sessions with it can measure: without options there are no tags, and without tags only counts.
    [[nodiscard]] std::uint32_t metrics() const {
        return outer.is_vxlan() ? std::uint32_t{wire::kMetricCounts} : std::uint32_t{wire::kMetricsAll};
    }

    IpAddress address;
    OuterHeader outer;
    EcnMode ecn = EcnMode::Normal;
    bool zero_checksum_ok = false;    ///< IPv6: its data may come without a UDP checksum
    bool queued = false;              ///< waits for attention
    Time rides_from = Time::never();  ///< a packet to it may carry a record of a report
    /// A packet carries the tag of the first that samples it.
    std::vector<session::RequesterSession> requested;
    /// Data packets received from it, by port offset; empty while it has no session here.
    std::vector<std::uint64_t> received;
    std::uint16_t announced_base = 0;                ///< the peer's source port of offset 0
    tracking::PathTable paths;                       ///< of what is sent to it
    std::vector<session::AcceptorSession> accepted;  ///< those that linger too
    std::optional<tracking::PeerClock> clock;        ///< since there was a session that times packets
    session::PeerHistory history{auth::CookieMaker::kLifeMost};
    /// By path index: are its routers known?
    enum class Routers : std::uint8_t { NotAsked, AskedOrKnown, NotAllKnown };
    std::vector<Routers> routers;
    Time trace_again_at = Time::earliest();  ///< those of paths not learned whole
    session::BackOff back_off;
    Time no_request_before = Time::earliest();  ///< it is left alone, or waits for its turn
    bool waits = false;                         ///< for its turn to be measured
    std::uint64_t packets_at_choice = 0;        ///< sent to it by then
    Time measured_until = Time::earliest();     ///< end of its last session; never measured: earliest
    std::uint32_t guests = 0;                   ///< remote ones that it carries

    /// Without what it was told of the peer.
    void digest_into(StateDigest& digest) const;
    /// Beside its own size and its sessions: what only a peer with sessions has, too.
    [[nodiscard]] static heap::Need memory_bound(std::size_t path_count, std::size_t port_count);
};

struct PeerAddressHash {
    std::size_t operator()(const IpAddress& a) const noexcept {
        return table_hash(a.high * 0xbf58476d1ce4e5b9ULL ^ a.low);
    }
};

/// A packet of the underlay, its headers read and checked.
struct UnderlayPacket {
    wire::IpHeader ip;
    wire::UdpHeader udp;
    std::size_t payload_offset = 0;  ///< of the UDP payload, from the frame's start
    Peer* peer = nullptr;            ///< of tunnel packets: whose address is the source
    std::uint32_t peer_index = 0;    ///< its name, where there is one

    [[nodiscard]] Endpoint source() const { return {ip.source, udp.source_port}; }
    [[nodiscard]] Endpoint destination() const { return {ip.destination, udp.destination_port}; }
};

/// The guest's frame inside it, as it arrived.
struct InnerFrame {
    Vni vni;
    wire::GuestFrame headers;
    EcnAtEgress ecn;
};

class Eppc::Engine {
  public:
    Engine(const EppcConfig& config, auth::KeyRing keys, const auth::Seed& seed);
    /// What points into `config` points into the other's still: see `adopt`.
    Engine(const Engine&) = default;
    Engine& operator=(const Engine&) = delete;
    ~Engine() = default;

    // engine.cpp
    Result<Done, std::string> add_peer(IpAddress address, const PeerOptions& options);
    Result<Done, std::string> add_guest(const Guest& guest);
    Result<Done, std::string> add_remote(Vni vni, const MacAddress& mac, IpAddress peer);
    Result<Done, std::string> add_relay(Vni vni, const MacAddress& mac, IpAddress peer);  // relay.cpp
    // guest_moves.cpp
    Result<Done, std::string> remove_guest(GuestPort port, Time now);
    Result<Done, std::string> move_remote(Vni vni, const MacAddress& mac, IpAddress peer, Time now);
    Result<Done, std::string> remove_remote(Vni vni, const MacAddress& mac, Time now);
    Result<PathGeneration, std::string> repath(IpAddress address, PathIndex path, Time now);
    void advance(Time now);
    [[nodiscard]] Time next_deadline() const { return std::min(attention_at_, planned_at_); }
    std::optional<Output> poll();
    [[nodiscard]] std::vector<SessionView> sessions() const;

    // memory.cpp
    [[nodiscard]] static heap::Need memory_bound(const EppcConfig& config);

    // state_digest.cpp
    /// Of a copy: its sessions look at its own configuration.
    void adopt();
    void digest_into(StateDigest& digest) const;

    // data_path.cpp
    // The pieces of each are written apart and compiled as one, so that what one has read of a packet reaches
    // the next in registers.
    [[gnu::flatten]] wire::Refusal encapsulate(GuestPort port, wire::FrameBuffer& frame, Time now);
    [[gnu::flatten]] Decapsulated decapsulate(wire::FrameBuffer& frame, Time now);

    // prefetch.cpp
    void expect_from_guest(GuestPort port, std::span<const wire::FrameBuffer* const> frames) const;
    void expect_from_underlay(std::span<const wire::FrameBuffer* const> frames) const;
    void expect_from_underlay(Bytes frame, Step step) const;
    void expect_from_guest(Step step) const;
    void prefetch_own() const;

    // session_verbs.cpp
    Result<SessionId, std::string> open_session(IpAddress address, const SessionParameters& wanted, Time now);
    Result<Done, std::string> close_session(session::Role role, IpAddress address, SessionId id,
                                            wire::CloseReason reason, Time now);
    void close_sessions(Time now);
    Result<Done, std::string> set_keys(const auth::NamedKey& sending,
                                       const std::vector<auth::NamedKey>& others, Time now);
    [[nodiscard]] bool is_draining() const;
    void note_at_guest(GuestPort port, Bytes frame, std::size_t size, wire::FlowStage stage,
                       Time at);  // flow_tracing.cpp
    void set_load(double share) { load_ = share; }

    /// To be called after whatever may have changed a deadline, which is all but a plain data packet:
    /// `next_deadline` is asked after each of those, and then need not look at all of them again.
    void plan() { planned_at_ = earliest_deadline(); }

    // What a data packet asks for stands first in each, and together: with many peers, or many engines, each
    // line of it is waited for.
    EppcConfig config;
    alignas(kCacheLine) Overlay overlay;
    EppcCounters counters;
    wire::DropCounters drops;

  private:
    // engine.cpp
    /// Of all deadlines but that of attention, which data packets set.
    [[nodiscard]] Time earliest_deadline() const;
    [[nodiscard]] std::optional<std::uint32_t> find_peer(const IpAddress& address) const {
        const std::uint32_t* const index = peer_index_.find(address);
        return index == nullptr ? std::nullopt : std::optional{*index};
    }
    std::optional<std::uint32_t> find_or_add_peer(IpAddress address);
    /// Why `address` can be no peer's.
    std::optional<std::string> wrong_peer(IpAddress address) const;
    /// Whether packets to `peer` carry a UDP checksum.
    [[nodiscard]] bool has_checksum_to(const IpAddress& peer, const PeerOptions& options) const;
    void set_options(Peer& peer, const PeerOptions& options);
    [[nodiscard]] std::uint16_t tunnel_port(wire::Encapsulation encapsulation) const {
        return encapsulation == wire::Encapsulation::Vxlan ? config.vxlan_port : config.geneve_port;
    }
    void want_attention(std::uint32_t peer);
    void service_peer(std::uint32_t peer, Time now);
    void remove_ended_sessions(Peer& peer, Time now);
    /// Frees the ports of path generations that no session measures any more.
    static void settle_paths(Peer& peer, Time now);
    /// Of accepted sessions of `peer`, those for which `over` holds are forgotten; with the last one what was
    /// counted for them.
    template <class Over>
    void forget_accepted(Peer& peer, const Over& over);
    void forget_all_accepted(Peer& peer);
    struct Queued {
        std::optional<std::vector<std::uint8_t>> frame;
        std::optional<Output> event;
    };
    /// Queues it for `poll`, where there is room.
    void put(Queued queued);
    void emit_frame(std::vector<std::uint8_t> frame);
    void emit(Output event);

    // guest_moves.cpp
    /// A remote guest is not the peer's any more.
    void leave(std::uint32_t peer, Time now);
    /// Ends what traffic to it had opened.
    void end_traffic_sessions(std::uint32_t peer, Time now);

    // data_path.cpp
    // These fill their last argument in place: it is larger than what is worth copying for every packet.
    wire::Refusal parse_underlay(const wire::FrameBuffer& frame, UnderlayPacket& packet);
    wire::Refusal parse_datagram(const wire::FrameBuffer& frame, UnderlayPacket& packet);
    struct Admitted {
        Vni vni;
        Peer* peer = nullptr;
        std::uint32_t peer_index = 0;
        wire::GuestFrame headers;
        std::size_t stripped = 0;  ///< bytes of VLAN tags that do not go with it
    };
    /// Whether a guest's frame can be carried, and where to.
    wire::Refusal admit(GuestPort port, const wire::FrameBuffer& frame, Admitted& admitted);
    /// Why it does not fit the tunnel to its peer; finds what is to be stripped for that.
    wire::Refusal fit(const wire::FrameBuffer& frame, Admitted& admitted) const;
    /// Counts, samples and encapsulates what was admitted and fits.
    void carry(wire::FrameBuffer& given, const Admitted& admitted, Time now);
    /// Counts a data packet to a peer; returns the session that tags it, if one does.
    session::RequesterSession* note_sent(Peer& peer, std::uint32_t index, PathIndex path,
                                         const tracking::Offered& packet);
    /// Puts the option in front of the guest's frame.
    void prepend_track_option(wire::FrameBuffer& frame, const Peer& peer, PathIndex path,
                              session::RequesterSession& tagging, const OuterFields& fields, Time now);
    Decapsulated decapsulate_geneve(wire::FrameBuffer& frame, const UnderlayPacket& packet, Time now);
    Decapsulated decapsulate_vxlan(wire::FrameBuffer& frame, const UnderlayPacket& packet, Time now);
    /// `held`: what of the UDP payload is; `headers` bytes of it are the tunnel's own.
    Decapsulated take_control(const UnderlayPacket& packet, Bytes held, std::size_t headers, Time now);
    Decapsulated deliver(wire::FrameBuffer& frame, const InnerFrame& inner, const UnderlayPacket& packet,
                         Time now);
    /// The data of options of ours, whose length is right; nullptr where there is none.
    struct Options {
        const std::uint8_t* track = nullptr;
        const std::uint8_t* report = nullptr;
    };
    wire::Refusal find_options(Bytes options, Options& found);
    /// `known`: that of the option before it of the same type, if there was one.
    template <class Option>
    void note_option(Bytes data, const std::uint8_t*& known, wire::DropReason if_repeated,
                     wire::DropReason if_bad_length);
    /// `frame` is the inner one; `track`: what `find_options` found.
    void measure(const UnderlayPacket& packet, const std::uint8_t* track, const wire::FrameBuffer& frame,
                 const InnerFrame& inner, Time now);
    // measurement.cpp
    /// `data`: of a track option, whose length is right. `peer` is the packet's.
    [[gnu::flatten]] void measure_tracked(Peer& peer, const UnderlayPacket& packet, Bytes data,
                                          const wire::FrameBuffer& frame, const InnerFrame& inner,
                                          std::size_t port, Time now);
    /// A tracked packet that was not seen before.
    void note_delay(Peer& peer, const session::AcceptorSession& session, Duration raw, Time now);
    // riding.cpp
    /// After any change of what the peer's accepted sessions have to say.
    static void note_rides(Peer& peer);
    /// Puts a record that is due in front of frame and track option, where there is one and it fits; returns
    /// how long it is.
    [[gnu::noinline]] std::size_t prepend_report_option(wire::FrameBuffer& frame, std::uint32_t index,
                                                        OuterFields fields, Time now);
    /// `data`: what `find_options` found.
    void take_report_option(const UnderlayPacket& packet, Bytes data, Vni vni, Time now);
    /// Why a frame to a guest's address that is not here is not delivered.
    [[nodiscard]] wire::DropReason no_such_guest(const OverlayAddress& address) const;
    Decapsulated dropped(wire::DropReason reason);

    // relay.cpp
    Decapsulated relay(wire::FrameBuffer& frame, const InnerFrame& inner, const UnderlayPacket& packet,
                       std::uint32_t to, Time now);

    // control_path.cpp
    void handle_control(const UnderlayPacket& packet, Bytes payload, Time now);
    /// Returns whether the message can concern the engine at all.
    bool handle_icmp(const UnderlayPacket& packet, Bytes message, Time now);
    void handle_for_requester(const UnderlayPacket& packet, const wire::ControlMessage& message,
                              std::uint32_t peer, Time now);
    void handle_for_acceptor(const UnderlayPacket& packet, const wire::ControlMessage& message,
                             std::uint32_t peer, Time now);
    void handle_marker(const UnderlayPacket& packet, Bytes body, Peer& peer,
                       session::AcceptorSession& session, Time now);
    /// Whether the message is of the session's key, and not seen before; else it was counted.
    bool is_genuine(const UnderlayPacket& packet, const wire::ControlMessage& message,
                    session::Channel& channel, Time now);
    void flush_outbox(std::uint32_t peer, Time now);
    void send_to_peer(std::uint32_t peer, const session::OutgoingMessage& message);
    /// The way of a control packet to the EPPC at `to` from `source_port`, which is that of the path's data.
    [[nodiscard]] ControlRoute route_to(const IpAddress& to, std::uint16_t source_port) const;
    void send_message(const session::OutgoingMessage& message, IpAddress to, std::uint16_t port,
                      std::uint16_t identification);
    [[nodiscard]] std::vector<std::uint8_t> sealed(const session::OutgoingMessage& message,
                                                   const Endpoint& source, const Endpoint& destination) const;

    // timing.cpp
    void note_report_times(Peer& peer, session::RequesterSession& session, const wire::ReportHeader& report,
                           Time now);
    static void note_ack_times(Peer& peer, const wire::ReportAckBody& ack, Time now);
    void handle_sketch(const wire::ControlMessage& message, Peer& peer, session::RequesterSession& session,
                       Time now);
    /// Writes the body of a delay sketch; returns false where there is nothing to say.
    bool fill_sketch(const Peer& peer, session::OutgoingMessage& message, Time now) const;
    void tell_timing(Peer& peer, session::RequesterSession& session, Time now);
    void close_sketch(session::AcceptorSession& session);

    // handshake.cpp
    void handle_handshake(const UnderlayPacket& packet, const wire::ControlMessage& message, Time now);
    void handle_request(const UnderlayPacket& packet, const wire::ControlMessage& message, Time now);
    void handle_answer(const wire::ControlMessage& message, std::uint32_t peer, Time now);
    /// Whether the request repeats one that was answered before; then it was answered again, or counted.
    bool answer_repeat(const UnderlayPacket& packet, const wire::ControlMessage& message,
                       const wire::RequestBody& request, std::uint32_t peer, Time now);
    /// A peer proved to be alive under this boot id: what it had with us under another one is lost.
    void meet_boot(std::uint32_t peer, BootId boot, Time now);
    [[nodiscard]] std::optional<wire::RejectReason> refusal(const Peer& peer,
                                                            const wire::RequestBody& request) const;
    void challenge(const UnderlayPacket& packet, const wire::ControlMessage& message,
                   const wire::RequestBody& request, Time now);
    void reject(const UnderlayPacket& packet, const wire::ControlMessage& message,
                const wire::RequestBody& request, wire::RejectReason reason);
    void answer_statelessly(const UnderlayPacket& packet, const wire::ControlMessage& message,
                            const wire::RequestBody& request, session::OutgoingMessage answer);
    void accept(std::uint32_t peer, const wire::ControlMessage& message, const wire::RequestBody& request,
                Time now);
    [[nodiscard]] bool has_room_for(const Peer& peer, const wire::RequestBody& request) const;
    void make_room_for_session(Peer& peer, const wire::RequestBody& request);
    /// Of the sessions of `of`, or of all peers without one; false where none lingers.
    bool forget_longest_lingering(Peer* of);
    /// Tracked packets a second that the accepted sessions have promised not to exceed.
    [[nodiscard]] std::uint64_t promised_per_second() const;
    /// None where the id names no key.
    [[nodiscard]] std::optional<auth::PairKey> pair_key(KeyId id, IpAddress peer) const;

    // session_verbs.cpp
    [[nodiscard]] static session::RequesterSession* find_requested(Peer& peer, SessionId id);
    [[nodiscard]] static session::AcceptorSession* find_accepted(Peer& peer, SessionId id, BootId boot);
    /// Why no other session can be asked for.
    [[nodiscard]] std::optional<std::string> no_room_for(const Peer& peer) const;
    /// Precondition: !no_room_for(peer).
    SessionId start_session(std::uint32_t peer, const SessionParameters& wanted, session::Origin origin,
                            Time now);

    // candidates.cpp
    void open_for_traffic(std::uint32_t peer, Time now);
    void wait_for_turn(Peer& peer, Time now);
    /// Measures the best of those that wait, and ends the turns of others where there is no room.
    void choose_peers(Time now);
    void tell_traffic(std::vector<session::Candidate>& candidates, Time now);
    void begin_turns(Time now);
    void end_turns(std::size_t wanted, Time now);

    // path_tracing.cpp
    void trace_path(std::uint32_t peer, PathIndex path, Time now);
    void service_tracer(Time now);

    // flow_tracing.cpp
    [[gnu::noinline]] void follow_sent(const wire::FrameBuffer& frame, const Admitted& admitted, Time now);
    [[gnu::noinline]] void follow_received(const wire::FrameBuffer& frame, Vni vni, Time now);
    void follow(Bytes frame, Vni vni, std::size_t size, wire::FlowStage stage, PathIndex path,
                PathGeneration generation, Time at);
    /// Tells the health service what was seen.
    void service_flow_tap(Time now);
    wire::DirectiveResultBody follow_for_nhms(const wire::DirectiveBody& directive, Time now);

    // management.cpp
    void handle_management(const UnderlayPacket& packet, Bytes payload, Time now);
    void handle_directive(const wire::ControlMessage& message, Time now);
    void service_updates(Time now);
    void handle_answer(const wire::ControlMessage& message, Time now);
    wire::DirectiveResultBody obey(const wire::DirectiveBody& directive, Time now);
    wire::DirectiveResultBody measure_for_nhms(const wire::DirectiveBody& directive, Time now);
    /// Precondition: find_peer(directive.peer).
    wire::DirectiveResultBody repath_for_nhms(const wire::DirectiveBody& directive, Time now);
    /// Has the paths of a requested session traced anew; returns how many were ever used.
    std::uint16_t trace_all_paths(std::uint32_t peer, Time now);
    void send_to_nhms(wire::ControlType type, std::uint32_t number, std::uint32_t challenge, Bytes body);
    /// `troubled`: metrics that show new trouble.
    void tell_nhms(const wire::UpdateEntry& entry, Time now, bool troubled = false);
    void note_given_up(const GivenUp& given_up);
    void tell_state(Peer& peer, SessionId session, session::State state, Time now);
    /// What a service that has restarted can't know: which sessions there are, and where their paths run.
    void tell_anew(Time now);

    /// What the last frames of each kind looked up: a guess at what the next one will.
    struct Last {
        GuestPort from;
        OverlayAddress to;
        std::uint32_t peer = 0;  ///< good where `peers_` has it
        PathIndex path;
        OverlayAddress delivered;
    };

    auth::KeyRing keys_;
    auth::Secret secret_;
    auth::CookieMaker cookies_;
    BootId boot_;

    // What a data packet asks for, as above.
    alignas(kCacheLine) Time attention_at_ = Time::never();
    Time planned_at_ = Time::never();  ///< see `plan`
    bool has_outputs_ = false;         ///< `outputs_` is not empty
    bool speaks_vxlan_ = false;        ///< with some peer
    FlatTable<IpAddress, std::uint32_t, PeerAddressHash> peer_index_;
    StableVector<Peer> peers_;  ///< never shrinks; an index is a peer's name inside the engine
    std::uint64_t flow_seed_;
    Last last_;
    FlowTap flow_tap_;

    std::uint32_t last_session_id_;   ///< ids count up, so that a peer can tell a fresh one
    tracking::SketchTable sketches_;  ///< of accepted sessions
    std::vector<std::uint32_t>
        attention_;                   ///< peers to service at once; reserved, so the data path only writes
    Time choose_at_ = Time::never();  ///< next look at the peers that wait for a turn
    Time fill_at_ = Time::never();    ///< there is room for one of them
    std::vector<std::uint32_t> next_turns_;  ///< chosen and without room yet, best first
    double load_ = 0;
    TimerQueue timers_;             ///< by peer index
    Time flow_at_ = Time::never();  ///< a packet of a followed flow was seen, or a trace ends
    PathTracer tracer_;
    UpdateSender updates_;
    std::size_t requested_count_ = 0;
    std::size_t accepted_count_ = 0;   ///< those that linger too
    std::size_t accepted_paths_ = 0;   ///< theirs
    std::size_t announced_ports_ = 0;  ///< of all peers with accepted sessions
    std::uint16_t control_identification_ = 0;
    std::uint16_t control_path_ = 0;  ///< messages that may take any path take turns

    NhmsChannel nhms_;

    session::Outbox outbox_;  ///< reused
    std::deque<Queued> outputs_;
    std::vector<std::uint8_t> transmitting_;  ///< what the last `Transmit` points into
};

}  // namespace dyetrace::eppc
