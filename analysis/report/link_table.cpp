// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/link_table.h"

#include <algorithm>
#include <map>
#include <utility>

#include "analysis/report/fabric_names.h"
#include "analysis/store/truth_reader.h"

namespace dyetrace::report {
namespace {

using LinkEnds = std::pair<store::RowId, store::RowId>;

void add_measured(const store::RunReader& run, std::map<LinkEnds, LinkLine>& lines) {
    std::map<PathKey, store::PathRecordRow> totals;
    for (const auto& record : run.last_path_records()) {
        totals.emplace(PathKey{record.session, record.path_index, record.generation}, record);
    }
    for (const auto& path : run.paths()) {
        const auto total = totals.find({path.session, path.path_index, path.generation});
        for (std::size_t hop = 1; hop < path.hops.size(); ++hop) {
            const auto line = lines.find({path.hops[hop - 1], path.hops[hop]});
            if (line == lines.end()) continue;
            ++line->second.paths;
            if (total == totals.end()) continue;
            line->second.sent += total->second.sent;
            line->second.lost += static_cast<std::int64_t>(total->second.sent) -
                                 static_cast<std::int64_t>(total->second.received);
        }
    }
}

void add_truth(const store::RunReader& run, std::map<LinkEnds, LinkLine>& lines) {
    const auto drops = store::TruthReader(run).drops();
    if (drops.empty()) return;
    for (auto& [ends, line] : lines) {
        line.truth_fault_drops = 0;
        line.truth_queue_drops = 0;
    }
    for (const auto& drop : drops) {
        const auto line = lines.find({drop.from_node, drop.to_node});
        if (line == lines.end()) continue;
        auto& total = drop.cause == "queue" ? line->second.truth_queue_drops : line->second.truth_fault_drops;
        *total += drop.data_packets;
    }
}

}  // namespace

double LinkLine::loss_share() const {
    return sent == 0 ? 0.0 : static_cast<double>(lost) / static_cast<double>(sent);
}

std::vector<LinkLine> make_link_table(const store::RunReader& run) {
    const FabricNames names(run);
    std::map<LinkEnds, LinkLine> lines;
    for (const auto& link : run.links()) {
        LinkLine& line = lines[{link.from_node, link.to_node}];
        line.from_node = link.from_node;
        line.to_node = link.to_node;
        line.name = names.link(link.from_node, link.to_node);
    }
    add_measured(run, lines);
    add_truth(run, lines);
    std::vector<LinkLine> table;
    table.reserve(lines.size());
    for (auto& [ends, line] : lines)
        table.push_back(std::move(line));
    std::stable_sort(table.begin(), table.end(),
                     [](const auto& a, const auto& b) { return a.loss_share() > b.loss_share(); });
    return table;
}

}  // namespace dyetrace::report
