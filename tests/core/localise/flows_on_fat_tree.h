// SPDX-License-Identifier: GPL-2.0-or-later
// Random flows on a small fat-tree whose links and devices lose what a test says.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/localise/localiser.h"
#include "tests/core/localise/congested_fabric.h"

namespace dyetrace::localise::test {

/// One observation a flow, without windows, on a fat-tree of k = 4 with losses of given links.
class FlowsTest : public testing::Test {
  protected:
    struct Flow {
        std::vector<LinkId> path;
        std::uint64_t sent = 0, lost = 0;
    };

    NodeId node(const std::string& name) const { return graph_.find(name).value(); }
    LinkId link(const std::string& from, const std::string& to) const {
        return graph_.link(node(from), node(to)).value();
    }

    void lose(const std::string& from, const std::string& to, double rate) { rates_[link(from, to)] = rate; }
    void lose_device(const std::string& name, double rate) { device_rates_[node(name)] = rate; }

    std::vector<NodeId> random_route() {
        const auto host = [&](std::uint32_t h) {
            return "host-" + std::to_string(h / 4) + "-" + std::to_string(h / 2 % 2) + "-" +
                   std::to_string(h % 2);
        };
        const std::uint32_t source = random_.below(16), target = (source + 1 + random_.below(15)) % 16;
        const auto pod = [](std::uint32_t h) { return std::to_string(h / 4); };
        const auto edge = [&](std::uint32_t h) { return "edge-" + pod(h) + "-" + std::to_string(h / 2 % 2); };
        const std::uint32_t agg = random_.below(2), core = 2 * agg + random_.below(2);
        std::vector<NodeId> hops{node(host(source)), node(edge(source))};
        if (edge(source) != edge(target)) {
            hops.push_back(node("agg-" + pod(source) + "-" + std::to_string(agg)));
            if (pod(source) != pod(target)) {
                hops.push_back(node("core-" + std::to_string(core)));
                hops.push_back(node("agg-" + pod(target) + "-" + std::to_string(agg)));
            }
            hops.push_back(node(edge(target)));
        }
        hops.push_back(node(host(target)));
        return hops;
    }

    double loss_of(const std::vector<NodeId>& hops) const {
        double pass = 1;
        for (std::size_t i = 0; i + 1 < hops.size(); ++i) {
            const auto rate = rates_.find(*graph_.link(hops[i], hops[i + 1]));
            pass *= 1 - (rate == rates_.end() ? 3e-5 : rate->second);
        }
        for (const NodeId hop : hops) {
            const auto rate = device_rates_.find(hop);
            if (rate != device_rates_.end()) pass *= 1 - rate->second;
        }
        return 1 - pass;
    }

    std::vector<Flow> flows(std::size_t count, std::uint64_t packets = 500) {
        std::vector<Flow> all;
        for (std::size_t i = 0; i < count; ++i) {
            const auto hops = random_route();
            Flow flow{*graph_.links_along(hops), packets, 0};
            const double loss = loss_of(hops);
            for (std::uint64_t p = 0; p < packets; ++p)
                flow.lost += random_.uniform() < loss ? 1 : 0;
            all.push_back(flow);
        }
        return all;
    }

    Verdict locate(const std::vector<Flow>& all, LocaliserConfig config = {}) const {
        Localiser localiser(graph_, config);
        for (const Flow& flow : all)
            localiser.add({flow.path, flow.sent, flow.lost});
        return localiser.infer();
    }

    std::string name_of(const Suspect& s) const {
        if (s.kind == Suspect::Kind::Device) return graph_.name(s.device);
        return graph_.name(s.from) + ">" + graph_.name(s.to);
    }
    std::vector<std::string> names(const std::vector<Suspect>& list) const {
        std::vector<std::string> all;
        for (const Suspect& s : list)
            all.push_back(name_of(s));
        return all;
    }

    FabricGraph graph_ = make_fat_tree(4);
    Random random_{11};
    std::map<LinkId, double> rates_;
    std::map<NodeId, double> device_rates_;
};

}  // namespace dyetrace::localise::test
