// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/locate.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/planning/run_graph.h"
#include "analysis/store/error.h"
#include "analysis/store/run_reader.h"
#include "analysis/store/trace_file.h"
#include "core/localise/candidate_paths.h"
#include "core/localise/evidence.h"

namespace dyetrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using localise::FabricGraph;
using localise::NodeId;
using localise::NodeKind;
using localise::Suspect;
using Clock = std::chrono::steady_clock;

// ---- a run --------------------------------------------------------------------------------------------

/// Tells one measured path from all others of a run. Rows of a session share requester and acceptor, so its
/// row number in place of the session id is as good, and unlike that unique over the run.
localise::PathKey key_of(store::RowId session, std::uint16_t path_index, std::uint8_t generation) {
    localise::PathKey key;
    key.session = SessionId{static_cast<std::uint32_t>(session)};
    key.path = PathIndex{path_index};
    key.generation = PathGeneration{generation};
    return key;
}

localise::PathTotals totals_of(const store::PathRecordRow& row) {
    localise::PathTotals totals;
    totals.sent = row.sent;
    totals.received = row.received;
    totals.delay_count = row.delay_count;
    totals.delay_sum = Duration{row.delay_ns_sum};
    totals.delay_min = Duration{row.delay_ns_min};
    return totals;
}

// ---- a trace ------------------------------------------------------------------------------------------

/// Gives nodes of a trace their place in the graph as they turn up.
class TraceNodes {
  public:
    explicit TraceNodes(FabricGraph& graph) : graph_(graph) {}
    NodeId operator()(std::uint32_t number) {
        const auto [place, added] = nodes_.try_emplace(number);
        if (added) {
            place->second = graph_.add_node(
                std::to_string(number), number >= store::kTraceFirstHost ? NodeKind::Host : NodeKind::Switch);
        }
        return place->second;
    }

  private:
    FabricGraph& graph_;
    std::unordered_map<std::uint32_t, NodeId> nodes_;  // looked up, never walked
};

/// A flow whose path is not used.
struct FlowBetween {
    NodeId source, target;
    std::uint64_t sent = 0, lost = 0;
};

/// Adds flows by their candidate paths, and counts those that have none.
void add_unknown(const std::vector<FlowBetween>& flows, localise::CandidatePaths& candidates,
                 localise::Localiser& localiser, Located& located) {
    for (const FlowBetween& flow : flows) {
        const localise::Candidates found = candidates.between(flow.source, flow.target);
        if (!found.any) {
            ++located.paths_unknown;
            continue;
        }
        located.sent += flow.sent;
        located.lost += flow.lost;
        localise::Observation observation{found.common, flow.sent, flow.lost};
        if (!found.one) observation.set = found.set;
        localiser.add(observation);
    }
}

// ---- output -------------------------------------------------------------------------------------------

Json name_json(const Located& located, NodeId node) {
    const std::string& name = located.graph.name(node);
    if (!located.numbered) return name;
    std::uint32_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

Json list_json(const Located& located, const std::vector<Suspect>& list) {
    Json entries = Json::array();
    for (const Suspect& suspect : list) {
        Json entry;
        if (suspect.kind == Suspect::Kind::Link) {
            entry = {{"kind", "link"},
                     {"from", name_json(located, suspect.from)},
                     {"to", name_json(located, suspect.to)}};
        } else {
            entry = {{"kind", "device"}, {"name", name_json(located, suspect.device)}};
        }
        entry["log_odds"] = suspect.log_odds;
        entry["loss_rate"] = suspect.loss_rate;
        if (suspect.group >= 0) entry["group"] = suspect.group;
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::string what(const Located& located, const Suspect& suspect) {
    const auto name = [&](NodeId node) { return located.graph.name(node); };
    return suspect.kind == Suspect::Kind::Link ? name(suspect.from) + " > " + name(suspect.to)
                                               : name(suspect.device);
}

/// "350 : 1", or "1 : 20" for what is unlikely.
std::string odds_text(double log_odds) {
    constexpr double kBeyondWords = 1e9;
    const double odds = std::exp(std::min(std::abs(log_odds), 100.0));
    const std::string figure = odds < kBeyondWords ? fmt::format("{:.0f}", odds) : "> 10^9";
    return log_odds >= 0 ? figure + " : 1" : "1 : " + figure;
}

std::string list_text(const Located& located, const std::vector<Suspect>& list) {
    std::string text = fmt::format("  {:>4}  {:<6}  {:<28}  {:>8}  {:>12}  {:>8}  {}\n", "rank", "kind",
                                   "what", "log-odds", "odds", "loss", "group");
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Suspect& s = list[i];
        text +=
            fmt::format("  {:>4}  {:<6}  {:<28}  {:>8.1f}  {:>12}  {:>7.3f}%  {}\n", i + 1,
                        s.kind == Suspect::Kind::Link ? "link" : "device", what(located, s), s.log_odds,
                        odds_text(s.log_odds), 100 * s.loss_rate, s.group < 0 ? "" : std::to_string(s.group));
    }
    return text;
}

Json plan_json(const health::PairPlan& plan) {
    return {{"pairs", plan.chosen.size()},
            {"links", plan.covered},
            {"told_apart", plan.covered - plan.in_groups},
            {"groups", plan.groups}};
}

Json pairs_json(const Located& located, const planning::PairCover& cover) {
    Json fewest = plan_json(cover.fewest);
    Json chosen = Json::array();
    for (const std::size_t i : cover.fewest.chosen) {
        const health::PairCandidate& pair = cover.pairs[i];
        chosen.push_back({{"requester", name_json(located, pair.requester)},
                          {"acceptor", name_json(located, pair.acceptor)},
                          {"paths", pair.paths.size()}});
    }
    fewest["chosen"] = std::move(chosen);
    Json measured = plan_json(cover.all);
    measured["paths"] = cover.paths;
    return {{"links", cover.links}, {"measured", std::move(measured)}, {"fewest", std::move(fewest)}};
}

std::string plan_text(const planning::PairCover& cover, const health::PairPlan& plan) {
    return fmt::format("{} of {} links, {} of which can be told from all others", plan.covered, cover.links,
                       plan.covered - plan.in_groups);
}

std::string pairs_text(const Located& located, const planning::PairCover& cover) {
    std::string text =
        fmt::format("Pairs\n  {} were measured, over {} paths that were traced: {}\n  {} would do for: {}\n",
                    cover.pairs.size(), cover.paths, plan_text(cover, cover.all), cover.fewest.chosen.size(),
                    plan_text(cover, cover.fewest));
    for (const std::size_t i : cover.fewest.chosen) {
        const health::PairCandidate& pair = cover.pairs[i];
        text += fmt::format("    {} > {}, {} {}\n", located.graph.name(pair.requester),
                            located.graph.name(pair.acceptor), pair.paths.size(),
                            pair.paths.size() == 1 ? "path" : "paths");
    }
    return text;
}

/// Infers, and notes how long that took and what came before.
void finish(Located& located, localise::Localiser& localiser, const OtherEvidence& other,
            Clock::time_point begin) {
    located.unused = other.add_to(localiser, located.graph, !located.numbered);
    const auto read = Clock::now();
    located.verdict = localiser.infer();
    located.observations = localiser.observations();
    located.reading_s = std::chrono::duration<double>(read - begin).count();
    located.inference_s = std::chrono::duration<double>(Clock::now() - read).count();
}

bool any_group(const Located& located) {
    for (const auto* list : {&located.verdict.suspects, &located.verdict.candidates}) {
        for (const Suspect& suspect : *list) {
            if (suspect.group >= 0) return true;
        }
    }
    return false;
}

}  // namespace

Located locate_run(const std::filesystem::path& path, const OtherEvidence& other, WithPairs pairs) {
    const auto begin = Clock::now();
    const store::RunReader run(path);
    Located located;
    located.source = run.path().string();
    located.graph = planning::read_graph(run);
    localise::EvidenceBuilder evidence(located.graph);
    run.for_each_path_record([&](const store::PathRecordRow& row) {
        evidence.record(key_of(row.session, row.path_index, row.generation), Time{row.t_ns}, totals_of(row));
    });
    for (const auto& row : run.paths()) {
        if (!row.complete) continue;
        evidence.path(key_of(row.session, row.path_index, row.generation), Time{row.learned_ns.value_or(0)},
                      planning::hops_of(run, row, located.graph));
    }
    localise::Localiser localiser(located.graph);
    for (const auto& window : evidence.windows()) {
        localiser.add({window.path, window.sent, window.lost, window.window});
        located.sent += window.sent;
        located.lost += window.lost;
    }
    located.paths_unknown = evidence.paths_waiting();
    finish(located, localiser, other, begin);
    if (pairs == WithPairs::Yes) located.pairs = planning::cover_of(run, located.graph);
    return located;
}

Located locate_trace(const std::filesystem::path& path, TracePaths paths, const OtherEvidence& other) {
    const auto begin = Clock::now();
    Located located;
    located.source = path.string();
    located.numbered = true;
    localise::Localiser localiser(located.graph);
    TraceNodes node_of(located.graph);
    store::TraceFile trace(path, paths == TracePaths::Known ? store::TraceFile::Candidates::Skip
                                                            : store::TraceFile::Candidates::Read);
    store::TraceFlow flow;
    std::vector<localise::LinkId> links;
    std::vector<FlowBetween> unknown;
    bool any_flow = false;
    while (trace.next(flow)) {
        any_flow = true;
        if (paths == TracePaths::Unknown || (paths == TracePaths::Lossy && flow.lost == 0)) {
            const NodeId source = node_of(flow.hops.front()), target = node_of(flow.hops.back());
            located.graph.add_link(source, node_of(flow.hops[1]));
            located.graph.add_link(node_of(flow.hops[flow.hops.size() - 2]), target);
            unknown.push_back({source, target, flow.sent, flow.lost});
            continue;
        }
        links.clear();
        for (std::size_t i = 0; i + 1 < flow.hops.size(); ++i) {
            const NodeId from = node_of(flow.hops[i]);
            links.push_back(located.graph.add_link(from, node_of(flow.hops[i + 1])));
        }
        localiser.add({links, flow.sent, flow.lost});
        located.sent += flow.sent;
        located.lost += flow.lost;
    }
    // Of nothing it would follow that nothing is wrong.
    if (!any_flow) throw store::Error(located.source + ": holds no flow");
    for (const auto& [from, to] : trace.candidate_links()) {
        const NodeId start = node_of(from);
        located.graph.add_link(start, node_of(to));
    }
    localise::CandidatePaths candidates(located.graph);
    localiser.use_sets(candidates.sets());
    add_unknown(unknown, candidates, localiser, located);
    finish(located, localiser, other, begin);
    return located;
}

Json locate_json(const Located& located) {
    Json json{{"suspects", list_json(located, located.verdict.suspects)},
              {"candidates", list_json(located, located.verdict.candidates)}};
    if (located.pairs) json["pairs"] = pairs_json(located, *located.pairs);
    return json;
}

std::string locate_text(const Located& located) {
    std::string text = fmt::format("{}: {} {}, {} packets, {} lost\n", located.source, located.observations,
                                   located.numbered ? "flows" : "windows", located.sent, located.lost);
    if (located.paths_unknown > 0) {
        text += located.numbered
                    ? fmt::format("{} flows are left out: no path leads from their source to their target\n",
                                  located.paths_unknown)
                    : fmt::format("{} measured paths are left out: their hops were never learned\n",
                                  located.paths_unknown);
    }
    const auto& [suspects, candidates] = located.verdict;
    text += suspects.empty() ? "\nSuspects: none\n" : "\nSuspects\n" + list_text(located, suspects);
    if (!candidates.empty()) text += "\nNext best, not enough evidence\n" + list_text(located, candidates);
    if (any_group(located)) text += "\nThe evidence cannot tell entries of one group apart.\n";
    if (located.pairs) text += "\n" + pairs_text(located, *located.pairs);
    return text;
}

}  // namespace dyetrace::cli
