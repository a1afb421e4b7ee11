// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/checks.h"

#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "core/base/name_pattern.h"
#include "scenarios/reader/client_checks.h"
#include "scenarios/reader/fault_checks.h"
#include "scenarios/reader/node_names.h"
#include "scenarios/reader/units.h"
#include "scenarios/reader/workload_checks.h"

namespace dyetrace::scenario {
namespace {

/// A share above zero below this has an N beyond 32 bits (wire/sampling_spec.h).
constexpr double sampled_least = 1e-9;

class Checker {
  public:
    Checker(const Scenario& scenario, const Reading& reading, const Tell& tell)
        : scenario_(scenario), reading_(reading), tell_(tell) {}

    void run() {
        check_workloads(scenario_, reading_, tell_);
        check_tracking();
        check_migration();
        for (std::size_t i = 0; i < scenario_.faults.size(); ++i)
            check_fault(scenario_, i, reading_, tell_);
        // Whether a name is known shows only once the fabric is.
        if (!scenario_.fabric.plan) return;
        NodeNames names(scenario_.fabric);
        check_workload_hosts(scenario_, names, reading_, tell_);
        check_health(names);
        for (std::size_t i = 0; i < scenario_.clocks.size(); ++i)
            check_clock(i, names);
        for (std::size_t i = 0; i < scenario_.faults.size(); ++i)
            check_fault_place(scenario_, i, names, reading_, tell_);
        check_ports(names);
        check_clients(scenario_, names, reading_, tell_);
    }

  private:
    bool good(std::initializer_list<std::string> paths) const {
        for (const std::string& path : paths) {
            if (!reading_.is_good(path)) return false;
        }
        return true;
    }
    void error(const std::string& path, Problem problem) {
        tell_(reading_.place(path), Severity::Error, std::move(problem));
    }
    /// At the first of the paths that the file or an override gives; a default can't be pointed at.
    void error_at_given(std::initializer_list<std::string> paths, Problem problem) {
        for (const std::string& path : paths) {
            if (reading_.is_given(path)) return error(path, std::move(problem));
        }
        error(*paths.begin(), std::move(problem));
    }

    void check_tracking() {
        const TrackingSettings& tracking = scenario_.tracking;
        if (good({"tracking.rate"}) && tracking.rate > 0 && tracking.rate < sampled_least) {
            error("tracking.rate",
                  {fmt::format("{} is less than one packet in 1e9", format_number(tracking.rate)),
                   "0 tags none"});
        }
        check_sampling();
        check_budget();
        check_key();
    }

    /// What only some kinds of sampling look at, given with another.
    void check_sampling() {
        if (!good({"tracking.sampling"})) return;
        const SamplingKind kind = scenario_.tracking.sampling;
        const auto without_meaning = [&](const std::string& key, bool has_meaning) {
            const std::string path = "tracking." + key;
            if (has_meaning || !reading_.is_given(path) || !good({path})) return;
            tell_(reading_.place(path), Severity::Warning,
                  {fmt::format("{} means nothing for {}", key, wire::to_string(kind))});
        };
        without_meaning("rate", kind != SamplingKind::RateBudget);
        without_meaning("sampling_seed", kind == SamplingKind::HashConsistent);
        without_meaning("sampling_budget", kind == SamplingKind::RateBudget);
        without_meaning("sampling_burst", kind == SamplingKind::RateBudget);
    }

    /// Every host is told the same, so a budget that one session exceeds leaves none.
    void check_budget() {
        const TrackingSettings& tracking = scenario_.tracking;
        if (!good({"tracking.accepted_per_second", "tracking.tracked_per_second"})) return;
        if (tracking.accepted_per_second == 0) return;
        const bool promises = tracking.tracked_per_second != 0;
        if (promises && tracking.tracked_per_second <= tracking.accepted_per_second) return;
        tell_(reading_.place("tracking.accepted_per_second"), Severity::Warning,
              {promises ? fmt::format("every session is refused: each promises {} a second",
                                      tracking.tracked_per_second)
                        : "every session is refused: none promises a bound",
               "tracked_per_second is what each promises"});
    }

    void check_key() {
        const TrackingSettings& tracking = scenario_.tracking;
        if (!good({"tracking.key", "tracking.insecure"})) return;
        if (tracking.key && tracking.insecure) {
            error("tracking.insecure",
                  {"there is a key, and insecure = true says to work without one", "remove one of the two"});
        }
        if (!tracking.key && !tracking.insecure) {
            error_at_given({"tracking.key", "tracking.insecure", "tracking"},
                           {"[tracking] has no key, and does not say insecure = true",
                            "key = \"<64 hexadecimal digits>\"; make one with: openssl rand -hex 32"});
        }
    }

    /// Guests that are to have moved later than anybody waits for would never be seen to have.
    void check_migration() {
        const HealthSettings& health = scenario_.health;
        if (!good({"health.migrate", "health.migrate_after", "health.verify_within"})) return;
        if (health.migrate != RemedyMode::Automatic || health.migrate_after < health.verify_within) return;
        error_at_given(
            {"health.migrate_after", "health.verify_within", "health"},
            {fmt::format("guests move {} after they are to, and nobody waits for them longer than {}",
                         format_duration(health.migrate_after), format_duration(health.verify_within)),
             "migrate_after is to be shorter than verify_within"});
    }

    void check_health(NodeNames& names) {
        if (!good({"health.host"})) return;
        const auto node = names.find(scenario_.health.host);
        if (!node) return error("health.host", names.unknown_node(scenario_.health.host));
        if (!names.is_host(*node)) {
            error("health.host",
                  {fmt::format("{} is a switch; the health service stands on a host", scenario_.health.host),
                   fmt::format("for example \"{}\"", names.name(0))});
        }
    }

    void check_clock(std::size_t index, NodeNames& names) {
        const std::string path = fmt::format("clock.{}.hosts", index);
        if (!reading_.is_given(path) || !good({path})) return;
        const std::string& hosts = scenario_.clocks[index].hosts;
        if (!is_name_pattern(hosts)) {
            const auto node = find_node(reading_.place(path), hosts, names);
            if (node && !names.is_host(*node))
                error(path, {fmt::format("{} is a switch; only hosts have clocks here", hosts)});
            return;
        }
        const auto& nodes = scenario_.fabric.plan->nodes();
        for (std::uint32_t i = 0; i < nodes.size() && names.is_host(i); ++i) {
            if (matches_name_pattern(hosts, nodes[i].name)) return;
        }
        error(path, {fmt::format("no host is called like \"{}\"", hosts)});
    }

    /// The node named at `place`, or nothing after an error.
    std::optional<std::uint32_t> find_node(const Place& place, std::string_view name, NodeNames& names) {
        const auto node = names.find(name);
        if (!node) tell_(place, Severity::Error, names.unknown_node(name));
        return node;
    }

    static std::string port_example(const NodeNames& names) {
        return fmt::format("write node:peer, for example \"{}\"", names.some_port());
    }

    void check_ports(NodeNames& names) {
        if (!good({"record.pcap"})) return;
        std::set<std::string_view> seen;
        for (std::size_t i = 0; i < scenario_.record.pcap.size(); ++i) {
            const std::string& port = scenario_.record.pcap[i];
            const Place place = reading_.element_place("record.pcap", i);
            const std::size_t colon = port.find(':');
            if (colon == std::string::npos) {
                tell_(place, Severity::Error, {fmt::format("\"{}\" is no port", port), port_example(names)});
                continue;
            }
            const auto node = find_node(place, std::string_view(port).substr(0, colon), names);
            const auto peer = find_node(place, std::string_view(port).substr(colon + 1), names);
            if (node && peer && !names.is_link(*node, *peer))
                tell_(place, Severity::Error, names.no_link(*node, *peer));
            if (!seen.insert(port).second)
                tell_(place, Severity::Error, {fmt::format("{} is listed twice", port)});
        }
    }

    const Scenario& scenario_;
    const Reading& reading_;
    const Tell& tell_;
};

}  // namespace

void check_consistency(const Scenario& scenario, const Reading& reading, const Tell& tell) {
    Checker(scenario, reading, tell).run();
}

}  // namespace dyetrace::scenario
