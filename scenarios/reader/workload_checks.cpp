// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/workload_checks.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/name_pattern.h"
#include "scenarios/reader/schema.h"
#include "scenarios/reader/units.h"
#include "scenarios/reader/workload_kinds.h"

namespace dyetrace::scenario {
namespace {

/// Addresses of the guests' subnet.
constexpr std::size_t guests_most = 65'534;
/// The longest UDP payload over IPv6, whose header takes 20 bytes more: a guest's packet of 1486 bytes fits
/// into an underlay packet of 1600 then.
constexpr std::uint64_t packet_over_ipv6_most = 1458;

class WorkloadChecker {
  public:
    WorkloadChecker(const Scenario& scenario, std::size_t index, const Reading& reading, const Tell& tell)
        : scenario_(scenario),
          workload_(scenario.workloads[index]),
          path_(reading.is_given("workload.0") ? fmt::format("workload.{}", index) : "workload"),
          reading_(reading),
          tell_(tell) {}

    void check_values() {
        check_times();
        if (!good("kind")) return;
        tell_meaningless();
        check_packet();
        if (good("receiver") && good("receivers") && workload_.receiver && workload_.receivers > 1 &&
            has("receiver")) {
            error_at_given(
                {at("receivers"), at("receiver")},
                {fmt::format("one receiver is named, and there are to be {}", workload_.receivers)});
        }
    }

    /// Returns how many hosts take part.
    std::size_t check_hosts(NodeNames& names) {
        if (!good("kind") || !good("hosts")) return 0;
        std::set<std::uint32_t> racks;
        std::size_t hosts = 0;
        std::optional<std::uint32_t> slowest;
        for (std::uint32_t i = 0; i < scenario_.fabric.plan->host_count(); ++i) {
            if (!matches_name_pattern(workload_.hosts, names.name(i))) continue;
            ++hosts;
            if (!slowest || rate_of(i) < rate_of(*slowest)) slowest = i;
            racks.insert(scenario_.fabric.plan->nodes()[i].rack);
        }
        if (slowest && reading_.is_good("fabric.link_rate")) check_rates(names.name(*slowest), *slowest);
        if (hosts == 0) {
            error(at("hosts"), {fmt::format("no host is called like \"{}\"", workload_.hosts),
                                fmt::format("for example \"{}\", or a pattern", names.name(0))});
        } else if (workload_.kind == WorkloadKind::Incast) {
            check_incast(hosts, names);
        } else if (hosts == 1) {
            error(at("hosts"), {"only one host matches, and there is none that it could send to"});
        } else if (racks.size() < 2 && goes_to_other_racks()) {
            error(at("hosts"),
                  {"all hosts that match are in one rack, and flows go from one rack to another"});
        }
        return hosts;
    }

    void error_of_guests() {
        error(path_,
              {fmt::format("there would be more than {} guests: each workload but the first has one of "
                           "its own on each of its hosts",
                           guests_most)});
    }

  private:
    [[nodiscard]] std::string at(const std::string& key) const { return path_ + "." + key; }
    [[nodiscard]] bool good(const std::string& key) const { return reading_.is_good(at(key)); }
    /// The kind has the key.
    [[nodiscard]] bool has(std::string_view key) const { return has_key(info_of(workload_.kind), key); }
    void error(const std::string& path, Problem problem) {
        tell_(reading_.place(path), Severity::Error, std::move(problem));
    }
    /// At the first of the paths that the file or an override gives; a default can't be pointed at.
    void error_at_given(const std::vector<std::string>& paths, Problem problem) {
        for (const std::string& path : paths) {
            if (reading_.is_given(path)) return error(path, std::move(problem));
        }
        error(paths.front(), std::move(problem));
    }

    void check_packet() {
        if (!good("packet") || !reading_.is_good("fabric.underlay")) return;
        if (scenario_.fabric.underlay != "ipv6" || workload_.packet_bytes <= packet_over_ipv6_most) return;
        error_at_given(
            {at("packet"), "fabric.underlay"},
            {fmt::format("a packet of {} bytes is too long for an IPv6 underlay", workload_.packet_bytes),
             fmt::format("{} is the most; over IPv4 1472", packet_over_ipv6_most)});
    }
    void check_times() {
        const Duration end = scenario_.run.duration;
        const bool knows_end = reading_.is_good("run.duration");
        if (good("stop") && knows_end && workload_.stop && *workload_.stop > end) {
            error(at("stop"), {fmt::format("the workload stops at {}, after the run ends ({})",
                                           format_duration(*workload_.stop), format_duration(end)),
                               "leave stop out: it is the end of the run"});
        }
        const Duration stop = workload_.stop.value_or(end);
        if (good("start") && good("stop") && knows_end && workload_.start >= stop) {
            error_at_given(
                {at("start"), at("stop"), "run.duration"},
                {fmt::format("the workload starts at {}, not before {} ({})",
                             format_duration(workload_.start), workload_.stop ? "it stops" : "the run ends",
                             format_duration(stop))});
        }
    }

    void tell_meaningless() {
        const WorkloadKindInfo& info = info_of(workload_.kind);
        for (const KeyInfo& key : workload_schema().info().keys) {
            if (has(key.name) || !reading_.is_given(at(key.name)) || !good(key.name)) continue;
            tell_(reading_.place(at(key.name)), Severity::Warning,
                  {fmt::format("{} means nothing for {}", key.name, info.name),
                   fmt::format("its keys are {}", fmt::join(info.keys, ", "))});
        }
    }

    /// What the cable of a host has of its own; 0: link_rate.
    [[nodiscard]] std::uint64_t own_rate_of(std::uint32_t host) const {
        const localise::FabricPlan& plan = *scenario_.fabric.plan;
        const localise::PlannedPort& port = plan.ports()[plan.nodes()[host].first_port];
        return plan.cables()[port.cable].settings.rate_bps;
    }
    [[nodiscard]] std::uint64_t rate_of(std::uint32_t host) const {
        const std::uint64_t own = own_rate_of(host);
        return own != 0 ? own : scenario_.fabric.link_rate_bps;
    }

    /// Of the host with the slowest link.
    void check_rates(const std::string& name, std::uint32_t host) {
        const std::uint64_t link = rate_of(host);
        const auto check = [&](const std::string& key, std::uint64_t rate, std::string_view what) {
            if (!has(key) || !good(key) || rate <= link) return;
            const bool is_usual = own_rate_of(host) == 0;
            error_at_given(
                {at(key), "fabric.link_rate", "fabric.file"},
                {fmt::format("{} {}, more than {} carries ({})", what, format_rate(rate),
                             is_usual ? "a link" : "the link of " + name, format_rate(link)),
                 is_usual ? fmt::format("fabric.link_rate and workload.{} go together", key) : ""});
        };
        check("flow_rate", workload_.flow_rate_bps, "one flow is to send at");
        check("rate", workload_.rate_bps, "each host is to send");
    }

    [[nodiscard]] bool goes_to_other_racks() const {
        return workload_.kind == WorkloadKind::Flows ||
               (good("destination") && workload_.destination == "random");
    }

    void check_incast(std::size_t hosts, NodeNames& names) {
        if (good("fan_in") && good("receivers")) {
            const std::uint64_t needed = std::uint64_t{workload_.receivers} * (workload_.fan_in + 1);
            if (needed > hosts) {
                error_at_given(
                    {at("fan_in"), at("receivers"), at("hosts"), at("kind")},
                    {fmt::format("{} receiver{} with {} sender{} each need {} hosts; there are {}",
                                 workload_.receivers, workload_.receivers == 1 ? "" : "s", workload_.fan_in,
                                 workload_.fan_in == 1 ? "" : "s", needed, hosts)});
            }
        }
        if (!good("receiver") || !workload_.receiver) return;
        const std::string& name = *workload_.receiver;
        const auto node = names.find(name);
        if (!node) return error(at("receiver"), names.unknown_node(name));
        if (!names.is_host(*node)) {
            error(at("receiver"), {fmt::format("{} is a switch; a host receives", name),
                                   fmt::format("for example \"{}\"", names.name(0))});
        } else if (!matches_name_pattern(workload_.hosts, name)) {
            error(at("receiver"), {fmt::format("{} takes no part: hosts is \"{}\"", name, workload_.hosts)});
        }
    }

    const Scenario& scenario_;
    const WorkloadSettings& workload_;
    std::string path_;
    const Reading& reading_;
    const Tell& tell_;
};

}  // namespace

void check_workloads(const Scenario& scenario, const Reading& reading, const Tell& tell) {
    for (std::size_t i = 0; i < scenario.workloads.size(); ++i)
        WorkloadChecker(scenario, i, reading, tell).check_values();
}

void check_workload_hosts(const Scenario& scenario, NodeNames& names, const Reading& reading,
                          const Tell& tell) {
    std::size_t guests = scenario.fabric.plan->host_count();
    for (std::size_t i = 0; i < scenario.workloads.size(); ++i) {
        WorkloadChecker checker(scenario, i, reading, tell);
        const std::size_t hosts = checker.check_hosts(names);
        if (i == 0) continue;
        guests += hosts;
        if (guests > guests_most) return checker.error_of_guests();
    }
}

}  // namespace dyetrace::scenario
