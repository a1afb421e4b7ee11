// SPDX-License-Identifier: GPL-2.0-or-later
// The acceptor's end of a session: measures tracked packets and reports to the requester.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/auth/keys.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/session/machine.h"
#include "core/session/outbox.h"
#include "core/tracking/received_path.h"
#include "core/wire/session_messages.h"
#include "core/wire/track_option.h"

namespace dyetrace::session {

struct AcceptorParameters {
    SessionId id;
    BootId peer_boot;
    std::uint64_t nonce = 0;  ///< the acceptor's own
    auth::TrackKey track_key{};
    wire::RequestBody request;
    Duration report_interval;      ///< granted
    Duration keep_alive_interval;  ///< the peer is lost after three without a word
    RetransmitPolicy retransmit;
    std::size_t records_per_report = 16;  ///< that fit one packet
};

class AcceptorSession {
  public:
    AcceptorSession(const AcceptorParameters& parameters, Time now);

    /// The request, first or repeated: answers with the accept.
    void on_request(Time now, Outbox& out);
    /// A marker; `count_received` is the pair's count of this path as the marker arrived. Always
    /// acknowledged. Returns false where its path is out of range.
    bool on_marker(const wire::MarkerBody& marker, std::uint64_t count_received, Time now, Outbox& out);
    void on_report_ack(const wire::ReportAckBody& ack, Time now, Outbox& out);
    void on_close(Time now, Outbox& out);
    void on_keep_alive(Time now, Outbox& out);

    /// A tracked packet whose tag was checked. Precondition: path index below the count that was announced.
    tracking::Arrival on_tracked(PathIndex path, const tracking::TrackedPacket& packet);

    void service(Time now, Outbox& out);
    [[nodiscard]] Time next_deadline() const;

    [[nodiscard]] SessionId id() const { return parameters_.id; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] BootId peer_boot() const { return parameters_.peer_boot; }
    [[nodiscard]] const auth::TrackKey& track_key() const { return parameters_.track_key; }
    [[nodiscard]] const wire::RequestBody& request() const { return parameters_.request; }
    [[nodiscard]] std::uint16_t path_count() const { return static_cast<std::uint16_t>(paths_.size()); }
    [[nodiscard]] wire::PathRecord record(PathIndex path) const;

  private:
    struct Path {
        tracking::ReceivedPath measured;
        PathGeneration generation;
        bool changed = false;  ///< since it was last put into a report
    };

    [[nodiscard]] OutgoingMessage message(wire::ControlType type) const;
    Action apply(Event event, std::string_view reason, Outbox& out);
    void mark_changed(PathIndex path, Time now, bool urgent);
    void send_report(Time now, Outbox& out);
    void flush_if_done(Outbox& out);

    AcceptorParameters parameters_;
    State state_ = State::Idle;
    std::vector<Path> paths_;
    std::size_t changed_count_ = 0;
    Time report_at_ = Time::never();  ///< when the changed paths are to be reported
    Time last_report_{};              ///< reports of an open interval keep the granted distance
    std::uint32_t report_number_ = 0;
    std::vector<wire::PathRecord>
        unacknowledged_;  ///< the report in flight, sent again until it is acknowledged
    int attempts_ = 0;
    Time retransmit_at_ = Time::never();
    Time last_heard_{};
    Time ends_at_ = Time::never();
};

}  // namespace dyetrace::session
