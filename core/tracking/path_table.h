// SPDX-License-Identifier: GPL-2.0-or-later
// The sender's side of all paths of a pair of EPPCs: which source port each takes, and how many data packets
// it has carried.
//
//   path index ---> port offset, generation, count          (one entry a path; the data path reads no more)
//
// A path that is moved takes a spare port: a new generation, whose count begins at zero. The count of the
// generation it left stands still, and its port stays taken, until every session has ended what it measured
// there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/prefetch.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace dyetrace::tracking {

/// What a pair counts on one path generation, whatever sessions there are: all data packets, tracked or not.
struct PathCount {
    std::uint64_t packets = 0;
    Time last_packet{};      ///< when it carried the newest of them
    std::uint16_t port = 0;  ///< offset of its UDP source port from the first that was announced
    PathGeneration generation;
};

/// A generation that its path has left.
struct RetiredPath {
    PathIndex path;
    PathCount count;  ///< stands still
};

/// Why a path cannot be moved now.
enum class RepathRefusal : std::uint8_t {
    UnknownPath,  ///< no such path index
    NotSettled,   ///< the generation before is not ended in every session
    NoSparePort,  ///< every spare port is taken, or has not rested since
};
std::string_view to_string(RepathRefusal refusal);

class PathTable {
  public:
    /// Path i begins on port i; ports from `path_count` on are spare. Precondition: path_count <= port_count.
    PathTable(std::uint16_t path_count, std::uint16_t port_count);

    /// A data packet takes `path`.
    void count(PathIndex path, Time now) {
        PathCount& count = paths_[path.value];
        ++count.packets;
        count.last_packet = now;
    }
    void prefetch(PathIndex path) const {
        const PathCount& count = paths_[path.value];
        prefetch_lines(&count, &count.generation);
    }
    const PathCount& operator[](PathIndex path) const { return paths_[path.value]; }
    [[nodiscard]] std::uint16_t size() const { return static_cast<std::uint16_t>(paths_.size()); }
    /// The count of a generation that is in use, or retired and not settled; nullptr for any other.
    [[nodiscard]] const PathCount* find(PathIndex path, PathGeneration generation) const;

    /// Moves a path to the spare port that has rested longest, with a new generation and a count of zero.
    /// A port rests for `rest` after its path has left it, so that nothing of that path is on its way there.
    Result<PathGeneration, RepathRefusal> repath(PathIndex path, Time now, Duration rest);
    /// The generation that `path` left is ended in every session: its port is spare again.
    void settle(PathIndex path, Time now);
    /// Generations that were left and are not settled, oldest first.
    [[nodiscard]] std::span<const RetiredPath> retired() const { return retired_; }

    void digest_into(StateDigest& digest) const;

    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t path_count, std::size_t port_count) {
        const std::size_t spare = port_count - path_count;
        return heap::vector<PathCount>(path_count) +
               heap::grown_vector<RetiredPath>(std::min(path_count, spare)) +
               heap::grown_vector<Spare>(spare);
    }

  private:
    struct Spare {
        std::uint16_t port = 0;
        Time since;
    };

    std::vector<PathCount> paths_;
    std::vector<RetiredPath> retired_;  ///< at most one a path, and one a spare port
    std::vector<Spare> spare_;          ///< ports that paths have left, oldest first
    std::uint16_t untouched_;           ///< ports from here on have carried nothing yet
    std::uint16_t port_count_;
};

}  // namespace dyetrace::tracking
