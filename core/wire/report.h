// SPDX-License-Identifier: GPL-2.0-or-later
// What the acceptor measured of one path of a session, and the report message that carries such records to
// the requester. Records hold totals since the session began, so a report that is lost or repeated loses
// nothing.
//
// Report body: record count (16) | reserved (16), then the records:
//
//   path index (16) | generation (8) | flags (8) | intervals begun (16) | reserved (16) |
//   data packets sent (64) | data packets received (64) |
//   tracked sent (32) | tracked received (32) | duplicates (32) | late (32) |
//   delay minimum, ns (64) | delay maximum, ns (64) | delay sum, ns (64) |
//   delay samples (32) | reserved (32) | measured at, ns, acceptor's clock (64)
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
struct PathRecord {
    static constexpr std::size_t kSize = 80;
    static constexpr std::uint8_t kFlagOpen = 0x01;    ///< an interval is open: its tail is unsettled
    static constexpr std::uint8_t kFlagExcess = 0x02;  ///< more was received than sent at some snapshot

    PathIndex path;
    PathGeneration generation;
    std::uint8_t flags = 0;
    std::uint16_t intervals = 0;
    std::uint64_t sent = 0;              ///< data packets, tracked or not, inside the measured intervals
    std::uint64_t received = 0;          ///< of those, received; net loss is sent - received
    std::uint32_t tracked_sent = 0;      ///< by sequence number
    std::uint32_t tracked_received = 0;  ///< distinct tracked packets
    std::uint32_t duplicates = 0;        ///< repeats of a tracked packet
    std::uint32_t late = 0;              ///< tracked packets that arrived behind a later one
    std::int64_t delay_ns_min = 0;  ///< raw one-way delay: receive time less transmit timestamp, each local
    std::int64_t delay_ns_max = 0;
    std::int64_t delay_ns_sum = 0;
    std::uint32_t delay_count = 0;  ///< samples in the three above; zero: not measured
    std::int64_t measured_ns = 0;   ///< acceptor's clock at the last change

    bool operator==(const PathRecord&) const = default;

    /// Precondition: in.has(kSize). Nothing is refused here: what a peer says is judged by who uses it.
    static PathRecord parse(ByteReader& in);
    void encode_into(ByteWriter& out) const;
};

struct ReportBody {
    static constexpr std::size_t kHeaderSize = 4;

    /// Appends the records to `records`.
    static Result<Done, DropReason> parse(Bytes body, std::vector<PathRecord>& records);
    [[nodiscard]] static constexpr std::size_t encoded_size(std::size_t record_count) {
        return kHeaderSize + record_count * PathRecord::kSize;
    }
    static void encode_into(MutableBytes out, std::span<const PathRecord> records);
};

}  // namespace dyetrace::wire
