// SPDX-License-Identifier: GPL-2.0-or-later
// How a run's rows are called in front of people: row ids in, names out.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/store/run_reader.h"

namespace dyetrace::report {

/// One path index of a session, under one generation: the key of records and evidence.
struct PathKey {
    store::RowId session = 0;
    std::uint16_t path_index = 0;
    std::uint8_t generation = 0;

    auto operator<=>(const PathKey&) const = default;
};

/// Names of nodes, links and sessions of one run. Unknown ids give "?", so that a damaged run can still be
/// shown.
class FabricNames {
  public:
    explicit FabricNames(const store::RunReader& run);

    [[nodiscard]] const std::string& node(store::RowId id) const;
    [[nodiscard]] std::string link(store::RowId from_node,
                                   store::RowId to_node) const;                 ///< "agg-0-1 > core-3"
    [[nodiscard]] std::string session(store::RowId id) const;                   ///< "host-0-0-0 > host-3-1-2"
    [[nodiscard]] std::string suspect(const store::SuspectRow& suspect) const;  ///< link or device

  private:
    std::map<store::RowId, std::string> nodes_;
    std::map<store::RowId, std::pair<store::RowId, store::RowId>> sessions_;  ///< requester, acceptor
};

/// Whether a path with these hops goes through the link, or through the device.
[[nodiscard]] bool crosses(const std::vector<store::RowId>& hops, store::RowId from_node,
                           store::RowId to_node);
[[nodiscard]] bool crosses(const std::vector<store::RowId>& hops, const store::SuspectRow& suspect);

}  // namespace dyetrace::report
