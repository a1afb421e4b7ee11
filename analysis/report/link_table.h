// SPDX-License-Identifier: GPL-2.0-or-later
// Each link of the fabric: what the paths over it measured, and what truth says it dropped itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/store/run_reader.h"

namespace dyetrace::report {

struct LinkLine {
    store::RowId from_node = 0;
    store::RowId to_node = 0;
    std::string name;
    std::size_t paths = 0;                           ///< learned paths over the link
    std::uint64_t sent = 0;                          ///< packets on those paths
    std::int64_t lost = 0;                           ///< of those, anywhere on their way
    std::optional<std::uint64_t> truth_fault_drops;  ///< data packets; none: the run has no truth
    std::optional<std::uint64_t> truth_queue_drops;

    [[nodiscard]] double loss_share() const;
};

/// All links, those whose paths lost the greatest share first; equal ones in the fabric's order.
[[nodiscard]] std::vector<LinkLine> make_link_table(const store::RunReader& run);

}  // namespace dyetrace::report
