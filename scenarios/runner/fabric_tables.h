// SPDX-License-Identifier: GPL-2.0-or-later
// The fabric as its operator knows it: tables for the database, and the graph that the health service is
// given.
#pragma once

#include <vector>

#include "analysis/store/rows.h"

namespace ns3 {
class DyetraceFabric;
}

namespace dyetrace::runner {

struct FabricTables {
    std::vector<store::NodeRow> nodes;  ///< in the order of the topology's node numbers
    std::vector<store::LinkRow> links;
};

/// `is_ipv6`: by which of its two addresses a node is told.
FabricTables make_fabric_tables(const ns3::DyetraceFabric& fabric, bool is_ipv6);

}  // namespace dyetrace::runner
