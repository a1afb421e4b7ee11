// SPDX-License-Identifier: GPL-2.0-or-later
// A run in a handful of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/store/run_reader.h"

namespace dyetrace::report {

struct SessionCount {
    std::string state;
    std::string reason;
    std::size_t count = 0;
};

/// A counter summed over all nodes that have it.
struct CounterTotal {
    std::string engine;
    std::string name;
    std::uint64_t value = 0;
    std::size_t nodes = 0;  ///< with a value above 0
};

struct Totals {
    std::int64_t duration_ns = 0;  ///< simulated time; where the run was interrupted, up to its last row
    std::vector<SessionCount> sessions;  ///< by state and reason
    std::size_t paths = 0;
    std::size_t paths_learned = 0;  ///< with every hop known
    // The latest totals of every path, summed: what the health service knew at the end.
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t tracked_sent = 0;
    std::uint64_t tracked_received = 0;
    std::size_t paths_open = 0;          ///< no END marker: the last packets are unsettled
    std::size_t paths_excess = 0;        ///< received > sent
    std::vector<CounterTotal> counters;  ///< those above 0, by engine and name

    /// Net loss of all packets; negative where more came in than went out.
    [[nodiscard]] std::int64_t lost() const;
};

[[nodiscard]] Totals make_totals(const store::RunReader& run);

}  // namespace dyetrace::report
