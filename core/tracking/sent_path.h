// SPDX-License-Identifier: GPL-2.0-or-later
// The requester's side of one path of one session: when a measured interval is open, and what it has
// numbered.
//
//            data                START acknowledged             idle, closing, or the path was moved
//   Quiet ----------> Starting ----------------------> Running --------------------------------------> Ending
//     ^                                                                                                   |
//     +---------------------------------------------------------------------------------------------------+
//                                   END acknowledged, or given up
//
// Tags go out in Running only: before the START is known to have arrived a tag would measure nothing.
#pragma once

#include <cstdint>

#include "core/base/digest.h"
#include "core/base/ids.h"

namespace dyetrace::tracking {

struct SentPath {
    enum class Phase : std::uint8_t { Quiet, Starting, Running, Ending };

    std::uint32_t next_sequence = 0;  ///< of the next tracked packet of this generation
    std::uint16_t interval = 0;       ///< number of the newest interval, from 1; goes on through generations
    std::uint16_t attempts = 0;       ///< transmissions of the marker in flight
    std::uint16_t seen_sequence = 0;  ///< low bits of `next_sequence` when it was last looked at
    std::uint16_t told_packets = 0;   ///< low bits of the count that was told last, or was tagged behind
    PathGeneration generation;        ///< of the newest interval
    Phase phase = Phase::Quiet;
    bool wanted = false;           ///< data came while no interval was open
    std::uint8_t close_looks = 0;  ///< so often its count is looked at sooner, as it lost something

    [[nodiscard]] bool marker_in_flight() const { return phase == Phase::Starting || phase == Phase::Ending; }
    void digest_into(StateDigest& digest) const;
};

}  // namespace dyetrace::tracking
