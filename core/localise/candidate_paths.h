// SPDX-License-Identifier: GPL-2.0-or-later
// All shortest paths between two hosts: where packets may have gone whose path nobody traced.
//
// Fabrics forward along shortest paths, and share flows out among those of equal cost. The links that all
// of a pair's paths have in common (from a host to its rack, say) are kept apart from the rest, the set, so
// that all pairs between two racks share one set. Sets are interned: the same choices have the same index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/localise/fabric_graph.h"

namespace dyetrace::localise {

using PathSetId = StrongId<struct PathSetTag, std::uint32_t>;  ///< 0 .. set_count()-1

/// One path of a set, without the links that all have in common.
struct Choice {
    std::span<const LinkId> links;
    double weight = 0;  ///< chance that a flow takes it
};

struct CandidateConfig {
    std::size_t max_choices = 4'096;  ///< in one set; a pair with more has no candidates
    std::size_t max_distances =
        64'000'000;                      ///< from nodes to ends, 4 bytes each; of more, all are found anew
    std::size_t max_links = 32'000'000;  ///< of all choices of all sets together
    std::size_t max_pairs = 4'000'000;   ///< remembered
    bool switches_split_evenly =
        true;  ///< a choice weighs the product of 1/(number of next hops); else all weigh alike
};

/// What was not given, by reason.
struct CandidateCounters {
    std::uint64_t unreachable = 0;         ///< no path leads there
    std::uint64_t choices_over_limit = 0;  ///< `max_choices`
    std::uint64_t links_over_limit = 0;    ///< `max_links`
    std::uint64_t pairs_over_limit = 0;    ///< `max_pairs`
};

/// A choice while a set is made.
struct NewChoice {
    std::vector<LinkId> links;
    double weight = 0;

    auto operator<=>(const NewChoice&) const = default;
};

/// Links that all choices have, in the order of the first one; takes them out. `seen` is 0 for every link of
/// the graph, before and after.
std::vector<LinkId> take_common(std::vector<NewChoice>& choices, std::vector<std::uint32_t>& seen);

/// Sets of choices, each held once.
class PathSets {
  public:
    /// The set of these choices, of which there is at least one; their order does not matter.
    PathSetId intern(std::vector<NewChoice> choices);
    /// None where it was never interned.
    [[nodiscard]] std::optional<PathSetId> find(std::vector<NewChoice> choices) const;
    [[nodiscard]] std::size_t size() const { return sets_.size(); }
    [[nodiscard]] std::size_t choice_count(PathSetId set) const { return sets_[set.value].choice_count; }
    [[nodiscard]] Choice choice(PathSetId set, std::size_t index) const;
    [[nodiscard]] std::size_t link_count() const { return links_.size(); }

  private:
    struct Set {
        std::uint32_t first_choice = 0, choice_count = 0;
    };
    struct Kept {
        std::uint32_t first_link = 0, link_count = 0;
        double weight = 0;
    };
    [[nodiscard]] bool same(const Set& set, const std::vector<NewChoice>& choices) const;
    [[nodiscard]] std::optional<PathSetId> find_sorted(const std::vector<NewChoice>& choices,
                                                       std::uint64_t hash) const;

    std::vector<Set> sets_;
    std::vector<Kept> choices_;
    std::vector<LinkId> links_;
    std::unordered_multimap<std::uint64_t, std::uint32_t> by_hash_;  ///< looked up, never walked
};

/// Where packets of one pair may have gone.
struct Candidates {
    std::span<const LinkId>
        common;        ///< crossed for certain, in no particular order; valid until the next call
    bool any = false;  ///< false: not reachable, or over a limit; then nothing is known
    bool one = false;  ///< there is only one path, `common`
    PathSetId set{};   ///< meaningful where `any` and not `one`
};

class CandidatePaths {
  public:
    /// `graph` must outlive it and not change. Only hosts begin and end paths; none leads through one.
    explicit CandidatePaths(const FabricGraph& graph, CandidateConfig config = {});
    ~CandidatePaths();
    CandidatePaths(CandidatePaths&&) noexcept;
    CandidatePaths& operator=(CandidatePaths&&) noexcept;

    [[nodiscard]] Candidates between(NodeId from, NodeId to);
    /// Of those, the paths that fit a trace that some switches did not answer: hop `i` is the switch after
    /// link `i`, none where it kept silent; the last ones may be missing. Each with all its links in order;
    /// weights sum to 1. Empty where none fits, or more than `max_choices` do. Not remembered.
    [[nodiscard]] std::vector<NewChoice> fitting(NodeId from, NodeId to,
                                                 std::span<const std::optional<NodeId>> hops);
    [[nodiscard]] const PathSets& sets() const;
    [[nodiscard]] const CandidateCounters& counters() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace dyetrace::localise
