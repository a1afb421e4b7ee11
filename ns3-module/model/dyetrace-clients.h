// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_CLIENTS_H
#define DYETRACE_CLIENTS_H

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ns3/nstime.h>

namespace ns3 {

/// \ingroup dyetrace
/// Somebody who owns virtual networks, and may see how the pairs of guests in them fare.
struct DyetraceTenant {
    struct Guest {
        std::string name;    ///< as its tenant knows it
        uint32_t guest = 0;  ///< number in the overlay
    };
    /// A health state that the tenant has defined.
    struct Condition {
        std::string name;
        std::string text;  ///< "loss > 0.5% and delay < 2ms for 3s"
    };
    std::string name;
    std::vector<uint32_t> vnis;  ///< each of one tenant
    std::vector<Guest> guests;
    std::vector<Condition> conditions;
    std::vector<std::string> subscriptions;  ///< "health", the name of a condition, or "all"
};

/// \ingroup dyetrace
/// A guest that serves, whose score a load balancer asks for.
struct DyetraceServiceInstance {
    std::string service;
    std::string instance;
    std::string tenant;
    std::string guest;
};

/// \ingroup dyetrace
/// Where packets leave a guest of a tenant, and where they reach another.
struct DyetraceProbe {
    std::string name;
    std::string tenant;
    uint32_t vni = 0;
    std::string from;  ///< empty: any guest in that network
    std::string to;
    double share = 1;  ///< of packets, 0 to 1
};

/// \ingroup dyetrace
/// All that a DyetraceNhms serves tenants with.
struct DyetraceClients {
    std::vector<DyetraceTenant> tenants;
    std::vector<DyetraceServiceInstance> instances;
    std::vector<DyetraceProbe> probes;
};

/// \ingroup dyetrace
/// What a tenant is notified of: a pair of its guests entered or left a state.
struct DyetraceTenantEvent {
    Time at;  ///< of the health service's clock
    std::string tenant;
    std::string from;
    std::string to;
    std::string state;  ///< "health", or the tenant's own
    std::string before;
    std::string after;
    std::string reason;
};

/// \ingroup dyetrace
/// One direction between two guests of a tenant, as that tenant sees it.
struct DyetracePairHealth {
    std::string from;
    std::string to;
    uint32_t vni = 0;
    std::string health;
    std::string reason;
    std::vector<std::pair<std::string, std::string>> states;  ///< the tenant's own, each with its standing
};

/// \ingroup dyetrace
/// The score of an instance of a service changed.
struct DyetraceInstanceScore {
    std::string service;
    std::string instance;
    double score = 0;    ///< 0 to 1
    double own = 0;      ///< its own account
    double network = 0;  ///< how well the network reaches it
    bool isOwnMeasured = false;
    bool isNetworkMeasured = false;
};

/// \ingroup dyetrace
/// One direction of one flow between two guests on different hosts, to be followed. What is 0 is any.
struct DyetraceFlowTraceRequest {
    uint32_t from = 0;  ///< guests' numbers in the overlay
    uint32_t to = 0;
    uint8_t protocol = 0;
    uint16_t sourcePort = 0;
    uint16_t destinationPort = 0;
    uint8_t stages = 0x0f;         ///< bit n: stage n of DyetraceFlowTrace
    uint16_t packets = 100;        ///< at each stage, at most
    uint16_t capturedPackets = 0;  ///< of those
    uint16_t captureBytes = 0;     ///< of each
    Time duration = Seconds(1);
};

/// \ingroup dyetrace
/// What was seen of a followed flow. Its stages are 0: its guest hands a packet over; 1: the EPPC there has
/// encapsulated it; 2: the EPPC at the other end has decapsulated it; 3: it is handed to its guest.
struct DyetraceFlowTrace {
    static constexpr std::size_t Stages = 4;

    /// How long one stretch of the way took; each packet's time within `bound`, where clocks come in.
    struct Stretch {
        std::string name;
        uint32_t packets = 0;  ///< 0: not measured
        Time min;
        Time median;
        Time max;
        Time bound;
    };
    struct Packet {
        uint32_t name = 0;  ///< its hash, the same at all stages
        std::array<bool, Stages> isSeen{};
        std::array<Time, Stages> at{};  ///< each on its own host's clock
        bool isLost = false;
        uint16_t path = 0;
    };
    /// The nodes that a path of the flow leads through, as its EPPC traced them.
    struct Path {
        uint16_t path = 0;
        uint8_t generation = 0;
        uint32_t packets = 0;
        uint32_t lost = 0;
        std::vector<std::string> nodes;  ///< empty: not traced
    };
    bool isOver = false;
    bool isRefusedAtSource = false;
    bool isRefusedAtDestination = false;
    uint32_t judged = 0;  ///< packets between the first and the last that arrived
    uint32_t lost = 0;    ///< of those, in the fabric
    std::vector<Stretch> stretches;
    std::vector<Packet> packets;
    std::vector<Path> paths;
};

}  // namespace ns3

#endif  // DYETRACE_CLIENTS_H
