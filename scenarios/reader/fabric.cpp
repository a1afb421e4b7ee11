// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/fabric.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/localise/fabric_shapes.h"
#include "scenarios/reader/edge_list.h"
#include "scenarios/reader/files.h"
#include "scenarios/reader/graphml.h"
#include "scenarios/reader/network.h"
#include "scenarios/reader/route_tables.h"

namespace dyetrace::scenario {
namespace {

using localise::FabricPlan;

/// As many as the largest fat-tree has; a run needs some kilobytes for each.
constexpr std::uint64_t hosts_most = 65'536;

/// The keys of each kind that others have not.
const std::vector<std::string>& keys_of(FabricKind kind) {
    static const std::vector<std::string> fat_tree{"k"};
    static const std::vector<std::string> leaf_spine{"leaves", "spines", "hosts_per_rack", "uplink_rate"};
    static const std::vector<std::string> clos{"pods",           "edges",       "planes",   "spines",
                                               "hosts_per_rack", "uplink_rate", "core_rate"};
    static const std::vector<std::string> jellyfish{"switches", "degree", "wiring_seed", "hosts_per_rack"};
    static const std::vector<std::string> file{"file", "hosts_per_node", "largest_part"};
    switch (kind) {
        case FabricKind::FatTree: return fat_tree;
        case FabricKind::LeafSpine: return leaf_spine;
        case FabricKind::Clos: return clos;
        case FabricKind::Jellyfish: return jellyfish;
        case FabricKind::GraphMl:
        case FabricKind::EdgeList: return file;
    }
    return fat_tree;
}

constexpr FabricKind all_kinds[] = {FabricKind::FatTree,   FabricKind::LeafSpine, FabricKind::Clos,
                                    FabricKind::Jellyfish, FabricKind::GraphMl,   FabricKind::EdgeList};

std::string kind_word(FabricKind kind) {
    switch (kind) {
        case FabricKind::FatTree: return "fat-tree";
        case FabricKind::LeafSpine: return "leaf-spine";
        case FabricKind::Clos: return "clos";
        case FabricKind::Jellyfish: return "jellyfish";
        case FabricKind::GraphMl: return "graphml";
        case FabricKind::EdgeList: return "edge-list";
    }
    return "";
}

class Maker {
  public:
    Maker(Scenario& scenario, const Reading& reading, const std::filesystem::path& share, const Tell& tell,
          Diagnostics& diagnostics)
        : scenario_(scenario),
          fabric_(scenario.fabric),
          reading_(reading),
          share_(share),
          tell_(tell),
          diagnostics_(diagnostics) {}

    void run() {
        if (!reading_.is_good("fabric.kind")) return;
        check_meaning();
        for (const std::string& key : keys_of(fabric_.kind)) {
            if (!reading_.is_good("fabric." + key)) return;
        }
        auto plan = is_of_file() ? plan_of_file() : plan_of_shape();
        if (!plan) return;
        if (plan->rack_switches().size() < 2) {
            const auto& only = plan->nodes()[plan->rack_switches().front()].name;
            return error({"file", "edges", "kind"},
                         {fmt::format("only {} has hosts, and flows go from one rack to another", only), ""});
        }
        if (plan->host_count() > hosts_most) return error_of_size(plan->host_count());
        // Regular shapes have few choices, within their largest sizes.
        if (is_of_file() || fabric_.kind == FabricKind::Jellyfish) {
            if (std::string problem = problem_of_routes(*plan); !problem.empty())
                return error({"file", "degree", "switches", "kind"}, {std::move(problem), ""});
        }
        fabric_.plan = std::make_shared<const FabricPlan>(*std::move(plan));
        const auto& first = fabric_.plan->nodes().front().name;
        if (!reading_.is_given("health.host")) scenario_.health.host = first;
    }

  private:
    [[nodiscard]] bool is_of_file() const {
        return fabric_.kind == FabricKind::GraphMl || fabric_.kind == FabricKind::EdgeList;
    }

    /// At the first of the keys that is given.
    void error(std::initializer_list<const char*> keys, Problem problem) {
        for (const char* key : keys) {
            const std::string path = std::string("fabric.") + key;
            if (reading_.is_given(path))
                return tell_(reading_.place(path), Severity::Error, std::move(problem));
        }
        tell_(reading_.place("fabric"), Severity::Error, std::move(problem));
    }

    void check_meaning() {
        const auto& own = keys_of(fabric_.kind);
        std::vector<std::string> told;
        for (const FabricKind other : all_kinds) {
            for (const std::string& key : keys_of(other)) {
                const std::string path = "fabric." + key;
                const bool is_own = std::find(own.begin(), own.end(), key) != own.end();
                const bool is_told = std::find(told.begin(), told.end(), key) != told.end();
                if (is_own || is_told || !reading_.is_given(path) || !reading_.is_good(path)) continue;
                told.push_back(key);
                tell_(reading_.place(path), Severity::Warning,
                      {fmt::format("{} means nothing for {}", key, kind_word(fabric_.kind)),
                       fmt::format("its keys are {}", fmt::join(own, ", "))});
            }
        }
    }

    std::optional<FabricPlan> plan_of_shape() {
        const std::uint64_t hosts = hosts_of_shape();
        if (hosts > hosts_most) {
            error_of_size(hosts);
            return std::nullopt;
        }
        auto plan = shape();
        if (plan) return *std::move(plan);
        error({"degree", "switches", "planes", "edges", "kind"}, {plan.error(), ""});
        return std::nullopt;
    }

    void error_of_size(std::uint64_t hosts) {
        error({"file", "hosts_per_rack", "leaves", "pods", "edges", "switches", "kind"},
              {fmt::format("a fabric of {} hosts is too large: at most {} are allowed", hosts, hosts_most),
               ""});
    }

    [[nodiscard]] std::uint64_t hosts_of_shape() const {
        const std::uint64_t each = fabric_.hosts_per_rack;
        switch (fabric_.kind) {
            case FabricKind::LeafSpine: return each * fabric_.leaves;
            case FabricKind::Clos: return each * fabric_.pods * fabric_.edges;
            case FabricKind::Jellyfish: return each * fabric_.switches;
            case FabricKind::FatTree:
            case FabricKind::GraphMl:
            case FabricKind::EdgeList: break;
        }
        return 0;
    }

    [[nodiscard]] Result<FabricPlan, std::string> shape() const {
        const std::uint64_t uplink = fabric_.uplink_rate_bps.value_or(0);
        switch (fabric_.kind) {
            case FabricKind::LeafSpine:
                return localise::plan_leaf_spine(
                    {fabric_.leaves, fabric_.spines, fabric_.hosts_per_rack, uplink});
            case FabricKind::Clos:
                return localise::plan_clos({fabric_.pods, fabric_.edges, fabric_.planes, fabric_.spines,
                                            fabric_.hosts_per_rack, uplink,
                                            fabric_.core_rate_bps.value_or(0)});
            case FabricKind::Jellyfish:
                return localise::plan_jellyfish(
                    {fabric_.switches, fabric_.degree, fabric_.hosts_per_rack, fabric_.wiring_seed});
            case FabricKind::FatTree:
            case FabricKind::GraphMl:
            case FabricKind::EdgeList: break;
        }
        return localise::plan_fat_tree(static_cast<std::uint32_t>(fabric_.k));
    }

    std::optional<FabricPlan> plan_of_file() {
        const bool is_graphml = fabric_.kind == FabricKind::GraphMl;
        if (!fabric_.file) {
            error({"file", "kind"}, {fmt::format("{} has no file", kind_word(fabric_.kind)),
                                     is_graphml ? "file = \"NAME.graphml\"" : "file = \"NAME.edges\""});
            return std::nullopt;
        }
        const Shelf shelf{"topology", "topologies", is_graphml ? ".graphml" : ".edges"};
        const auto path =
            find_file(shelf, *fabric_.file, std::filesystem::path(scenario_.path).parent_path(), share_);
        if (!path) {
            error({"file"}, path.error());
            return std::nullopt;
        }
        auto text = read_input(*path);
        if (!text) {
            error({"file"},
                  {fmt::format("{}: {}", path->string(), text.error().message), text.error().suggestion});
            return std::nullopt;
        }
        fabric_.topology_path = path->string();
        fabric_.topology_text = *std::move(text);
        const SourceText source(fabric_.topology_path, fabric_.topology_text);
        FileReport report(source, diagnostics_);
        Network network = is_graphml ? read_graphml(report) : read_edge_list(report);
        if (!network.is_whole) return std::nullopt;
        if (fabric_.largest_part) keep_largest_part(network, report);
        warn_of_hosts(network);
        return plan_network(network, {fabric_.hosts_per_node, fabric_.link_rate_bps, fabric_.link_delay},
                            report);
    }

    void warn_of_hosts(const Network& network) {
        const bool names_hosts = std::any_of(network.nodes.begin(), network.nodes.end(),
                                             [](const NetworkNode& node) { return node.is_host; });
        if (!names_hosts || !reading_.is_given("fabric.hosts_per_node")) return;
        tell_(reading_.place("fabric.hosts_per_node"), Severity::Warning,
              {fmt::format("hosts_per_node means nothing for {}, which names its hosts", *fabric_.file), ""});
    }

    Scenario& scenario_;
    FabricSettings& fabric_;
    const Reading& reading_;
    const std::filesystem::path& share_;
    const Tell& tell_;
    Diagnostics& diagnostics_;
};

}  // namespace

std::string fabric_words(const FabricSettings& fabric) {
    switch (fabric.kind) {
        case FabricKind::FatTree: return fmt::format("fat-tree of k = {}", fabric.k);
        case FabricKind::LeafSpine:
            return fmt::format("leaf-spine of {} leaves and {} spines", fabric.leaves, fabric.spines);
        case FabricKind::Clos:
            return fmt::format("Clos of {} pods and {} planes", fabric.pods, fabric.planes);
        case FabricKind::Jellyfish:
            return fmt::format("Jellyfish of {} switches and degree {}", fabric.switches, fabric.degree);
        case FabricKind::GraphMl:
        case FabricKind::EdgeList: return fmt::format("network of {}", fabric.file.value_or("no file"));
    }
    return "";
}

std::string fabric_name_patterns(FabricKind kind) {
    switch (kind) {
        case FabricKind::FatTree: return "host-P-E-N, edge-P-N, agg-P-N and core-N";
        case FabricKind::LeafSpine: return "host-L-N, leaf-N and spine-N";
        case FabricKind::Clos: return "host-P-E-N, edge-P-N, agg-P-N and core-A-N";
        case FabricKind::Jellyfish: return "host-S-N and switch-N";
        case FabricKind::GraphMl:
        case FabricKind::EdgeList: break;
    }
    return "";
}

void plan_fabric(Scenario& scenario, const Reading& reading, const std::filesystem::path& share,
                 const Tell& tell, Diagnostics& diagnostics) {
    Maker(scenario, reading, share, tell, diagnostics).run();
}

}  // namespace dyetrace::scenario
