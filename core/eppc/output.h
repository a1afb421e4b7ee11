// SPDX-License-Identifier: GPL-2.0-or-later
// What the engine wants done or known. It never calls out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/session/state.h"
#include "core/tracking/clock_model.h"
#include "core/wire/report.h"
#include "core/wire/sampling_spec.h"
#include "core/wire/update.h"

namespace dyetrace::eppc {

/// An Ethernet frame to put on the underlay. `bytes` is valid until the next call of any other verb.
struct Transmit {
    Bytes bytes;
};

/// A session changed its state.
struct SessionChanged {
    session::Role role;
    IpAddress peer;
    SessionId session;
    session::State from;
    session::State to;
    std::string_view reason;  ///< static text: the event, or the peer's reason
    Time at;
};

/// A report of the acceptor arrived: one path's metrics, as they now stand.
struct MetricsReported {
    IpAddress peer;
    SessionId session;
    wire::PathRecord record;
    Time at;
};

/// What the requester of a session knows of time between it and its peer, each tenth report interval and when
/// a clock was seen to step: their clocks' difference, the round trip, and the session's delay sketch.
struct TimingReported {
    wire::TimingEntry timing;
    Time at;
};

using Output = std::variant<Transmit, SessionChanged, MetricsReported, TimingReported>;

/// The peer's clock less ours when ours showed `at`.
struct ClockView {
    tracking::ClockEstimate estimate;
    Time at;
};

/// One session as an operator sees it.
struct SessionView {
    session::Role role = session::Role::Requester;
    IpAddress peer;
    SessionId session;
    session::State state = session::State::Idle;
    wire::SamplingSpec sampling;
    std::uint64_t offered = 0;            ///< requester: data packets that sampling looked at
    std::uint64_t tagged = 0;             ///< requester: of those, tagged
    std::vector<wire::PathRecord> paths;  ///< latest metrics, by path index
    std::optional<ClockView> clock;       ///< of the peer's clock; none: not known
    std::uint32_t clock_steps = 0;        ///< of either clock, noticed
    /// The delay sketch, encoded: the acceptor's own, or the requester's as it was told. Empty: none.
    std::vector<std::uint8_t> delays;
    bool delays_corrected = false;
};

}  // namespace dyetrace::eppc
