// SPDX-License-Identifier: GPL-2.0-or-later
// The trace operation: one guest flow followed from guest to guest, on request. Directives go to the EPPCs at
// its two ends; both tell of each packet when it was at which stage; here that is put together.
//
//   guest --source--> EPPC --fabric--> EPPC --destination--> guest
//   guest-out      eppc-out         eppc-in              guest-in
//
// Times of one host are subtracted as they are. Across the fabric the hosts' clocks come in: the delay is
// corrected by the offset that the EPPCs estimated, and its bound stands beside it; without an estimate it is
// not known, unless all clocks are one.
//
// Loss is told only between the first and the last packet that arrived: before that, the far end may not have
// begun to look, and behind it, it may have ended first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/health/trace_numbers.h"
#include "core/localise/fabric_graph.h"
#include "core/wire/directive.h"
#include "core/wire/flow_trace.h"

namespace dyetrace::health {

using FlowTraceId = StrongId<struct FlowTraceTag, std::uint32_t>;

/// What an operator lets be asked for. EPPCs have bounds of their own besides.
struct FlowTracePolicy {
    bool allowed = false;
    std::size_t traces = 64;  ///< kept; the oldest that is over makes room
    std::uint16_t packets_most = 1000;
    std::uint16_t capture_bytes_most = 0;  ///< of a packet; zero: nothing of what guests say
    Duration duration_most = Duration::seconds(60);
    std::size_t paths_most = 64;  ///< of one trace, whose hops are kept
    bool clocks_are_one = false;  ///< as in a simulation
    /// A trace that is over is told of once so much more has passed: what its end saw is on its way.
    Duration settle = Duration::milliseconds(500);
};

struct FlowTraceRequest {
    wire::TracedFlow flow;
    IpAddress source_host;  ///< its EPPC
    IpAddress destination_host;
    std::uint8_t stages = wire::FlowTraceSpec::kAllStages;
    std::uint16_t packets = 100;
    std::uint16_t captured_packets = 0;
    std::uint16_t capture_bytes = 0;
    Duration duration = Duration::seconds(1);
};

/// How long one stretch of the way took.
struct StageDelay {
    std::uint32_t packets = 0;  ///< seen at both ends of it; zero: not measured
    Duration min, p50, p99, max;
    Duration bound;  ///< of each, from the clocks; zero within one host
};

struct FlowTraceResult {
    struct Packet {
        std::uint32_t packet = 0;  ///< its hash
        std::uint16_t length = 0;
        PathIndex path = wire::FlowStageEntry::kNoPath;
        /// By stage, each on its own host's clock.
        std::array<std::optional<Time>, wire::kFlowStages> at;
        bool lost = false;
        std::vector<std::uint8_t> captured;  ///< from the first stage that told some
    };
    struct Link {
        localise::LinkId link;
        std::string name;        ///< "agg-0-1 > core-3"
        std::uint64_t sent = 0;  ///< of all packets, by the health service's evidence; zero: none
        std::uint64_t lost = 0;
    };
    struct Path {
        PathIndex path;
        PathGeneration generation;
        std::uint32_t packets = 0;  ///< of the flow
        std::uint32_t lost = 0;
        std::vector<Link> links;  ///< empty: not traced
    };

    bool is_over = false;
    std::array<std::uint32_t, wire::kFlowStages> seen{};  ///< packets, by stage
    StageDelay source, fabric, destination, whole;
    std::uint32_t judged = 0;     ///< that left between the first and the last that arrived
    std::uint32_t lost = 0;       ///< of those, in the fabric
    std::uint32_t ambiguous = 0;  ///< equal to another packet of the flow: left out
    std::vector<Packet> packets;  ///< in the order in which they left
    std::vector<Path> paths;      ///< in the order of their first packet
    bool source_refused = false;  ///< the EPPC there will not, or cannot
    bool destination_refused = false;
};

struct FlowTraceCounters {
    std::uint64_t started = 0;
    std::uint64_t entries = 0;
    std::uint64_t unknown = 0;     ///< entries of traces that are not here
    std::uint64_t strangers = 0;   ///< from a host, or of a stage there, that the trace does not have
    std::uint64_t over_limit = 0;  ///< more packets than were asked for
};

class FlowTraces {
  public:
    /// `seed`: of the numbers that EPPCs know its traces by.
    FlowTraces(const FlowTracePolicy& policy, std::uint64_t seed)
        : policy_(policy), numbers_(TraceNumbers::Of::Flows, seed) {}

    /// Errors in words. Who asks has been authenticated, and may see that flow.
    Result<FlowTraceId, std::string> start(const FlowTraceRequest& request, Time now);
    /// What to ask of the EPPCs at the flow's ends, by their addresses.
    [[nodiscard]] std::vector<std::pair<IpAddress, wire::DirectiveBody>> directives(FlowTraceId id) const;

    /// What an EPPC told, authenticated.
    void take(IpAddress eppc, const wire::FlowStageEntry& entry);
    void on_answer(IpAddress eppc, std::uint32_t trace, wire::DirectiveStatus status);
    /// `offset`: the clock of `peer` less that of `eppc`.
    void on_clock(IpAddress eppc, IpAddress peer, Duration offset, Duration bound);
    /// The nodes of a path from `eppc` to `peer`, both in it.
    void on_path(IpAddress eppc, IpAddress peer, PathIndex path, PathGeneration generation,
                 std::span<const localise::NodeId> hops);

    /// Nothing where there is no such trace. `sent` and `lost` of links are left to whoever has evidence.
    [[nodiscard]] std::optional<FlowTraceResult> result(FlowTraceId id, const localise::FabricGraph& graph,
                                                        Time now) const;
    /// One that was over by `now - settle` and was not taken yet, the oldest first.
    std::optional<FlowTraceId> take_over(Time now);
    /// The oldest that was not taken, whether it is over or not.
    std::optional<FlowTraceId> take_any();
    [[nodiscard]] Time next_over() const;
    [[nodiscard]] const FlowTraceCounters& counters() const { return counters_; }

  private:
    using PathName = std::pair<PathIndex, PathGeneration>;
    struct Seen {
        std::array<std::optional<Time>, wire::kFlowStages> at;
        std::uint16_t length = 0;
        PathName path{wire::FlowStageEntry::kNoPath, {}};
        bool ambiguous = false;
        std::vector<std::uint8_t> captured;
    };
    struct Trace {
        FlowTraceRequest request;
        Time until;
        bool taken = false;
        bool source_refused = false;
        bool destination_refused = false;
        std::optional<std::pair<Duration, Duration>> clock;  ///< destination less source, and its bound
        std::map<std::uint32_t, Seen> packets;               ///< by hash
        std::map<PathName, std::vector<localise::NodeId>> hops;
    };

    [[nodiscard]] Trace* find(std::uint32_t id);
    void judge_loss(FlowTraceResult& result) const;

    FlowTracePolicy policy_;
    std::map<FlowTraceId, Trace> traces_;
    TraceNumbers numbers_;
    FlowTraceCounters counters_;
};

/// Several lines: stages, loss, paths with their links.
std::string to_string(const FlowTraceResult& result);

}  // namespace dyetrace::health
