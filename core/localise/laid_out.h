// SPDX-License-Identifier: GPL-2.0-or-later
// Evidence as inference takes it: what each unit of links carried, which paths lost packets, and for packets
// whose path is not known, the set of paths that they may have taken.
//
// Whoever keeps observations (ObservationTable, a rolling window) fills this in; `verdict_of` in localiser.h
// judges it. A packet's way is in two parts: units that it crossed for certain, and at most one set, of whose
// choices it took one. The two paths between racks of a leaf-spine fabric are a set; the link from the host
// to its rack is certain.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/localise/fabric_graph.h"

namespace dyetrace::localise {

using UnitIndex = std::uint32_t;
using SetIndex = std::uint32_t;
inline constexpr std::int32_t kNoEpoch = -1;
inline constexpr SetIndex kNoSet = std::numeric_limits<SetIndex>::max();
inline constexpr std::uint32_t kNoReporter = std::numeric_limits<std::uint32_t>::max();

/// Hosts share so many sums a unit of what they sent: enough to tell one host's word from that of the others.
inline constexpr std::size_t kReporterBuckets = 8;
using PerBucket = std::array<double, kReporterBuckets>;

/// Neighbours in id go to different buckets.
[[nodiscard]] constexpr std::size_t reporter_bucket(NodeId host) {
    return (std::uint64_t{host.value} * 0x9e3779b97f4a7c15ULL >> 32) % kReporterBuckets;
}

/// One way that packets may have taken, beside what they crossed for certain.
struct PathChoice {
    std::uint32_t first_unit = 0;  ///< into `Evidence::choice_units`
    std::uint32_t unit_count = 0;  ///< each unit once
    double weight = 0;             ///< chance of it before looking; sums to 1 over a set
};

/// Ways of which packets took one.
struct PathSet {
    std::uint32_t first_choice = 0;  ///< into `Evidence::choices`
    std::uint32_t choice_count = 0;
};

/// Packets that arrived, all of them, by one choice of a set: so many flows of so many packets.
struct LosslessOverSet {
    SetIndex set = 0;
    std::int32_t epoch = kNoEpoch;
    double sent = 0;   ///< packets of each flow; of one flow all took the same choice
    double flows = 1;  ///< how many such flows
};

/// A path that lost packets, over one epoch or (`kNoEpoch`) over an unknown time.
struct LossyPath {
    std::uint32_t first_unit = 0;  ///< into `Evidence::path_units`: crossed for certain
    std::uint32_t unit_count = 0;
    std::int32_t epoch = kNoEpoch;
    double lost = 0;
    double sent = 0;         ///< packets of which `lost` were lost; needed where there is a set
    double others_rate = 0;  ///< what links on it lose together that are no units: cleared beforehand
    SetIndex set = kNoSet;   ///< one choice of it was taken besides; `sent` then is of one flow
    std::uint32_t source = kNoReporter;  ///< NodeId of the host that sent (its word counts), if known ..
    std::uint32_t target = kNoReporter;  ///< .. and of the one that received
};

/// What one unit carried in one epoch for certain.
struct EpochLoad {
    std::int32_t epoch = 0;
    double sent = 0;
    double burst_factor = 1;
};

/// What a switch itself counted of a link. It may lie, and it may not see what it drops.
struct CounterReading {
    double sent = 0;
    double lost = 0;
};

struct UnitEvidence {
    double sent_any_time = 0;       ///< packets of observations without a window that crossed it for certain
    std::vector<EpochLoad> epochs;  ///< with traffic, by time
    double prior_log_odds = 0;      ///< added to the prior's; `verdict_of` adds what the graph says
    double conclusion = 0;          ///< log Bayes factor that others concluded, bounded and weighed
    double conclusion_rate = 0;     ///< at which they say that it loses packets; 0: not known
    bool windowed_conclusion = false;  ///< and the losses that they concluded it from had a time
    std::vector<CounterReading> counters;
    PerBucket sent_by_source{};  ///< packets that crossed it for certain, by bucket of the sending host ..
    PerBucket sent_by_target{};  ///< .. and of the receiving one; all 0: no word is doubted
};

/// A host or switch, and the units that its links are.
struct DeviceEvidence {
    std::uint32_t device = 0;           ///< the caller's name for it
    std::vector<UnitIndex> units;       ///< of all its links, by index, each once
    std::vector<UnitIndex> entered_by;  ///< of those that together carry each packet that it handles once
    double conclusion = 0;              ///< log odds that others concluded, bounded and weighed
};

struct Evidence {
    std::vector<UnitEvidence> units;
    std::vector<DeviceEvidence> devices;  ///< `verdict_of` fills it in
    std::vector<LossyPath> lossy;
    std::vector<UnitIndex> path_units;
    std::int32_t last_onset = 0;  ///< latest epoch in which a fault may begin
    // Of packets whose path is not known. Empty where all are.
    std::vector<PathSet> sets;
    std::vector<PathChoice> choices;
    std::vector<UnitIndex> choice_units;
    std::vector<LosslessOverSet> lossless;
};

/// Evidence by unit, and which links each unit is.
struct LaidOut {
    Evidence evidence;
    std::vector<std::vector<LinkId>> unit_links;  ///< links that no observation tells apart, by id
    /// What others concluded of devices, by node; node 0 and up, may be shorter than the graph.
    std::vector<double> device_conclusions;
};

}  // namespace dyetrace::localise
