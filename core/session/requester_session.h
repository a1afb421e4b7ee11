// SPDX-License-Identifier: GPL-2.0-or-later
// The requester's end of a session: asks, marks intervals, tags, takes reports, closes.
//
// It sends and reads nothing itself: messages come in taken apart and authenticated, and go out through an
// `Outbox`. `service` does what is due by `now`; `next_deadline` says when it wants that.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "core/auth/keys.h"
#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/prefetch.h"
#include "core/base/time.h"
#include "core/session/channel.h"
#include "core/session/machine.h"
#include "core/session/outbox.h"
#include "core/session/path_markers.h"
#include "core/session/report_receiver.h"
#include "core/tracking/sampler.h"
#include "core/wire/session_messages.h"

namespace dyetrace::session {

/// Why a session was asked for.
enum class Origin : std::uint8_t {
    Asked,    ///< by the owner of the engine
    Traffic,  ///< by the engine itself
};

struct RequesterParameters {
    SessionId id;
    Origin origin = Origin::Asked;
    KeyId key_id;
    BootId known_boot;  ///< of the peer, when it is asked; zero: none
    std::uint64_t nonce = 0;
    std::uint64_t sampler_seed = 0;
    std::uint16_t source_port_base = 0;
    std::uint16_t path_count = 0;
    std::uint16_t port_count = 0;  ///< at least path_count
    wire::Encapsulation encapsulation = wire::Encapsulation::Geneve;
    wire::SamplingSpec sampling;
    const tracking::FlowFilter* filter = nullptr;  ///< outlives the session; none: nothing passes one
    std::uint32_t metrics = wire::kMetricsAll;     ///< wanted
    std::uint32_t tracked_per_second = 0;          ///< at most; zero: not told
    std::uint64_t packet_cap = 0;                  ///< tracked packets; zero: none
    Duration report_interval;
    Duration path_idle;
    Duration duration;             ///< zero: until closed
    Duration keep_alive_interval;  ///< wanted; the acceptor may grant a shorter one
    RetransmitPolicy retransmit;
};

/// How many packets a session may tag: in all, and in each second of its clock.
class TagBudget {
  public:
    /// Zero: no bound.
    TagBudget(std::uint64_t in_all, std::uint32_t a_second)
        : left_(in_all == 0 ? std::numeric_limits<std::uint64_t>::max() : in_all), a_second_(a_second) {}

    bool allows(Time now) {
        if (a_second_ == 0) return left_ > 0;
        if (now >= second_ends_) {
            second_ends_ = now + Duration::seconds(1);
            left_in_second_ = a_second_;
        }
        return left_ > 0 && left_in_second_ > 0;
    }
    void take() {
        --left_;
        if (a_second_ != 0) --left_in_second_;
    }
    [[nodiscard]] bool is_spent() const { return left_ == 0; }
    void digest_into(StateDigest& digest) const;

  private:
    std::uint64_t left_;
    std::uint32_t a_second_;
    std::uint32_t left_in_second_ = 0;
    Time second_ends_ = Time::earliest();
};

/// `table` is the pair's, wherever it is asked for.
class alignas(kCacheLine) RequesterSession {
  public:
    explicit RequesterSession(const RequesterParameters& parameters);

    void open(Time now, Outbox& out);
    void close(wire::CloseReason reason, Time now, Outbox& out);

    // Messages of the acceptor
    /// Asks again with the nonce of the challenge. At most kChallengesMost of one session are answered.
    void on_challenge(BootId peer_boot, const wire::ChallengeBody& challenge, Time now, Outbox& out);
    void on_accept(const wire::AcceptBody& accept, const auth::SessionKeys& keys, Time now, Outbox& out);
    void on_reject(const wire::RejectBody& reject, Outbox& out);
    /// Returns false where no such marker is in flight.
    bool on_marker_ack(const wire::MarkerAckBody& ack, Time now, const tracking::PathTable& table,
                       Outbox& out);
    /// Takes the records over and acknowledges the report.
    void on_report(std::uint32_t number, const wire::ReportHeader& header,
                   std::span<const wire::PathRecord> records, Time now, const tracking::PathTable& table,
                   Outbox& out);
    /// A record that rode in the option of a data packet, authenticated and taken through `channel()`.
    void on_ride(std::uint32_t number, const wire::PathRecord& record, Time now,
                 const tracking::PathTable& table, Outbox& out);
    /// A delay sketch that its own codec found good: it is acknowledged. Returns false where a later one is
    /// here already.
    bool on_sketch(std::uint32_t number, const wire::DelaySketchBody& sketch, Time now, Outbox& out);
    void on_close(const wire::CloseBody& close, Time now, Outbox& out);
    void on_close_ack(Outbox& out);
    void on_peer_restarted(Outbox& out);

    // Data path
    /// Notes a data packet on `path` and returns whether to tag it. A packet that another session tags is not
    /// `free`: it is none that sampling looks at. Sets `wants_attention` where `service` should come soon: a
    /// path waits for its START, or the packet cap is reached.
    bool on_data(PathIndex path, const tracking::Offered& packet, bool free, bool& wants_attention) {
        if (state_ != State::Active) return false;
        const bool is_open = markers_.on_data(path, packet.now);
        if (is_open && free && has_options() && budget_.allows(packet.now) && sampler_.sample(packet)) {
            budget_.take();
            if (budget_.is_spent()) wants_attention = true;
            return true;
        }
        if (budget_.is_spent() || (!is_open && markers_.wants_start(path))) wants_attention = true;
        return false;
    }
    /// Before `on_data`: what it reads of the session.
    void prefetch() const { prefetch_line(&state_); }
    /// The pair has moved `path` to another port: what is measured on the one before ends.
    void on_repath(PathIndex path, Time now) { markers_.on_repath(path, now); }
    /// The sequence number of the packet being tagged.
    std::uint32_t take_sequence(PathIndex path) { return markers_.take_sequence(path); }

    /// An envelope with the next number, for its owner to fill and send at once.
    [[nodiscard]] OutgoingMessage message(wire::ControlType type);

    void service(Time now, const tracking::PathTable& table, Outbox& out);
    [[nodiscard]] Time next_deadline() const;

    /// Samples as `sampling` says until `until`, then as the session was asked for again. It never takes a
    /// smaller share of the same packets than that.
    void raise_sampling(wire::SamplingSpec sampling, Time until);

    /// What the newest record of `path` shows could not be told: the next one is to tell of it.
    void note_untold(PathIndex path) { reports_.note_untold(path); }

    [[nodiscard]] SessionId id() const { return parameters_.id; }
    [[nodiscard]] State state() const { return state_; }
    /// Of the acceptor that challenged last, or accepted; zero before.
    [[nodiscard]] BootId peer_boot() const { return peer_boot_; }
    /// Of the peer, as it was known when the session was asked for.
    [[nodiscard]] BootId known_boot() const { return parameters_.known_boot; }
    /// Whether its packets can be tagged: VXLAN has no options.
    [[nodiscard]] bool has_options() const { return has_options_; }
    [[nodiscard]] Origin origin() const { return parameters_.origin; }
    /// When it was accepted; earliest: it was not.
    [[nodiscard]] Time active_since() const { return active_since_; }
    [[nodiscard]] std::uint64_t nonce() const { return parameters_.nonce; }
    [[nodiscard]] KeyId key_id() const { return parameters_.key_id; }
    [[nodiscard]] bool is_accepted() const { return state_ == State::Active || state_ == State::Closing; }
    /// Of use once it was accepted.
    [[nodiscard]] Channel& channel() { return channel_; }
    [[nodiscard]] const Channel& channel() const { return channel_; }
    [[nodiscard]] const auth::TrackKey& track_key() const { return channel_.keys().track; }
    /// Granted.
    [[nodiscard]] std::uint32_t metrics() const { return parameters_.metrics; }
    /// What brought about the final state.
    [[nodiscard]] Event last_event() const { return last_event_; }
    [[nodiscard]] const tracking::Sampler& sampler() const { return sampler_; }
    [[nodiscard]] const PathMarkers& markers() const { return markers_; }
    /// What was reported.
    [[nodiscard]] const ReportReceiver& reports() const { return reports_; }
    /// Whether it is time to tell of clock and round trip again.
    [[nodiscard]] bool timing_is_due(Time now) const { return now >= timing_at_; }
    void note_timing_told(Time now) { timing_at_ = now + parameters_.report_interval * kIntervalsPerTiming; }
    /// Its filter is another one, equal to the one that it had: it is part of a copy.
    void set_filter(const tracking::FlowFilter* filter) {
        parameters_.filter = filter;
        sampler_.set_filter(filter);
    }
    void digest_into(StateDigest& digest, const tracking::PathTable& table) const;

    /// Beside its own size, with the sketch that it was sent.
    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t path_count) {
        return PathMarkers::memory_bound(path_count) + ReportReceiver::memory_bound(path_count);
    }

  private:
    // The state of a (session, path) is held to 192 bytes.
    static_assert(PathMarkers::kBytesPerPath + ReportReceiver::kBytesPerPath <= 192);
    static constexpr int kChallengesMost = 4;
    /// Where packets can be tagged, COUNT markers are a thirtieth of a path's packets at most.
    static constexpr std::uint16_t kCountedLeast = 32;
    static constexpr int kIntervalsPerTiming = 10;  ///< report intervals, as between two delay sketches

    void look_closer(std::size_t first, Time now, const tracking::PathTable& table, const Outbox& out);
    void begin_closing(wire::CloseReason reason, Time now);
    void acknowledge(std::uint32_t number, std::int64_t sent_ns, Time now, Outbox& out);
    void service_active(Time now, Outbox& out);
    void service_keep_alive(Time now, Outbox& out);
    /// Applies an event and notes the change; returns what to do.
    Action apply(Event event, std::string_view reason, Outbox& out);
    void send_request(Time now, Outbox& out);
    void service_markers(Time now, const tracking::PathTable& table, Outbox& out);
    void service_close(Time now, Outbox& out);
    /// Counts a transmission of the session's own request or close; false when they ran out.
    bool transmit_again(Time now, Outbox& out);

    Time timing_at_ = Time::earliest();
    Time sampling_until_ = Time::never();
    Time retransmit_at_ = Time::never();
    Time keep_alive_at_ = Time::never();
    Time ends_at_ = Time::never();
    Time active_since_ = Time::earliest();
    // What a data packet asks for is in one line, as with many peers each line is waited for: the end of the
    // markers, the beginning of the sampler, and what is between.
    PathMarkers markers_;
    State state_ = State::Idle;
    bool has_options_;  ///< its packets can be tagged
    TagBudget budget_;
    tracking::Sampler sampler_;

    RequesterParameters parameters_;
    Event last_event_ = Event::OpenAsked;
    BootId peer_boot_;
    std::uint64_t acceptor_nonce_ = 0;
    int challenges_ = 0;
    Channel channel_;
    ReportReceiver reports_;
    wire::CloseReason close_reason_ = wire::CloseReason::Asked;
    int attempts_ = 0;  ///< transmissions of the request, or of the close
};

}  // namespace dyetrace::session
