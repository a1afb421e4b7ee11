// SPDX-License-Identifier: GPL-2.0-or-later
// What really happened to the packets of one path, counted on the capture of a scripted network: from the
// START marker that arrived first to the END marker that arrived first. Shares nothing with the counters of
// core/tracking.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {

struct PathTruth {
    SessionId session;
    PathIndex path;
    PathGeneration generation;
    int intervals_ended = 0;
    bool open = false;  ///< a START arrived whose END did not
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    std::uint64_t tagged_sent = 0;
    std::uint64_t tagged_lost = 0;
};

/// One entry per (session, path, generation) on the way from one host to another, ordered by first
/// appearance. Settled intervals only.
std::vector<PathTruth> path_truth(const Network& network, std::size_t from, std::size_t to);

}  // namespace dyetrace::test
