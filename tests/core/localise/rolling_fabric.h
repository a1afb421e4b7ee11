// SPDX-License-Identifier: GPL-2.0-or-later
// A small fabric for tests of rolling evidence, and what it means that two verdicts are the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/time.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"

namespace dyetrace::localise::test {

inline Time at_ms(std::int64_t ms) {
    return Time{ms * 1'000'000};
}

/// Four racks of four hosts, each rack joined to every one of four spines.
class RackFabric {
  public:
    static constexpr int kRacks = 4, kSpines = 4, kHosts = 4;

    RackFabric() {
        for (int s = 0; s < kSpines; ++s)
            spines_.push_back(graph.add_node("spine-" + std::to_string(s), NodeKind::Switch));
        for (int r = 0; r < kRacks; ++r) {
            racks_.push_back(graph.add_node("rack-" + std::to_string(r), NodeKind::Switch));
            for (const NodeId spine : spines_)
                join(racks_.back(), spine);
            for (int h = 0; h < kHosts; ++h) {
                const auto number = static_cast<std::uint32_t>(hosts_.size());
                hosts_.push_back(graph.add_node("host-" + std::to_string(number), NodeKind::Host,
                                                Ipv4Address{0x0a000001 + number}));
                join(racks_.back(), hosts_.back());
            }
        }
    }

    [[nodiscard]] std::vector<NodeId> hops(std::size_t from, std::size_t to, std::size_t spine) const {
        const NodeId one = racks_[from / kHosts], other = racks_[to / kHosts];
        if (one == other) return {hosts_[from], one, hosts_[to]};
        return {hosts_[from], one, spines_[spine], other, hosts_[to]};
    }
    [[nodiscard]] IpAddress address(std::size_t host) const { return graph.address(hosts_[host]); }
    [[nodiscard]] std::size_t hosts() const { return hosts_.size(); }

    FabricGraph graph;

  private:
    void join(NodeId one, NodeId other) {
        graph.add_link(one, other);
        graph.add_link(other, one);
    }
    std::vector<NodeId> spines_, racks_, hosts_;
};

using Named = std::tuple<Suspect::Kind, std::uint32_t, std::uint32_t, std::uint32_t>;
inline std::map<Named, const Suspect*> by_name(const std::vector<Suspect>& suspects) {
    std::map<Named, const Suspect*> named;
    for (const Suspect& s : suspects)
        named[{s.kind, s.from.value, s.to.value, s.device.value}] = &s;
    return named;
}

inline void expect_same(const Verdict& one, const Verdict& other, double tolerance = 1e-6) {
    const auto ours = by_name(one.suspects), theirs = by_name(other.suspects);
    ASSERT_EQ(ours.size(), theirs.size());
    for (const auto& [name, suspect] : ours) {
        ASSERT_TRUE(theirs.contains(name));
        EXPECT_NEAR(suspect->log_odds, theirs.at(name)->log_odds,
                    tolerance * (1 + std::abs(suspect->log_odds)));
        EXPECT_NEAR(suspect->loss_rate, theirs.at(name)->loss_rate,
                    std::max(1e-9, tolerance * suspect->loss_rate));
        EXPECT_EQ(suspect->group >= 0, theirs.at(name)->group >= 0);
    }
    const auto next = by_name(one.candidates), their_next = by_name(other.candidates);
    for (const auto& [name, candidate] : next) {
        const auto same = their_next.find(name);  // a link that lost nothing may stand in its place
        if (same == their_next.end()) continue;
        EXPECT_NEAR(candidate->log_odds, same->second->log_odds,
                    tolerance * (1 + std::abs(candidate->log_odds)));
    }
    EXPECT_EQ(one.candidates.empty(), other.candidates.empty());
}

}  // namespace dyetrace::localise::test
