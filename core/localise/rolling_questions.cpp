// SPDX-License-Identifier: GPL-2.0-or-later
// What rolling evidence says of one link, or of some paths.
#include <algorithm>
#include <utility>

#include "core/localise/rolling_evidence.h"

namespace dyetrace::localise {

/// By half: how much of a packet on it counts as across `link`, in `kParts`: all where the link is of it, and
/// for a placeholder the weight of the choices that have the link.
std::vector<std::uint32_t> RollingEvidence::shares_across(LinkId link) const {
    std::vector<std::uint32_t> shares(routes_.half_count());
    for (std::uint32_t i = 0; i < shares.size(); ++i) {
        const auto links = routes_.half(i);
        if (std::find(links.begin(), links.end(), link) != links.end()) shares[i] = kParts;
    }
    for (std::uint32_t set = 0; set < half_of_set_.size(); ++set) {
        if (half_of_set_[set] == RouteHalves::kNone) continue;  // it came too late, and no path is on it
        for_each_maybe(PathSetId{set}, [&](LinkId other, std::size_t /*choice*/, std::uint64_t parts) {
            if (other == link) shares[half_of_set_[set]] += static_cast<std::uint32_t>(parts);
        });
    }
    return shares;
}

// Of packets that may have crossed a link, as many count as crossed it in all likelihood. To count none would
// leave a suspect behind silent switches without any packets to be judged by, and to count all would call a
// link judged that hardly any crossed.
Crossing RollingEvidence::crossing(LinkId link, Time since) const {
    Crossing sum;
    std::uint64_t sent_parts = 0, lost_parts = 0;
    if (is_all(since)) {
        sum = {links_[link.value].sent, links_[link.value].lost};
        sent_parts = over_sets(link).sent_parts;
        lost_parts = over_sets(link).lost_parts;
    } else {
        const auto shares = shares_across(link);
        for_each_counted(since, Which::All, [&](const Kept& kept) {
            const std::uint64_t share = std::uint64_t{shares[kept.route.first]} + shares[kept.route.second];
            if (share >= kParts) {
                sum.sent += kept.sent;
                sum.lost += kept.lost;
            } else {
                sent_parts += kept.sent * share;
                lost_parts += kept.lost * share;
            }
        });
    }
    sum.sent += (sent_parts + kParts / 2) / kParts;
    sum.lost += (lost_parts + kParts / 2) / kParts;
    return sum;
}

namespace {

/// The keys with the most traffic first, then by key; at most `most`.
template <class Key>
std::vector<Key> most_first(std::vector<std::pair<Key, std::uint64_t>> sent, std::size_t most) {
    std::sort(sent.begin(), sent.end());
    std::size_t kept = 0;
    for (const auto& entry : sent) {
        if (kept > 0 && sent[kept - 1].first == entry.first) {
            sent[kept - 1].second += entry.second;
        } else {
            sent[kept++] = entry;
        }
    }
    sent.resize(kept);
    std::stable_sort(sent.begin(), sent.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    sent.resize(std::min(sent.size(), most));
    std::vector<Key> keys;
    keys.reserve(sent.size());
    for (const auto& [key, packets] : sent)
        keys.push_back(key);
    return keys;
}

}  // namespace

// They are asked for more: who may send across it may know more of it, and most likely crosses it most.
std::vector<HostPair> RollingEvidence::pairs_across(LinkId link, Time since, std::size_t most) const {
    const auto shares = shares_across(link);
    std::vector<std::pair<HostPair, std::uint64_t>> sent;
    for_each_counted(since, Which::All, [&](const Kept& kept) {
        const std::uint64_t share = std::uint64_t{shares[kept.route.first]} + shares[kept.route.second];
        if (kept.path == kNoPath || share == 0) return;
        const PathKey key = names_->key(PathId{kept.path});
        sent.push_back({{key.requester, key.acceptor}, kept.sent * share});
    });
    return most_first(std::move(sent), most);
}

// They are moved, and watched for recovery. Only those count that cross it for certain: to move one that
// takes it with some chance gives it the same chance again, and what never crossed it proves no recovery.
std::vector<PathKey> RollingEvidence::paths_across(LinkId link, Time since, std::size_t most) const {
    const auto shares = shares_across(link);
    std::vector<std::pair<PathKey, std::uint64_t>> sent;
    for_each_counted(since, Which::All, [&](const Kept& kept) {
        const std::uint64_t share = std::uint64_t{shares[kept.route.first]} + shares[kept.route.second];
        if (kept.path == kNoPath || share < kParts) return;
        sent.push_back({names_->key(PathId{kept.path}), kept.sent});
    });
    return most_first(std::move(sent), most);
}

/// Sums over windows whose path is wanted by its key.
template <class IsWanted>
Crossing RollingEvidence::carried_where(Time since, IsWanted is_wanted) const {
    Crossing sum;
    for_each_counted(since, Which::All, [&](const Kept& kept) {
        if (kept.path == kNoPath || !is_wanted(names_->key(PathId{kept.path}))) return;
        sum.sent += kept.sent;
        sum.lost += kept.lost;
    });
    return sum;
}

Crossing RollingEvidence::carried(std::span<const PairPath> paths, Time since) const {
    return carried_where(since, [&](const PathKey& key) { return is_among(paths, key); });
}

Crossing RollingEvidence::carried_between(std::span<const HostPair> pairs, Time since) const {
    return carried_where(since, [&](const PathKey& key) { return is_among(pairs, key); });
}

}  // namespace dyetrace::localise
