// SPDX-License-Identifier: GPL-2.0-or-later
// The acceptor's end of a session: measures tracked packets and reports to the requester.
//
// Messages come in authenticated and through `channel()`, each once. When it is closed it lingers, without
// its measurements, to answer the requester whose close was not acknowledged.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/auth/keys.h"
#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/session/channel.h"
#include "core/session/machine.h"
#include "core/session/outbox.h"
#include "core/session/report_sender.h"
#include "core/session/sketch_sender.h"
#include "core/tracking/received_path.h"
#include "core/tracking/sketch_table.h"
#include "core/wire/report_option.h"
#include "core/wire/session_messages.h"
#include "core/wire/track_option.h"

namespace dyetrace::session {

struct AcceptorParameters {
    SessionId id;
    BootId peer_boot;
    KeyId key_id;
    auth::SessionKeys keys;
    wire::RequestBody request;     ///< with the nonce that this acceptor gave
    Duration report_interval;      ///< granted
    Duration keep_alive_interval;  ///< granted; the peer is lost after three without a word
    std::uint32_t metrics = 0;     ///< granted
    Duration waiting_time;         ///< what comes later behind an END is lost (RFC 7680 §2.2, Tmax)
    RetransmitPolicy retransmit;
    Duration ride_wait;                   ///< of a report for data packets to ride in; zero: it never rides
    std::size_t records_per_report = 16;  ///< that fit one packet
    tracking::SketchTable::Id sketch = tracking::SketchTable::kNone;  ///< of its delays, its owner's
};

class AcceptorSession {
  public:
    AcceptorSession(const AcceptorParameters& parameters, Time now);

    /// The request, first or repeated: answers with the accept. Proves nothing, so it counts as no sign of
    /// life.
    void on_request(Outbox& out);
    /// Asks the requester to end the session; the last metrics follow as at any close.
    void close(wire::CloseReason reason, Time now, Outbox& out);
    /// A marker that arrived from port offset `port`; `count_received` is the pair's count of that port as it
    /// did. Returns false where its path is out of range, or its generation is bound to another port. All
    /// others are acknowledged, except a START that would begin more generations than there is room for
    /// records of those before.
    bool on_marker(const wire::MarkerBody& marker, std::uint16_t port, std::uint64_t count_received, Time now,
                   Outbox& out);
    /// Whether a START has bound this path generation to the port.
    [[nodiscard]] bool is_bound(PathIndex path, PathGeneration generation, std::size_t port) const {
        return path.value < bindings_.size() && port != kUnbound && bindings_[path.value].port == port &&
               bindings_[path.value].generation == generation;
    }
    /// Of a report, or of a delay sketch.
    void on_report_ack(const wire::ReportAckBody& ack, Time now, Outbox& out);
    void on_close(Time now, Outbox& out);
    /// Returns false where no close of ours was said.
    bool on_close_ack(Outbox& out);
    void on_keep_alive(Outbox& out);
    void on_peer_restarted(Outbox& out);

    /// A tracked packet whose tag was checked. Precondition: path index below the count that was announced.
    struct Tracked {
        tracking::Arrival arrival;
        bool may_be_due_sooner = false;  ///< `next_deadline` may have come forward; else it has not
    };
    Tracked on_tracked(PathIndex path, const tracking::TrackedPacket& packet);

    /// From when on a record may ride in a data packet to the requester.
    [[nodiscard]] Time rides_from() const {
        return state_ == State::Active || state_ == State::Closing ? reports_.rides_from() : Time::never();
    }
    /// A record to ride at once in a data packet, without its tag; none where none may.
    std::optional<wire::ReportOption> take_ride(Time now);

    /// An envelope with the next number, for its owner to fill and send at once.
    [[nodiscard]] OutgoingMessage message(wire::ControlType type);

    void service(Time now, Outbox& out);
    [[nodiscard]] Time next_deadline() const;

    [[nodiscard]] SessionId id() const { return parameters_.id; }
    [[nodiscard]] State state() const { return state_; }
    /// Whether nothing is left to do, not even to answer a repeated close.
    [[nodiscard]] bool is_over(Time now) const {
        return is_final(state_) && (state_ != State::Closed || now >= linger_until_);
    }
    /// Of one that lingers: it is forgotten then.
    [[nodiscard]] Time linger_until() const { return linger_until_; }
    [[nodiscard]] bool is_lingering() const { return state_ == State::Closed; }
    [[nodiscard]] BootId peer_boot() const { return parameters_.peer_boot; }
    [[nodiscard]] Channel& channel() { return channel_; }
    [[nodiscard]] const Channel& channel() const { return channel_; }
    [[nodiscard]] const auth::TrackKey& track_key() const { return channel_.keys().track; }
    [[nodiscard]] const auth::TrackKey& ride_key() const { return channel_.keys().ride; }
    [[nodiscard]] const wire::RequestBody& request() const { return parameters_.request; }
    [[nodiscard]] tracking::SketchTable::Id sketch() const { return parameters_.sketch; }
    /// Its owner has taken the sketch away.
    void forget_sketch() { parameters_.sketch = tracking::SketchTable::kNone; }
    [[nodiscard]] std::uint16_t path_count() const { return static_cast<std::uint16_t>(bindings_.size()); }
    [[nodiscard]] wire::PathRecord record(PathIndex path) const;
    void digest_into(StateDigest& digest) const;

    /// Beside its own size.
    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t path_count) {
        return heap::vector<tracking::ReceivedPath>(path_count) + heap::vector<Binding>(path_count) +
               ReportSender::memory_bound(path_count);
    }

  private:
    static constexpr std::uint16_t kUnbound = 0xffff;
    struct Binding {
        std::uint16_t port = kUnbound;  ///< offset of the source port that carries `generation`
        PathGeneration generation;
    };
    // The state of a (session, path) is held to 192 bytes.
    static_assert(sizeof(tracking::ReceivedPath) + sizeof(Binding) + ReportSender::kBytesPerPath <= 192);

    Action apply(Event event, std::string_view reason, Outbox& out);
    /// Begins to count anew; what the generation before came to is kept until the requester has it. Returns
    /// false where there is no room for that.
    bool begin_generation(PathIndex path, Time now);
    void send_reports(Time now, Outbox& out);
    void on_count(PathIndex path, const tracking::Mark& mark);
    /// A loss is told sooner: `lost` is what the path had lost before.
    [[nodiscard]] static ReportSender::Haste haste(const tracking::ReceivedPath& path, std::uint64_t lost) {
        const bool more = static_cast<std::int64_t>(path.net_loss() - lost) > 0;
        return more ? ReportSender::Haste::Soon : ReportSender::Haste::None;
    }
    void send_sketch(Time now, Outbox& out);
    /// The sketch is to go out at once, if the requester does not have it.
    void hurry_sketch(Time now, Outbox& out);
    void flush_if_done(Time now, Outbox& out);
    void send_close(Time now, Outbox& out);
    /// Ends the session where its time is up or the peer silent; returns whether it did.
    bool end_if_over(Time now, Outbox& out);
    [[nodiscard]] Time silent_at() const;

    AcceptorParameters parameters_;
    Channel channel_;
    State state_ = State::Idle;
    // By path index
    std::vector<tracking::ReceivedPath> measured_;
    std::vector<Binding> bindings_;
    ReportSender reports_;
    SketchSender sketch_sender_;
    Time sketch_until_ = Time::never();  ///< so long the requester's close waits for the last sketch
    Time ends_at_ = Time::never();
    bool requester_closed_ = false;
    wire::CloseReason close_reason_ = wire::CloseReason::Asked;
    int close_attempts_ = 0;
    Time close_again_at_ = Time::never();  ///< our own close, until it is acknowledged
    Time linger_until_ = Time::never();
};

inline AcceptorSession::Tracked AcceptorSession::on_tracked(PathIndex path,
                                                            const tracking::TrackedPacket& packet) {
    Tracked result;
    tracking::ReceivedPath& measured = measured_[path.value];
    const std::uint64_t lost = measured.net_loss();
    result.arrival = measured.track(packet, parameters_.waiting_time);
    if (result.arrival == tracking::Arrival::Outside) return result;
    result.may_be_due_sooner = reports_.note_change(path, packet.now, haste(measured, lost));
    // A repeat may be anybody's recording: it keeps no session alive, and times nothing.
    if (result.arrival == tracking::Arrival::Duplicate) return result;
    channel_.hear(packet.now);
    if ((parameters_.metrics & wire::kMetricDelay) != 0)
        reports_.note_delay({clocks_difference(packet.now, Time{packet.delay.ns}).ns, packet.delay.ns});
    if (parameters_.sketch != tracking::SketchTable::kNone && sketch_sender_.note_change(packet.now))
        result.may_be_due_sooner = true;
    return result;
}

}  // namespace dyetrace::session
