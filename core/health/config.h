// SPDX-License-Identifier: GPL-2.0-or-later
// Everything the health service is told before it starts, besides the fabric's graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/auth/key_ring.h"
#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/health/coverage.h"
#include "core/health/detector.h"
#include "core/health/flow_trace.h"
#include "core/health/policies.h"
#include "core/health/session_table.h"
#include "core/localise/localiser.h"
#include "core/localise/rolling_evidence.h"
#include "core/wire/sampling_spec.h"

namespace dyetrace::health {

/// How much is held at a time. Where there is no room for another EPPC, or another session's timing, one of
/// which nothing was heard for `forget_after` gives way.
struct NhmsBounds {
    std::size_t eppcs = 65536;      ///< that may send updates, about 128 bytes each
    std::size_t pairs = 1'000'000;  ///< tracked by a detector, about 96 bytes each
    std::size_t sessions = 65536;   ///< whose timing is kept, 250 bytes each and up to 1 KB of sketch
    std::size_t incidents = 64;     ///< open at a time
    std::size_t pairs_expired_at_a_time = 65536;  ///< looked at for silence in one evaluation
    Duration forget_after = Duration::seconds(600);
    std::size_t outputs = 1 << 20;            ///< waiting to be polled
    std::size_t directives = 1024;            ///< without an answer
    std::size_t directives_per_incident = 8;  ///< that ask for evidence; those of a repath have limits of
                                              ///< their own (RemedyPolicies)
};

struct NhmsConfig {
    static constexpr std::uint16_t kPortDefault = 46081;

    Endpoint endpoint;  ///< where updates arrive
    std::optional<auth::SharedKey> key;
    KeyId key_id{1};
    std::vector<auth::NamedKey> other_keys;  ///< taken beside it, while keys change
    bool insecure = false;

    DetectorConfig detector;
    localise::LocaliserConfig localiser;
    SessionTableConfig table;
    localise::RollingConfig evidence;

    Duration evaluate_interval = Duration::milliseconds(100);
    /// Evidence older than this takes no part in opening an incident.
    Duration memory = Duration::seconds(10);
    /// What a directive asks for, and for how long. By chance: every Nth packet of flows that are in step
    /// with each other is always of the same flow, and so of the same path.
    wire::SamplingSpec raised_sampling = wire::SamplingSpec::probability(0.1);
    Duration investigation = Duration::milliseconds(500);
    /// Fresh evidence is looked at once it spans this much.
    Duration fresh_least = Duration::milliseconds(100);
    /// Fresh packets across the suspect without which its health is not judged: ten times what 95% confidence
    /// in at least one loss needs at the impaired rate (3 / p) would be 30,000; a tenth of that still sees a
    /// 1% loss thirty times.
    std::uint64_t fresh_packets_least = 3'000;
    Duration directive_retry = Duration::milliseconds(50);
    int directive_attempts = 10;
    /// Where fewer pairs send across a suspect, others that may cross it are asked for.
    std::size_t pairs_wanted = 2;
    /// How long such extra pairs are measured.
    Duration extra_pair = Duration::seconds(10);

    RemedyPolicies remedies;

    /// How often `Concluded` tells another service what the evidence of so long says; zero: never.
    Duration conclude_interval;

    CoverPolicy cover;

    FlowTracePolicy flow_traces;

    NhmsBounds bounds;
};

}  // namespace dyetrace::health
