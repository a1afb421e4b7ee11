// SPDX-License-Identifier: GPL-2.0-or-later
// What the acceptor measured of one path of a session, the report message that carries such records to the
// requester, and its acknowledgement. Records hold totals since the session began, so a report that is lost
// or repeated loses nothing.
//
// Report body: a header, then the records:
//
//   record count (16) | flags (16) | sent at, ns, acceptor's clock (64) |
//   newest tracked packet: transmit timestamp (64), raw delay, ns (64) |
//   the one of smallest raw delay since the report before: transmit timestamp (64), raw delay, ns (64)
//
//   path index (16) | generation (8) | flags (8) | intervals begun (16) | TTL changes (16) |
//   data packets sent (64) | data packets received (64) |
//   tracked sent (32) | tracked received (32) | duplicates (32) | late (32) |
//   delay minimum, ns (64) | delay maximum, ns (64) | delay sum, ns (64) |
//   delay samples (32) | CE marks (32) | ECN-invalid (32) | corrupted (32) |
//   largest reordering extent (32) | jitter, ns (32) | sum of |IPDV|, ns (64) |
//   measured at, ns, acceptor's clock (64)
//
// Acknowledgement body:
//
//   number of the message acknowledged (32) | reserved (32) | sent at, ns, requester's clock (64) |
//   when that report was sent, by its own header (64; zero: it rode in an option) | its raw delay, ns (64)
//
// Delay sketch body:
//
//   flags (32) | sent at, ns, acceptor's clock (64) | the sketch, as its own codec writes it
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

/// Metrics of one (session, path): totals over all measured intervals, the open one up to its last snapshot.
/// Formulas, denominators and RFCs are in docs/metrics.md.
struct PathRecord {
    static constexpr std::size_t kSize = 104;
    static constexpr std::uint8_t kFlagOpen = 0x01;    ///< an interval is open: its tail is unsettled
    static constexpr std::uint8_t kFlagExcess = 0x02;  ///< more was received than sent at some snapshot

    PathIndex path;
    PathGeneration generation;
    std::uint8_t flags = 0;
    std::uint16_t intervals = 0;
    std::uint16_t ttl_changes = 0;       ///< tracked packets whose TTL differs from the one before; saturates
    std::uint64_t sent = 0;              ///< data packets, tracked or not, inside the measured intervals
    std::uint64_t received = 0;          ///< of those, received; net loss is sent - received
    std::uint32_t tracked_sent = 0;      ///< by sequence number
    std::uint32_t tracked_received = 0;  ///< distinct tracked packets
    std::uint32_t duplicates = 0;        ///< repeats of a tracked packet
    std::uint32_t late = 0;              ///< tracked packets that arrived behind a later one (RFC 4737 §3.3)
    std::int64_t delay_ns_min = 0;  ///< raw one-way delay: receive time less transmit timestamp, each local
    std::int64_t delay_ns_max = 0;
    std::int64_t delay_ns_sum = 0;
    std::uint32_t delay_count = 0;  ///< samples in the three above; zero: not measured
    std::uint32_t ce = 0;           ///< tracked packets that the fabric marked CE
    std::uint32_t ecn_invalid = 0;  ///< tracked packets dropped at decapsulation (RFC 6040 §4.2)
    std::uint32_t corrupted = 0;    ///< tracked packets whose own check failed; delivered all the same
    std::uint32_t reordering_extent_max = 0;  ///< tracked packets (RFC 4737 §4.2.3)
    std::uint32_t jitter_ns = 0;              ///< RFC 3550 §6.4.1; saturates
    std::int64_t ipdv_ns_sum = 0;             ///< sum of |IPDV| of consecutive tracked packets (RFC 3393)
    std::int64_t measured_ns = 0;             ///< acceptor's clock at the last change

    bool operator==(const PathRecord&) const = default;

    /// Precondition: in.has(kSize). Nothing is refused here: what a peer says is judged by who uses it.
    static PathRecord parse(ByteReader& in);
    void encode_into(ByteWriter& out) const;
};

/// One tracked packet as a pair of clocks saw it.
struct DelaySample {
    std::int64_t transmit_ns = 0;  ///< requester's clock
    std::int64_t delay_ns = 0;     ///< raw: acceptor's clock on arrival, less that

    bool operator==(const DelaySample&) const = default;
};

/// What a report says beside its records.
struct ReportHeader {
    static constexpr std::size_t kSize = 44;
    static constexpr std::uint16_t kFlagDelays = 0x0001;  ///< `newest` and `best` are there

    std::uint16_t flags = 0;
    std::int64_t sent_ns = 0;  ///< acceptor's clock
    DelaySample newest;        ///< of the tracked packets since the session began
    DelaySample best;          ///< smallest raw delay since the report before

    bool operator==(const ReportHeader&) const = default;
};

struct ReportBody {
    /// Appends the records to `records`.
    static Result<ReportHeader, DropReason> parse(Bytes body, std::vector<PathRecord>& records);
    [[nodiscard]] static constexpr std::size_t encoded_size(std::size_t record_count) {
        return ReportHeader::kSize + record_count * PathRecord::kSize;
    }
    static void encode_into(MutableBytes out, const ReportHeader& header,
                            std::span<const PathRecord> records);
};

/// The requester has taken a report over. Its times let the acceptor estimate the clocks' difference.
struct ReportAckBody {
    static constexpr std::size_t kSize = 32;

    std::uint32_t acknowledged = 0;    ///< message number of the report
    std::int64_t sent_ns = 0;          ///< of this acknowledgement, requester's clock
    std::int64_t report_sent_ns = 0;   ///< the report's own; zero: it rode in an option
    std::int64_t report_delay_ns = 0;  ///< raw: requester's clock as it arrived, less that

    bool operator==(const ReportAckBody&) const = default;
    static Result<ReportAckBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

/// The distribution of a session's delays, totals like a record's. Not acknowledged: the next one says it
/// all.
struct DelaySketchBody {
    static constexpr std::size_t kHeaderSize = 12;
    static constexpr std::size_t kMaxSketchBytes = 1024;         ///< any sketch can be written that short
    static constexpr std::uint32_t kFlagCorrected = 0x00000001;  ///< else of raw delays

    bool corrected = false;
    std::int64_t sent_ns = 0;  ///< acceptor's clock
    Bytes sketch;              ///< in the message; its codec is core/base/quantile_sketch's

    static Result<DelaySketchBody, DropReason> parse(Bytes body);
    [[nodiscard]] std::size_t encoded_size() const { return kHeaderSize + sketch.size(); }
    void encode_into(MutableBytes out) const;
};

}  // namespace dyetrace::wire
