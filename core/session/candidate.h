// SPDX-License-Identifier: GPL-2.0-or-later
// Which peers an EPPC measures when it may not measure all that it sends to and nobody tells it which.
//
// A peer is the better a candidate the more was sent to it since the last choice and the longer it was not
// measured; one that is near counts for a quarter, since its packets cross few links.
//
//   score = packets * (1 + seconds since it was measured), a quarter of that for one that is near
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace dyetrace::session {

struct Candidate {
    /// What was never measured counts as not measured for so long, and so does what was longer ago.
    static constexpr Duration kStalest = Duration::seconds(3600);

    std::uint32_t peer = 0;     ///< its index
    std::uint64_t packets = 0;  ///< sent to it since the last choice
    Duration unmeasured;        ///< how long ago its last session ended
    bool is_near = false;

    /// In milliseconds times packets, so that whole numbers do.
    [[nodiscard]] std::uint64_t score() const {
        constexpr std::uint64_t kPacketsMost = std::uint64_t{1} << 32;
        const Duration stale = std::clamp(unmeasured, Duration{}, kStalest);
        const auto weight = static_cast<std::uint64_t>(stale.ns / 1'000'000 + 1000);
        return std::min(packets, kPacketsMost) * weight / (is_near ? 4 : 1);
    }
};

/// A session that began on traffic, for as long as others wait.
struct Turn {
    Time began;
    std::uint32_t peer = 0;  ///< its index
    SessionId session;
};

/// Keeps the `most` best, best first; of equals the lower index. What nothing was sent to is none.
inline void keep_best(std::vector<Candidate>& candidates, std::size_t most) {
    std::erase_if(candidates, [](const Candidate& c) { return c.packets == 0; });
    const std::size_t kept = std::min(most, candidates.size());
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                      candidates.end(), [](const Candidate& a, const Candidate& b) {
                          return a.score() != b.score() ? a.score() > b.score() : a.peer < b.peer;
                      });
    candidates.resize(kept);
}

}  // namespace dyetrace::session
