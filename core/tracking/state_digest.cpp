// SPDX-License-Identifier: GPL-2.0-or-later
// What decides the future of counters and samplers (core/base/digest.h).
#include <array>

#include "core/base/digest.h"
#include "core/tracking/path_table.h"
#include "core/tracking/peer_clock.h"
#include "core/tracking/received_path.h"
#include "core/tracking/sampler.h"
#include "core/tracking/sent_path.h"
#include "core/tracking/sketch_table.h"

namespace dyetrace::tracking {

namespace {

void note(StateDigest& digest, const PathCount& count) {
    digest.add(count.packets);
    digest.add(count.port);
    digest.add(count.generation);
}

}  // namespace

void PathTable::digest_into(StateDigest& digest) const {
    digest.add(paths_.size());
    for (const PathCount& path : paths_)
        note(digest, path);
    digest.add(retired_.size());
    for (const RetiredPath& left : retired_) {
        digest.add(left.path);
        note(digest, left.count);
    }
    digest.add(spare_.size());
    for (const Spare& spare : spare_) {
        digest.add(spare.port);
        digest.add(spare.since);
    }
    digest.add(untouched_);
    digest.add(port_count_);
}

void ReceivedPath::digest_into(StateDigest& digest) const {
    digest.add(mark_sent_);
    digest.add(mark_received_);
    digest.add(sent_);
    digest.add(received_);
    digest.add(seen_);
    digest.add_once_set(ended_at_);
    digest.add_once_set(measured_);
    digest.add(delay_ns_min_);
    digest.add(delay_ns_max_);
    digest.add(delay_ns_sum_);
    digest.add(delay_ns_last_);
    digest.add(ipdv_ns_sum_);
    digest.add(jitter_sixteenths_);
    digest.add(balance_);
    digest.add(accept_from_);
    digest.add(start_sequence_);
    digest.add(next_sequence_);
    digest.add(last_sequence_);
    digest.add(tracked_sent_);
    digest.add(tracked_received_);
    digest.add(duplicates_);
    digest.add(late_);
    digest.add(ce_);
    digest.add(ecn_invalid_);
    digest.add(corrupted_);
    digest.add(extent_max_);
    digest.add(interval_);
    digest.add(ttl_changes_);
    digest.add(ttl_);
    digest.add(static_cast<bool>(sampled_));
    digest.add(static_cast<bool>(open_));
    digest.add(static_cast<bool>(excess_));
    digest.add(gap_count_);
    for (std::size_t i = 0; i < gap_count_; ++i) {
        digest.add(gaps_[i].sequence);
        digest.add(gaps_[i].arrival);
    }
}

void SentPath::digest_into(StateDigest& digest) const {
    digest.add(phase);
    digest.add(next_sequence);
    digest.add(interval);
    digest.add(attempts);
    digest.add(seen_sequence);
    digest.add(told_packets);
    digest.add(generation);
    digest.add(wanted);
    digest.add(close_looks);
}

/// What it has refused, and how large a step was, is only told.
void ClockModel::digest_into(StateDigest& digest) const {
    digest.add(steps_);
    digest.add(started_);
    if (!started_) return;
    digest.add(Time{head_start_ns_});
    digest.add(Time{newest_ns_});
    digest.add(Time{accept_from_ns_});
    digest.add(last_step_.has_value());
    for (std::size_t back = 0; back < slots_.size(); ++back) {
        const Slot& slot = slots_[(head_position_ + slots_.size() - back) % slots_.size()];
        for (const Point& point : slot.points) {
            if (!point.exists()) continue;
            digest.add(back);
            digest.add(static_cast<bool>(&point == &slot.points[kForward]));
            digest.add(Time{point.at_ns});
            digest.add(point.most_ns);
        }
    }
    // The tangents follow from the points.
    digest.add(slopes_.least);
    digest.add(slopes_.most);
}

void PeerClock::digest_into(StateDigest& digest) const {
    model_.digest_into(digest);
    digest.add(line_.has_value());
    if (line_) {
        digest.add(line_->offset);
        digest.add(line_->bound);
        digest.add(line_->drift_ppb);
        digest.add(line_->drift_bound_ppb);
        digest.add(drawn_at_);
    }
    digest.add(has_best_);
    if (has_best_) {
        digest.add(best_raw_);
        digest.add(best_at_);
    }
    digest.add(feed_at_);
}

void SketchTable::digest_into(StateDigest& digest) const {
    digest.add(entries_.size());
    for (const Entry& entry : entries_) {
        digest.add(entry.corrected);
        std::array<std::uint8_t, QuantileSketch::kRoomForAny> bytes{};
        digest.add(Bytes(bytes).first(entry.delays.encode_into(bytes).value_or(0)));
    }
    digest.add(free_.size());
}

void TagBucket::digest_into(StateDigest& digest) const {
    digest.add(rate_);
    digest.add(burst_);
    digest.add(credit_);
    digest.add(filled_at_);
}

void Sampler::digest_into(StateDigest& digest) const {
    digest.add(spec_.kind);
    digest.add(spec_.value);
    digest.add(spec_.parameter);
    digest.add(spec_.filtered);
    digest.add(until_next_);
    digest.add(random_.state());
    budget_.digest_into(digest);
}

}  // namespace dyetrace::tracking
