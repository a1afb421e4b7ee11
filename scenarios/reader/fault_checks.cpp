// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/fault_checks.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/name_pattern.h"
#include "scenarios/reader/fault_kinds.h"
#include "scenarios/reader/schema.h"
#include "scenarios/reader/units.h"

namespace dyetrace::scenario {
namespace {

class FaultChecker {
  public:
    FaultChecker(const Scenario& scenario, std::size_t index, const Reading& reading, const Tell& tell)
        : scenario_(scenario),
          fault_(scenario.faults[index]),
          path_(fmt::format("fault.{}", index)),
          reading_(reading),
          tell_(tell) {}

    void check_times() {
        const Duration end = scenario_.run.duration;
        if (good("at") && reading_.is_good("run.duration") && fault_.at >= end) {
            error("at", {fmt::format("the fault begins at {}, when the run has ended ({})",
                                     format_duration(fault_.at), format_duration(end)),
                         "let it begin earlier, or make run.duration longer"});
        }
        if (good("at") && good("until") && fault_.until && *fault_.until <= fault_.at) {
            error("until", {fmt::format("the fault ends at {}, not after it begins ({})",
                                        format_duration(*fault_.until), format_duration(fault_.at))});
        }
    }

    void check_keys() {
        if (!knows_kind()) return;
        const FaultKindInfo& info = info_of(fault_.kind);
        if (info.place == FaultPlace::Links) {
            require("from", "a node or a pattern");
            require("to", "a node or a pattern");
        } else {
            require("node",
                    info.place == FaultPlace::Hosts ? "a host or a pattern" : "a switch or a pattern");
        }
        const auto& needed = info.required;
        const bool has_one =
            std::any_of(needed.begin(), needed.end(), [&](const std::string& key) { return is_given(key); });
        if (!needed.empty() && !has_one) {
            tell_(reading_.place(path_), Severity::Error,
                  {fmt::format("this {} has no {}", info.name, fmt::join(needed, " and no ")), info.example});
        }
        tell_meaningless(info);
        if (fault_.kind == FaultKind::FlowDrop && is_given("share") && !fault_.match.rules.empty()) {
            tell_(place("share"), Severity::Warning, {"share means nothing where match says which flows"});
        }
        if (fault_.kind == FaultKind::FlowDrop && has("match")) check_match();
    }

    void check_place(NodeNames& names) {
        if (!knows_kind()) {  // whatever it is to be, names are right or wrong
            if (has("from")) find_node("from", fault_.from, names);
            if (has("to")) find_node("to", fault_.to, names);
            if (has("node")) find_node("node", fault_.node, names);
            return;
        }
        const FaultKindInfo& info = info_of(fault_.kind);
        info.place == FaultPlace::Links ? check_links(names) : check_nodes(info, names);
    }

  private:
    [[nodiscard]] std::string at(const std::string& key) const { return path_ + "." + key; }
    [[nodiscard]] bool good(const std::string& key) const { return reading_.is_good(at(key)); }
    [[nodiscard]] bool is_given(const std::string& key) const { return reading_.is_given(at(key)); }
    /// The name is there, and was read.
    [[nodiscard]] bool has(const std::string& key) const { return is_given(key) && good(key); }
    [[nodiscard]] Place place(const std::string& key) const { return reading_.place(at(key)); }
    [[nodiscard]] bool knows_kind() const { return has("kind"); }
    void error(const std::string& key, Problem problem) {
        tell_(place(key), Severity::Error, std::move(problem));
    }

    void require(const std::string& key, const std::string& what) {
        if (is_given(key)) return;
        tell_(reading_.place(path_), Severity::Error,
              {fmt::format("this fault has no {}", key), fmt::format("{} is {}", key, what)});
    }

    /// Links carry what EPPCs have encapsulated.
    void check_match() {
        for (std::size_t i = 0; i < fault_.match.rules.size(); ++i) {
            if (!fault_.match.rules[i].vni) continue;
            tell_(reading_.element_place(at("match"), i), Severity::Error,
                  {"match: outer headers have no vni, so this rule meets nothing",
                   "say addresses, ports or protocol of the packets between hosts"});
        }
    }

    void tell_meaningless(const FaultKindInfo& info) {
        for (const KeyInfo& key : fault_schema().info().keys) {
            if (!has(key.name) || has_key(info, key.name)) continue;
            tell_(place(key.name), Severity::Warning,
                  {fmt::format("{} means nothing for {}: {}", key.name, info.name, info.meaning)});
        }
    }

    /// Nothing for a pattern, and after an error.
    std::optional<std::uint32_t> find_node(const std::string& key, const std::string& name,
                                           NodeNames& names) {
        if (is_name_pattern(name)) return std::nullopt;
        const auto node = names.find(name);
        if (!node) error(key, names.unknown_node(name));
        return node;
    }

    void check_links(NodeNames& names) {
        std::optional<std::uint32_t> from;
        std::optional<std::uint32_t> to;
        if (has("from")) from = find_node("from", fault_.from, names);
        if (has("to")) to = find_node("to", fault_.to, names);
        if (!has("from") || !has("to")) return;
        const bool are_known = (from || is_name_pattern(fault_.from)) && (to || is_name_pattern(fault_.to));
        if (!are_known) return;
        if (from && to) {
            if (!names.is_link(*from, *to)) return error("to", names.no_link(*from, *to));
            return check_count(1, "link");
        }
        std::size_t matching = 0;
        for (const localise::PlannedCable& cable : scenario_.fabric.plan->cables()) {
            const std::string& lower = names.name(cable.lower);
            const std::string& upper = names.name(cable.upper);
            matching += matches_name_pattern(fault_.from, lower) && matches_name_pattern(fault_.to, upper);
            matching += matches_name_pattern(fault_.from, upper) && matches_name_pattern(fault_.to, lower);
        }
        if (matching == 0) {
            return error("from", {fmt::format("no link goes from \"{}\" to \"{}\"", fault_.from, fault_.to)});
        }
        check_count(matching, "link");
    }

    void check_nodes(const FaultKindInfo& info, NodeNames& names) {
        if (!has("node")) return;
        const bool hosts = info.place == FaultPlace::Hosts;
        if (!is_name_pattern(fault_.node)) {
            const auto node = find_node("node", fault_.node, names);
            if (node && names.is_host(*node) != hosts) {
                error("node",
                      {fmt::format("{} is a {}; {} strikes {}", fault_.node, hosts ? "switch" : "host",
                                   info.name, hosts ? "hosts" : "switches")});
            } else if (node) {
                check_count(1, "node");
                check_service(info);
            }
            return;
        }
        const auto& nodes = scenario_.fabric.plan->nodes();
        std::size_t matching = 0;
        for (std::uint32_t i = 0; i < nodes.size(); ++i)
            matching += names.is_host(i) == hosts && matches_name_pattern(fault_.node, nodes[i].name);
        if (matching == 0) {
            return error(
                "node", {fmt::format("no {} is called like \"{}\"", hosts ? "host" : "switch", fault_.node)});
        }
        check_count(matching, "node");
        check_service(info);
    }

    /// An outage is of the one service that there is.
    void check_service(const FaultKindInfo& info) {
        if (info.kind != FaultKind::NhmsOutage || !reading_.is_good("health.host")) return;
        const std::string& host = scenario_.health.host;
        if (matches_name_pattern(fault_.node, host)) return;
        error("node", {fmt::format("the health service is on {}: there is no outage anywhere else", host),
                       fmt::format("node = \"{}\"", host)});
    }

    void check_count(std::size_t matching, std::string_view what) {
        if (!good("count") || fault_.count <= matching) return;
        error("count", {fmt::format("only {} {}{} match{}, not {}", matching, what, matching == 1 ? "" : "s",
                                    matching == 1 ? "es" : "", fault_.count)});
    }

    const Scenario& scenario_;
    const Fault& fault_;
    std::string path_;
    const Reading& reading_;
    const Tell& tell_;
};

}  // namespace

void check_fault(const Scenario& scenario, std::size_t index, const Reading& reading, const Tell& tell) {
    FaultChecker checker(scenario, index, reading, tell);
    checker.check_times();
    checker.check_keys();
}

void check_fault_place(const Scenario& scenario, std::size_t index, NodeNames& names, const Reading& reading,
                       const Tell& tell) {
    FaultChecker(scenario, index, reading, tell).check_place(names);
}

}  // namespace dyetrace::scenario
