// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/candidate_paths.h"

#include <algorithm>
#include <limits>
#include <map>

#include "core/base/random.h"
#include "core/base/result.h"

namespace dyetrace::localise {
namespace {

constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max();

// Of switches that lead nowhere that fits, so many are looked at for each path that may be found.
constexpr std::size_t kLooksAChoice = 64;

std::uint64_t hash_of(const std::vector<NewChoice>& choices) {
    std::uint64_t hash = choices.size();
    for (const NewChoice& choice : choices) {
        hash = mix64(hash + 1);
        for (const LinkId link : choice.links)
            hash = mix64(hash + link.value + 2);
    }
    return hash;
}

}  // namespace

std::vector<LinkId> take_common(std::vector<NewChoice>& choices, std::vector<std::uint32_t>& seen) {
    for (const NewChoice& choice : choices) {
        for (const LinkId link : choice.links)
            ++seen[link.value];
    }
    const auto in_all = [&](LinkId link) { return seen[link.value] == choices.size(); };
    std::vector<LinkId> common;
    const auto& first = choices.front().links;
    std::copy_if(first.begin(), first.end(), std::back_inserter(common), in_all);
    for (NewChoice& choice : choices)
        choice.links.erase(std::remove_if(choice.links.begin(), choice.links.end(), in_all),
                           choice.links.end());
    for (const NewChoice& choice : choices) {
        for (const LinkId link : choice.links)
            seen[link.value] = 0;
    }
    for (const LinkId link : common)
        seen[link.value] = 0;
    return common;
}

// ---- sets ---------------------------------------------------------------------------------------------

bool PathSets::same(const Set& set, const std::vector<NewChoice>& choices) const {
    if (set.choice_count != choices.size()) return false;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        const Kept& kept = choices_[set.first_choice + i];
        const auto links = std::span(links_).subspan(kept.first_link, kept.link_count);
        if (kept.weight != choices[i].weight ||
            !std::equal(links.begin(), links.end(), choices[i].links.begin(), choices[i].links.end()))
            return false;
    }
    return true;
}

std::optional<PathSetId> PathSets::find_sorted(const std::vector<NewChoice>& choices,
                                               std::uint64_t hash) const {
    const auto [first, last] = by_hash_.equal_range(hash);
    for (auto place = first; place != last; ++place) {
        if (same(sets_[place->second], choices)) return PathSetId{place->second};
    }
    return std::nullopt;
}

std::optional<PathSetId> PathSets::find(std::vector<NewChoice> choices) const {
    std::sort(choices.begin(), choices.end());
    return find_sorted(choices, hash_of(choices));
}

PathSetId PathSets::intern(std::vector<NewChoice> choices) {
    DYETRACE_ASSERT(!choices.empty());
    std::sort(choices.begin(), choices.end());
    const std::uint64_t hash = hash_of(choices);
    if (const auto held = find_sorted(choices, hash)) return *held;
    const PathSetId id{static_cast<std::uint32_t>(sets_.size())};
    sets_.push_back(
        {static_cast<std::uint32_t>(choices_.size()), static_cast<std::uint32_t>(choices.size())});
    for (const NewChoice& choice : choices) {
        choices_.push_back({static_cast<std::uint32_t>(links_.size()),
                            static_cast<std::uint32_t>(choice.links.size()), choice.weight});
        links_.insert(links_.end(), choice.links.begin(), choice.links.end());
    }
    by_hash_.emplace(hash, id.value);
    return id;
}

Choice PathSets::choice(PathSetId set, std::size_t index) const {
    const Kept& kept = choices_[sets_[set.value].first_choice + index];
    return {std::span(links_).subspan(kept.first_link, kept.link_count), kept.weight};
}

// ---- paths --------------------------------------------------------------------------------------------

struct CandidatePaths::State {
    struct Between {
        std::vector<LinkId> common;
        Candidates found;  ///< without `common`
    };
    using Pair = std::pair<NodeId, NodeId>;

    State(const FabricGraph& fabric, CandidateConfig settings) : graph(&fabric), config(settings) {
        out.resize(fabric.node_count());
        in.resize(fabric.node_count());
        seen.resize(fabric.link_count());
        for (std::uint32_t l = 0; l < fabric.link_count(); ++l) {
            out[fabric.from(LinkId{l}).value].emplace_back(l);
            in[fabric.to(LinkId{l}).value].emplace_back(l);
        }
    }

    [[nodiscard]] bool is_host(NodeId node) const { return graph->kind(node) == NodeKind::Host; }

    /// Number of links from each node to `to`, over switches only.
    const std::vector<std::uint32_t>& distances(NodeId to) {
        if ((distance_to.size() + 1) * graph->node_count() > config.max_distances &&
            !distance_to.contains(to))
            distance_to.clear();
        const auto [place, added] = distance_to.try_emplace(to);
        std::vector<std::uint32_t>& distance = place->second;
        if (!added) return distance;
        distance.assign(graph->node_count(), kFar);
        distance[to.value] = 0;
        std::vector<NodeId> queue{to};
        for (std::size_t next = 0; next < queue.size(); ++next) {
            const NodeId node = queue[next];
            if (node != to && is_host(node)) continue;
            for (const LinkId link : in[node.value]) {
                const NodeId before = graph->from(link);
                if (distance[before.value] != kFar) continue;
                distance[before.value] = distance[node.value] + 1;
                queue.push_back(before);
            }
        }
        return distance;
    }

    /// All shortest paths through `hops` (see `fitting`); empty where there is none, or too many. Weights are
    /// those among all shortest paths.
    std::vector<NewChoice> paths(NodeId from, NodeId to, std::span<const std::optional<NodeId>> hops = {}) {
        const auto& distance = distances(to);
        std::vector<NewChoice> all;
        if (distance[from.value] == kFar) {
            ++counters.unreachable;
            return all;
        }
        struct Step {
            NodeId node;
            NewChoice path;
        };
        std::size_t looks = 0;
        std::vector<Step> open{{from, {{}, 1}}};
        while (!open.empty()) {
            Step step = std::move(open.back());
            open.pop_back();
            if (step.node == to) all.push_back(std::move(step.path));
            if (all.size() > config.max_choices || ++looks > kLooksAChoice * (config.max_choices + 1)) {
                ++counters.choices_over_limit;
                return {};
            }
            if (step.node == to) continue;
            std::vector<LinkId> next;
            for (const LinkId link : out[step.node.value]) {
                const NodeId node = graph->to(link);
                if (distance[node.value] + 1 == distance[step.node.value] && (node == to || !is_host(node)))
                    next.push_back(link);
            }
            const std::size_t place = step.path.links.size();
            for (const LinkId link : next) {
                const NodeId node = graph->to(link);
                if (place < hops.size() && hops[place] && *hops[place] != node) continue;
                Step further{node, step.path};
                further.path.links.push_back(link);
                further.path.weight /= static_cast<double>(next.size());
                open.push_back(std::move(further));
            }
        }
        if (!config.switches_split_evenly) {
            for (NewChoice& path : all)
                path.weight = 1.0 / static_cast<double>(all.size());
        }
        return all;
    }

    Between make(std::vector<NewChoice> all) {
        Between made;
        if (all.empty()) return made;
        made.common = take_common(all, seen);
        std::size_t links = 0;
        for (const NewChoice& path : all)
            links += path.links.size();
        if (sets.link_count() + links > config.max_links) {
            ++counters.links_over_limit;
            return made;
        }
        made.found.any = true;
        made.found.one = all.size() == 1;
        if (!made.found.one) made.found.set = sets.intern(std::move(all));
        return made;
    }

    /// Remembered. None where too many are.
    const Between* remembered(NodeId from, NodeId to) {
        const auto place = between.find({from, to});
        if (place != between.end()) return &place->second;
        if (between.size() >= config.max_pairs) {
            ++counters.pairs_over_limit;
            return nullptr;
        }
        return &between.emplace(Pair{from, to}, make(paths(from, to))).first->second;
    }

    const FabricGraph* graph;
    CandidateConfig config;
    CandidateCounters counters;
    PathSets sets;
    std::vector<std::vector<LinkId>> out, in;  ///< of each node
    std::map<NodeId, std::vector<std::uint32_t>> distance_to;
    std::map<Pair, Between> between;
    std::vector<std::uint32_t> seen;  ///< scratch, by link
    std::vector<LinkId> common;       ///< what the last call handed out
};

CandidatePaths::CandidatePaths(const FabricGraph& graph, CandidateConfig config)
    : state_(new State(graph, config)) {}
CandidatePaths::~CandidatePaths() = default;
CandidatePaths::CandidatePaths(CandidatePaths&&) noexcept = default;
CandidatePaths& CandidatePaths::operator=(CandidatePaths&&) noexcept = default;

Candidates CandidatePaths::between(NodeId from, NodeId to) {
    State& state = *state_;
    DYETRACE_ASSERT(from.value < state.out.size() && to.value < state.out.size());
    state.common.clear();
    if (from == to) return {};
    // Most hosts have one link: then all that matters lies between their racks, and is shared.
    NodeId begin = from, end = to;
    if (state.is_host(from) && state.out[from.value].size() == 1) {
        const LinkId link = state.out[from.value].front();
        if (state.graph->to(link) != to) {
            state.common.push_back(link);
            begin = state.graph->to(link);
        }
    }
    std::optional<LinkId> last;
    if (state.is_host(to) && state.in[to.value].size() == 1 &&
        state.graph->from(state.in[to.value].front()) != begin) {
        last = state.in[to.value].front();
        end = state.graph->from(*last);
    }
    if (begin != from && state.is_host(begin)) return {};  // none leads through a host
    const State::Between* between = state.remembered(begin, end);
    if (between == nullptr || !between->found.any) return {};
    state.common.insert(state.common.end(), between->common.begin(), between->common.end());
    if (last) state.common.push_back(*last);
    Candidates found = between->found;
    found.common = state.common;
    return found;
}

std::vector<NewChoice> CandidatePaths::fitting(NodeId from, NodeId to,
                                               std::span<const std::optional<NodeId>> hops) {
    State& state = *state_;
    DYETRACE_ASSERT(from.value < state.out.size() && to.value < state.out.size());
    if (from == to) return {};
    // All hosts of a rack share what is known of the ways to it.
    std::optional<LinkId> last;
    NodeId end = to;
    if (state.is_host(to) && state.in[to.value].size() == 1 &&
        state.graph->from(state.in[to.value].front()) != from) {
        last = state.in[to.value].front();
        end = state.graph->from(*last);
        if (state.is_host(end)) return {};  // none leads through a host
    }
    std::vector<NewChoice> all = state.paths(from, end, hops);
    double weight = 0;
    for (NewChoice& path : all) {
        if (last) path.links.push_back(*last);
        if (hops.size() >= path.links.size()) return {};  // those traced went a longer way
        weight += path.weight;
    }
    for (NewChoice& path : all)
        path.weight /= weight;
    return all;
}

const PathSets& CandidatePaths::sets() const {
    return state_->sets;
}
const CandidateCounters& CandidatePaths::counters() const {
    return state_->counters;
}

}  // namespace dyetrace::localise
