// SPDX-License-Identifier: GPL-2.0-or-later
// Health updates from an EPPC to the NHMS. Bodies behind a `ControlHeader`, in UDP datagrams. What goes the
// other way is in directive.h.
//
// Update body: entry count (16) | reserved (16), then the entries. Each entry: kind (8) | reserved (8) |
// length of what follows (16) | data. An entry of an unknown kind is skipped by its length.
//
//   kind 1, metrics:  peer (128) | session id (32) | the record as in a report
//   kind 2, path:     peer (128) | session id (32) | path index (16) | generation (8) | flags (8) |
//                     source port (16) | hop count (16) | traced at, ns (64) | routers' addresses (128 each)
//   kind 3, session:  peer (128) | session id (32) | state (8) | reason (8) | reserved (16) | sampling (64) |
//                     offered (64) | tagged (64) | changed at, ns (64)
//   kind 4, timing:   peer (128) | session id (32) | flags (32) | clock offset, ns (64) | its bound, ns (64)
//   |
//                     drift, ppb (32) | clock steps (32) | least round trip, ns (64) |
//                     latest round trip, ns (64) | measured at, ns (64) | sketch length (16) |
//                     reserved (16) | sketch
//   kind 5, traffic:  peer (128) | data packets (64)
//   kind 16, a packet of a followed flow: flow_trace.h
//
// The header's message number is the update's sequence number, its session id a challenge drawn anew for each
// transmission. What answers it, UpdateAck or NhmsHello, has an empty body and repeats both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/wire/drop_reason.h"
#include "core/wire/flow_trace.h"
#include "core/wire/report.h"
#include "core/wire/sampling_spec.h"

namespace dyetrace::wire {

/// A record that the sender of the update had from the acceptor of its session with `peer`.
struct MetricsEntry {
    IpAddress peer;
    SessionId session;
    PathRecord record;

    bool operator==(const MetricsEntry&) const = default;
};

/// The routers of one path, in order from the sender of the update to `peer`.
struct PathEntry {
    static constexpr std::size_t kMaxHops = 24;  ///< one entry fits the smallest MTU
    static constexpr std::uint8_t kFlagComplete =
        0x01;  ///< every router answered; else a silent one is 0.0.0.0

    IpAddress peer;
    SessionId session;
    PathIndex path;
    PathGeneration generation;
    bool complete = false;
    std::uint16_t source_port = 0;
    std::int64_t traced_ns = 0;
    std::uint16_t hop_count = 0;
    std::array<IpAddress, kMaxHops> hops{};

    bool operator==(const PathEntry&) const = default;
};

/// A session's state as its requester sees it. The values are the protocol's; core/session gives them their
/// meaning.
struct SessionEntry {
    IpAddress peer;
    SessionId session;
    std::uint8_t state = 0;
    std::uint8_t reason = 0;
    SamplingSpec sampling;
    std::uint64_t offered = 0;  ///< data packets that sampling looked at so far
    std::uint64_t tagged = 0;   ///< of those; tagged / offered is the rate attained
    std::int64_t changed_ns = 0;

    bool operator==(const SessionEntry&) const = default;
};

/// What the sender of the update knows of time between itself and `peer`, totals since the session began.
struct TimingEntry {
    static constexpr std::size_t kFixedSize = IpAddress::kSize + 60;  ///< without the sketch
    static constexpr std::size_t kMaxSketchBytes = 1024;  ///< any sketch can be written that short
    static constexpr std::uint32_t kFlagClockKnown = 0x01;
    static constexpr std::uint32_t kFlagRoundTripKnown = 0x02;
    static constexpr std::uint32_t kFlagSketchCorrected = 0x04;

    IpAddress peer;
    SessionId session;
    bool clock_known = false;  ///< else offset, bound and drift say nothing
    bool round_trip_known = false;
    bool sketch_corrected = false;  ///< the sketch is of corrected delays; else of raw ones
    Duration clock_offset;          ///< the peer's clock less the sender's, at `measured_ns`
    Duration clock_bound;           ///< the true offset is this near, at most
    std::int32_t drift_ppb = 0;     ///< of the offset
    std::uint32_t clock_steps = 0;  ///< sudden changes of the offset that were noticed
    Duration round_trip_min;        ///< the peer's dwell time taken out
    Duration round_trip_last;
    std::int64_t measured_ns = 0;      ///< sender's clock
    std::vector<std::uint8_t> sketch;  ///< of one-way delays, as its own codec writes it; empty: none

    bool operator==(const TimingEntry&) const = default;
};

/// What the sender sends to a peer that it does not measure, though it would if it might measure more.
struct TrafficEntry {
    IpAddress peer;
    std::uint64_t packets = 0;  ///< since it chose among such peers before

    bool operator==(const TrafficEntry&) const = default;
};

using UpdateEntry =
    std::variant<MetricsEntry, PathEntry, SessionEntry, TimingEntry, TrafficEntry, FlowStageEntry>;

/// Bytes of one entry with its header.
std::size_t encoded_size(const UpdateEntry& entry);

struct UpdateBody {
    static constexpr std::size_t kHeaderSize = 4;

    /// Appends the entries to `entries`. One bad entry refuses the whole update, before any is appended.
    static Result<Done, DropReason> parse(Bytes body, std::vector<UpdateEntry>& entries);
    [[nodiscard]] static std::size_t encoded_size(std::span<const UpdateEntry> entries);
    static void encode_into(MutableBytes out, std::span<const UpdateEntry> entries);
};

}  // namespace dyetrace::wire
