// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/fabric_names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dyetrace::report {

FabricNames::FabricNames(const store::RunReader& run) {
    for (auto& node : run.nodes())
        nodes_.emplace(node.id, node.name);
    for (const auto& session : run.sessions()) {
        sessions_.emplace(session.id, std::pair(session.requester_node, session.acceptor_node));
    }
}

const std::string& FabricNames::node(store::RowId id) const {
    static const std::string unknown = "?";
    const auto found = nodes_.find(id);
    return found == nodes_.end() ? unknown : found->second;
}

std::string FabricNames::link(store::RowId from_node, store::RowId to_node) const {
    if (from_node == to_node) return node(from_node);
    return node(from_node) + " > " + node(to_node);
}

std::string FabricNames::session(store::RowId id) const {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? "?" : link(found->second.first, found->second.second);
}

std::string FabricNames::suspect(const store::SuspectRow& suspect) const {
    constexpr store::RowId none = -1;
    if (suspect.kind == "device") return node(suspect.device_node.value_or(none));
    return link(suspect.from_node.value_or(none), suspect.to_node.value_or(none));
}

bool crosses(const std::vector<store::RowId>& hops, store::RowId from_node, store::RowId to_node) {
    const std::array link{from_node, to_node};
    return std::search(hops.begin(), hops.end(), link.begin(), link.end()) != hops.end();
}

bool crosses(const std::vector<store::RowId>& hops, const store::SuspectRow& suspect) {
    if (suspect.kind == "device")
        return std::find(hops.begin(), hops.end(), suspect.device_node) != hops.end();
    return suspect.from_node && suspect.to_node && crosses(hops, *suspect.from_node, *suspect.to_node);
}

}  // namespace dyetrace::report
