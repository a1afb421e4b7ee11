// SPDX-License-Identifier: GPL-2.0-or-later
// What the requester of a session has of its acceptor's reports: the newest record of each path, the round
// trip, and the delay sketch.
//
// Reports may overtake each other, and one that is sent again carries newer totals of the same paths. So of
// each path the number of the message that told it last is kept, and what is older than that is not taken.
// The acceptor tells of a generation only when what it said of those before was acknowledged, or in the same
// report; so a record of a generation that was left can only be a repeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/session/outbox.h"
#include "core/wire/report.h"

namespace dyetrace::session {

/// From requester to acceptor and back, the time that the acceptor kept the news to itself taken out.
struct RoundTrip {
    Duration least;
    Duration last;

    bool operator==(const RoundTrip&) const = default;
};

class ReportReceiver {
  public:
    ReportReceiver(SessionId session, std::size_t path_count)
        : session_(session), records_(path_count), numbers_(path_count), trouble_untold_(path_count) {}

    /// A report that came in message `number`: what is new of it goes to `out.records`.
    void on_report(std::uint32_t number, const wire::ReportHeader& header,
                   std::span<const wire::PathRecord> records, Time now, Outbox& out);
    /// A delay sketch, checked by its own codec. Returns false where a later one is here already.
    bool on_sketch(std::uint32_t number, bool corrected, Bytes encoded);

    /// What the newest record of `path` shows could not be told: the next one is to tell of it.
    void note_untold(PathIndex path) { trouble_untold_[path.value] = true; }

    /// Latest metrics by path index; `intervals` is 0 where nothing was reported yet.
    [[nodiscard]] std::span<const wire::PathRecord> records() const { return records_; }
    /// Nothing before a report has told of a tracked packet.
    [[nodiscard]] const std::optional<RoundTrip>& round_trip() const { return round_trip_; }
    /// As it was encoded; empty before one came.
    [[nodiscard]] Bytes sketch() const { return sketch_; }
    [[nodiscard]] bool sketch_is_corrected() const { return sketch_is_corrected_; }

    void digest_into(StateDigest& digest) const;

    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t path_count) {
        constexpr std::size_t kBitsInWord = 8 * sizeof(unsigned long);  // of a vector of bool
        const heap::Need sketch = heap::vector<std::uint8_t>(wire::DelaySketchBody::kMaxSketchBytes);
        return heap::vector<wire::PathRecord>(path_count) + heap::vector<std::uint32_t>(path_count) +
               heap::vector<unsigned long>((path_count + kBitsInWord - 1) / kBitsInWord) +
               heap::Need{sketch.kept, sketch.kept};
    }
    /// Of each path.
    static constexpr std::size_t kBytesPerPath = sizeof(wire::PathRecord) + sizeof(std::uint32_t) + 1;

  private:
    void take(std::uint32_t number, const wire::PathRecord& record, Outbox& out);
    void time_round_trip(const wire::ReportHeader& header, Time now);

    SessionId session_;
    std::vector<wire::PathRecord> records_;
    std::vector<std::uint32_t> numbers_;  ///< of the message that told it, by path
    std::vector<bool> trouble_untold_;
    wire::DelaySample newest_;  ///< that a round trip was made of
    std::optional<RoundTrip> round_trip_;
    std::uint32_t sketch_number_ = 0;
    bool sketch_is_corrected_ = false;
    std::vector<std::uint8_t> sketch_;
};

}  // namespace dyetrace::session
