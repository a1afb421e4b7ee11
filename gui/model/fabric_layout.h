// SPDX-License-Identifier: GPL-2.0-or-later
// Where the nodes of a fabric stand on the map: tiers from core down to hosts, pods side by side.
#pragma once

#include <vector>

#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

struct LayoutPoint {
    double x = 0;
    double y = 0;
    bool operator==(const LayoutPoint&) const = default;
};

/// A pod's place, to be drawn behind its nodes.
struct LayoutPod {
    int pod = 0;
    double left = 0;
    double right = 0;
};

struct FabricLayout {
    /// Of each node, within 0..1 both ways; a tier is a row, hosts are at y = 1. A row whose nodes are linked
    /// to each other is bent downwards at its ends.
    std::vector<LayoutPoint> nodes;
    std::vector<int> tier_of;  ///< of each node; 0 is the top
    int tier_count = 0;
    std::vector<LayoutPod> pods;  ///< from left to right; none where nodes have no pods
    std::vector<double> spacing;  ///< of each tier: the least distance between two of its nodes
};

/// From kind, pod and position where the operator gave them, else from who is linked to whom.
[[nodiscard]] FabricLayout lay_out(const std::vector<Node>& nodes, const std::vector<Link>& links);

}  // namespace dyetrace::viewer
