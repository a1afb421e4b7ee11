// SPDX-License-Identifier: GPL-2.0-or-later
// The requester's side of one path of one session: when a measured interval is open, and what it has
// numbered.
//
//            data                START acknowledged             idle, or closing
//   Quiet ----------> Starting ----------------------> Running -----------------> Ending
//     ^                                                                              |
//     +------------------------------------------------------------------------------+
//                                   END acknowledged
//
// Tags go out in Running only: before the START is known to have arrived a tag would measure nothing.
#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace dyetrace::tracking {

/// What a pair of EPPCs counts on one path, whatever sessions there are: all data packets, tracked or not.
struct PathCount {
    std::uint64_t packets = 0;
    PathGeneration generation;
};

struct SentPath {
    enum class Phase : std::uint8_t { Quiet, Starting, Running, Ending };

    Phase phase = Phase::Quiet;
    bool wanted = false;              ///< data came while no interval was open
    std::uint8_t attempts = 0;        ///< transmissions of the marker in flight
    std::uint16_t interval = 0;       ///< number of the newest interval, from 1
    std::uint32_t next_sequence = 0;  ///< of the next tracked packet; goes on through all intervals
    Time last_data{};
    Time retransmit_at = Time::never();

    [[nodiscard]] bool marker_in_flight() const { return phase == Phase::Starting || phase == Phase::Ending; }
};

}  // namespace dyetrace::tracking
