// SPDX-License-Identifier: GPL-2.0-or-later
// A line that treats packets badly, at random from a seed: what a test that compares measurements with the
// truth sends its traffic through.
#pragma once

#include <cstdint>

#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {

/// Shares are in millionths of the packets that they concern.
struct LineFaults {
    std::uint32_t data_lost = 0;
    std::uint32_t control_lost = 0;
    std::uint32_t tracked_duplicated = 0;
    std::uint32_t untracked_duplicated = 0;  ///< the counts of all packets are net: a copy hides a loss
    std::uint32_t data_delayed = 0;          ///< by up to `delay_most`, so that others overtake them
    Duration delay_most = Duration::microseconds(100);
    std::uint32_t ect_marked = 0;      ///< ECT becomes CE, as a congested router does
    std::uint32_t not_ect_marked = 0;  ///< not-ECT becomes CE, as no router should
    std::uint32_t data_corrupted = 0;  ///< one bit of the guest's payload
    std::uint32_t route_changed = 0;   ///< from here on, packets come over one hop more or less
};

Hook faulty_line(const LineFaults& faults, std::uint64_t seed);

}  // namespace dyetrace::test
