// SPDX-License-Identifier: GPL-2.0-or-later
// The requester's end of a session: asks, marks intervals, tags, takes reports, closes.
//
// It sends and reads nothing itself: messages come in taken apart and authenticated, and go out through an
// `Outbox`. `service` does what is due by `now`; `next_deadline` says when it wants that.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/auth/keys.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/session/machine.h"
#include "core/session/outbox.h"
#include "core/session/path_markers.h"
#include "core/tracking/sampler.h"
#include "core/wire/session_messages.h"

namespace dyetrace::session {

struct RequesterParameters {
    SessionId id;
    std::uint64_t nonce = 0;
    std::uint64_t sampler_seed = 0;
    std::uint16_t source_port_base = 0;
    std::uint16_t path_count = 0;
    wire::SamplingSpec sampling;
    Duration report_interval;
    Duration path_idle;
    Duration duration;  ///< zero: until closed
    Duration keep_alive_interval;
    RetransmitPolicy retransmit;
};

class RequesterSession {
  public:
    explicit RequesterSession(const RequesterParameters& parameters);

    void open(Time now, Outbox& out);
    void close(Time now, Outbox& out);

    // Messages of the acceptor
    void on_accept(BootId peer_boot, const wire::AcceptBody& accept, const auth::TrackKey& key, Time now,
                   Outbox& out);
    void on_reject(const wire::RejectBody& reject, Time now, Outbox& out);
    /// Returns false where no such marker is in flight.
    bool on_marker_ack(const wire::MarkerAckBody& ack, Time now, Outbox& out);
    /// Takes the records over and acknowledges the report.
    void on_report(std::uint32_t number, const wire::ReportHeader& header,
                   std::span<const wire::PathRecord> records, Time now, Outbox& out);
    void on_close(Time now, Outbox& out);
    void on_close_ack(Time now, Outbox& out);
    void on_keep_alive(Time now) { last_heard_ = now; }

    // Data path
    /// Notes a data packet on `path` and returns whether to tag it.
    bool on_data(PathIndex path, Time now) {
        return state_ == State::Active && markers_.on_data(path, now) && sampler_.sample();
    }
    /// Whether a path waits for its START: `service` should come soon.
    [[nodiscard]] bool wants_start(PathIndex path) const {
        return state_ == State::Active && markers_.wants_start(path);
    }
    /// The sequence number of the packet being tagged.
    std::uint32_t take_sequence(PathIndex path) { return markers_.take_sequence(path); }

    /// `table` is the pair's.
    void service(Time now, const tracking::PathTable& table, Outbox& out);
    [[nodiscard]] Time next_deadline() const;

    /// Samples at another rate until `until`, then at the configured one again.
    void raise_sampling(wire::SamplingSpec sampling, Time until);

    [[nodiscard]] SessionId id() const { return parameters_.id; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] BootId peer_boot() const { return peer_boot_; }
    [[nodiscard]] std::uint64_t nonce() const { return parameters_.nonce; }
    [[nodiscard]] const auth::TrackKey& track_key() const { return track_key_; }
    [[nodiscard]] const tracking::Sampler& sampler() const { return sampler_; }
    [[nodiscard]] const PathMarkers& markers() const { return markers_; }
    /// Latest metrics by path index; `intervals` is 0 where nothing was reported yet.
    [[nodiscard]] std::span<const wire::PathRecord> records() const { return records_; }

  private:
    [[nodiscard]] OutgoingMessage message(wire::ControlType type) const;
    /// Applies an event and notes the change; returns what to do.
    Action apply(Event event, std::string_view reason, Outbox& out);
    void send_request(Time now, Outbox& out);
    void end_paths(Time now);
    void service_markers(Time now, const tracking::PathTable& table, Outbox& out);
    void service_close(Time now, Outbox& out);
    /// Counts a transmission of the session's own request or close; false when they ran out.
    bool transmit_again(Time now, Outbox& out);

    RequesterParameters parameters_;
    State state_ = State::Idle;
    BootId peer_boot_;
    auth::TrackKey track_key_{};
    tracking::Sampler sampler_;
    Time sampling_until_ = Time::never();
    PathMarkers markers_;
    std::vector<wire::PathRecord> records_;
    std::uint32_t report_number_ = 0;  ///< of the newest report taken over
    wire::CloseReason close_reason_ = wire::CloseReason::Asked;
    int attempts_ = 0;  ///< transmissions of the request, or of the close
    Time retransmit_at_ = Time::never();
    Time keep_alive_at_ = Time::never();
    Time ends_at_ = Time::never();
    Time last_heard_{};
};

}  // namespace dyetrace::session
