// SPDX-License-Identifier: GPL-2.0-or-later
// What an investigation asks of evidence, whoever keeps it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"

namespace dyetrace::localise {

/// One measured path: packets of one outer source port, as long as its generation lasts.
struct PathKey {
    IpAddress requester;  ///< underlay address of the sending EPPC
    IpAddress acceptor;   ///< underlay address of the receiving EPPC
    SessionId session;
    PathIndex path;
    PathGeneration generation;

    constexpr auto operator<=>(const PathKey&) const = default;
};

/// Packets across a link in some windows.
struct Crossing {
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;

    constexpr bool operator==(const Crossing&) const = default;
};

/// Requester and acceptor.
using HostPair = std::pair<IpAddress, IpAddress>;

/// Before every time.
inline constexpr Time kBeginning{std::numeric_limits<std::int64_t>::min()};

/// A path of a pair, whatever session measures it and whichever port it takes.
struct PairPath {
    IpAddress requester;
    IpAddress acceptor;
    PathIndex path;

    constexpr auto operator<=>(const PairPath&) const = default;
};

/// Whether a path, or its pair, is among these, which are sorted.
[[nodiscard]] inline bool is_among(std::span<const PairPath> paths, const PathKey& key) {
    return std::binary_search(paths.begin(), paths.end(), PairPath{key.requester, key.acceptor, key.path});
}
[[nodiscard]] inline bool is_among(std::span<const HostPair> pairs, const PathKey& key) {
    return std::binary_search(pairs.begin(), pairs.end(), HostPair{key.requester, key.acceptor});
}

/// Each question is about windows that start at or after `since` and whose route is known.
class EvidenceSource {
  public:
    virtual ~EvidenceSource() = default;
    /// What a localiser says of them.
    [[nodiscard]] virtual Verdict infer(const LocaliserConfig& config, Time since) const = 0;
    /// What they sent and lost on paths across `link`.
    [[nodiscard]] virtual Crossing crossing(LinkId link, Time since) const = 0;
    /// Pairs that sent across `link`: most traffic first, then by address; at most `most`.
    [[nodiscard]] virtual std::vector<HostPair> pairs_across(LinkId link, Time since,
                                                             std::size_t most) const = 0;
    /// Paths that did: most traffic first, then by key; at most `most`.
    [[nodiscard]] virtual std::vector<PathKey> paths_across(LinkId link, Time since,
                                                            std::size_t most) const = 0;
    /// What those sent and lost whose pair and path index are among `paths` (sorted), whatever the session
    /// and generation.
    [[nodiscard]] virtual Crossing carried(std::span<const PairPath> paths, Time since) const = 0;
    /// What all paths of `pairs` (sorted) did.
    [[nodiscard]] virtual Crossing carried_between(std::span<const HostPair> pairs, Time since) const = 0;
    /// Whether other services, which measure there, hold the link or the device for well by nothing older.
    [[nodiscard]] virtual bool is_acquitted(LinkId /*link*/, Time /*since*/) const { return false; }
    [[nodiscard]] virtual bool is_acquitted(NodeId /*device*/, Time /*since*/) const { return false; }

  protected:
    EvidenceSource() = default;
    EvidenceSource(const EvidenceSource&) = default;
    EvidenceSource(EvidenceSource&&) = default;
    EvidenceSource& operator=(const EvidenceSource&) = default;
    EvidenceSource& operator=(EvidenceSource&&) = default;
};

}  // namespace dyetrace::localise
