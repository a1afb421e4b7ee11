// SPDX-License-Identifier: GPL-2.0-or-later
// Plans of the fabrics that are known by their numbers: fat-tree, leaf-spine, three-tier Clos, Jellyfish.
//
// Each says in words which number is wrong.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/localise/fabric_plan.h"

namespace dyetrace::localise {

/// The k-ary fat-tree of Al-Fares, Loukissas and Vahdat, "A scalable, commodity data center network
/// architecture" (SIGCOMM 2008) with its addresses: host-P-E-N 10.P.E.(2+N), edge-P-N 10.P.N.1, agg-P-N
/// 10.P.(k/2+N).1, core-N 10.k.(N/(k/2)).(1+N%(k/2)). agg-P-N reaches core-(N*k/2) to core-(N*k/2+k/2-1). A
/// switch's ports down come before its ports up; a core's port P leads to pod P.
/// \param k ports of a switch: even, 2 to 254
[[nodiscard]] Result<FabricPlan, std::string> plan_fat_tree(std::uint32_t k);

/// Every leaf reaches every spine. leaf-L has the hosts host-L-N. A leaf's oversubscription is
/// hosts * link rate / (spines * uplink rate).
struct LeafSpineShape {
    std::uint32_t leaves = 8;           ///< 2 to 4096
    std::uint32_t spines = 4;           ///< 1 to 254
    std::uint32_t hosts_per_leaf = 8;   ///< 1 to 253
    std::uint64_t uplink_rate_bps = 0;  ///< of the cables to spines; 0: as the fabric's links
};
[[nodiscard]] Result<FabricPlan, std::string> plan_leaf_spine(const LeafSpineShape& shape);

/// Three tiers with planes, as in Andreyev, "Introducing data center fabric" (Facebook, 2014): in pod P every
/// edge-P-E reaches every agg-P-A; agg-P-A is in plane A and reaches the core switches of that plane,
/// core-A-N, and these reach every pod. Addresses are the fat-tree's: 10.P.E.(2+N), agg-P-A 10.P.(edges+A).1,
/// core-A-N 10.pods.A.(1+N).
struct ClosShape {
    std::uint32_t pods = 4;              ///< 1 to 254
    std::uint32_t edges_per_pod = 4;     ///< 1 to 253; with the planes no more than 256
    std::uint32_t planes = 2;            ///< aggregation switches of a pod, 1 to 254
    std::uint32_t spines_per_plane = 2;  ///< 1 to 254
    std::uint32_t hosts_per_edge = 4;    ///< 1 to 253
    std::uint64_t uplink_rate_bps = 0;   ///< edge to aggregation; 0: as the fabric's links
    std::uint64_t core_rate_bps = 0;     ///< aggregation to core; 0: as the fabric's links
};
[[nodiscard]] Result<FabricPlan, std::string> plan_clos(const ClosShape& shape);

/// A random regular graph of switches, as in Singla, Hong, Popa and Godfrey, "Jellyfish: networking data
/// centers randomly" (NSDI 2012 §3): switch-S with the hosts host-S-N, each joined with `degree` others.
/// Where switches * degree is odd, one switch has a port free. The seed alone decides the cables.
struct JellyfishShape {
    std::uint32_t switches = 20;         ///< 4 to 4096
    std::uint32_t degree = 4;            ///< 3 to 64, and less than switches
    std::uint32_t hosts_per_switch = 2;  ///< 1 to 253
    std::uint64_t seed = 1;
};
[[nodiscard]] Result<FabricPlan, std::string> plan_jellyfish(const JellyfishShape& shape);

}  // namespace dyetrace::localise
