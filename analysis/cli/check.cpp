// SPDX-License-Identifier: GPL-2.0-or-later
// `dyetrace check`: is a scenario right, and what does it say?
#include "analysis/cli/check.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "analysis/cli/command.h"
#include "analysis/cli/scenario_input.h"
#include "scenarios/reader/fabric.h"
#include "scenarios/reader/fault_kinds.h"
#include "scenarios/reader/guests.h"
#include "scenarios/reader/reader.h"
#include "scenarios/reader/reference.h"
#include "scenarios/reader/schema.h"
#include "scenarios/reader/units.h"
#include "scenarios/reader/workload_kinds.h"

namespace dyetrace::cli {
namespace {

using scenario::format_duration;
using scenario::format_rate;

std::string percent(double share) {
    return fmt::format("{:g}%", share * 100);
}

std::string sampling_words(const scenario::TrackingSettings& tracking) {
    using Kind = scenario::SamplingKind;
    const std::string of = tracking.flow_filter.rules.empty() ? "" : " of filtered flows";
    if (tracking.sampling == Kind::RateBudget)
        return fmt::format("up to {} packets a second in each session{}", tracking.sampling_budget, of);
    if (tracking.rate == 0) return "no packet is tagged";
    if (tracking.sampling == Kind::Probability)
        return fmt::format("each packet with probability {}{}", percent(tracking.rate), of);
    if (tracking.sampling == Kind::HashConsistent)
        return fmt::format("packets whose hash is in a share of {}{}", percent(tracking.rate), of);
    const double nth = std::round(1 / tracking.rate);
    return (nth <= 1 ? "every packet" : fmt::format("one packet in {:.0f}", nth)) + of;
}

std::string fault_place(const scenario::Fault& fault) {
    const bool links = scenario::info_of(fault.kind).place == scenario::FaultPlace::Links;
    std::string place = links ? fault.from + " > " + fault.to : fault.node;
    if (fault.count != 0) place += fmt::format(" ({} of them)", fault.count);
    return place;
}

bool has_probability(const scenario::Fault& fault) {
    return scenario::has_key(scenario::info_of(fault.kind), "probability");
}

std::string fault_line(const scenario::Fault& fault) {
    std::string line = fmt::format("{:>7}  {} {}", format_duration(fault.at),
                                   scenario::info_of(fault.kind).name, fault_place(fault));
    if (has_probability(fault)) line += fmt::format(", {} of packets", percent(fault.probability));
    if (fault.until) line += fmt::format(", until {}", format_duration(*fault.until));
    return line;
}

/// "1Gbps" or "1Gbps to 40Gbps": of what the cables have, where they differ.
template <class Value, class Format>
std::string span_words(Value least, Value most, Format format) {
    return least == most ? format(least) : fmt::format("{} to {}", format(least), format(most));
}

std::string links_words(const scenario::FabricSettings& fabric) {
    std::vector<std::uint64_t> rates;
    std::vector<Duration> delays;
    for (const localise::PlannedCable& cable : fabric.plan->cables()) {
        rates.push_back(cable.settings.rate_bps != 0 ? cable.settings.rate_bps : fabric.link_rate_bps);
        delays.push_back(cable.settings.delay.value_or(fabric.link_delay));
    }
    const auto [slowest, fastest] = std::minmax_element(rates.begin(), rates.end());
    const auto [nearest, farthest] = std::minmax_element(delays.begin(), delays.end());
    return fmt::format("{} in each direction, {}, queues of {}", span_words(*slowest, *fastest, format_rate),
                       span_words(*nearest, *farthest, format_duration),
                       scenario::format_size(fabric.queue_bytes));
}

std::string row(std::string_view title, const std::string& text) {
    return fmt::format("  {:<9} {}\n", title, text);
}

/// Nothing where there are no tenants.
std::string clients_words(const scenario::Scenario& scenario) {
    constexpr std::size_t shown_most = 10;
    const auto count = [](std::size_t n, std::string_view what) {
        return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
    };
    std::string text;
    for (std::size_t i = 0; i < scenario.tenants.size() && i < shown_most; ++i) {
        const scenario::TenantSettings& tenant = scenario.tenants[i];
        text += row(i == 0 ? "tenants" : "",
                    fmt::format("{}: {}, {}, {}", tenant.name,
                                count(scenario::guests_of(scenario, tenant).size(), "guest"),
                                count(tenant.conditions.size(), "condition"),
                                count(tenant.subscriptions.size(), "subscription")));
    }
    if (scenario.tenants.size() > shown_most)
        text += row("", fmt::format("and {} more", scenario.tenants.size() - shown_most));
    if (!scenario.services.empty()) text += row("services", std::to_string(scenario.services.size()));
    if (!scenario.probes.empty()) text += row("probes", std::to_string(scenario.probes.size()));
    if (!scenario.flow_traces.empty()) text += row("followed", count(scenario.flow_traces.size(), "flow"));
    return text;
}

struct CheckOptions {
    ScenarioInput input;
    bool keys = false;
};

nlohmann::ordered_json keys_json() {
    nlohmann::ordered_json tables = nlohmann::ordered_json::array();
    for (const scenario::TableInfo& table : scenario::schema()) {
        nlohmann::ordered_json keys = nlohmann::ordered_json::array();
        for (const scenario::KeyInfo& key : table.keys) {
            keys.push_back({{"name", key.name},
                            {"type", key.type},
                            {"allowed", key.range},
                            {"required", key.is_required()},
                            {"default", key.fallback},
                            {"meaning", key.meaning}});
        }
        tables.push_back({{"name", table.name},
                          {"list", table.is_list},
                          {"meaning", table.meaning},
                          {"keys", std::move(keys)}});
    }
    return {{"tables", std::move(tables)}};
}

void print_json(const nlohmann::ordered_json& json) {
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

Exit check(const CheckOptions& options, const Context& context) {
    if (options.keys) {
        context.json ? print_json(keys_json()) : fmt::print("{}", scenario::reference_markdown());
        return Exit::Ok;
    }
    if (options.input.file.empty())
        throw CommandError(Exit::Usage, "FILE is required", "dyetrace check --help");
    const auto scenario = read_scenario(options.input, context);
    if (!scenario) return Exit::InvalidInput;
    if (context.json) {
        nlohmann::ordered_json json = to_json(scenario::Diagnostics());
        json["summary"] = summary_json(*scenario);
        print_json(json);
    } else {
        fmt::print("{}: ok\n{}", options.input.file, summarise(*scenario));
    }
    return Exit::Ok;
}

nlohmann::ordered_json workload_json(const scenario::WorkloadSettings& workload, Duration end) {
    const scenario::WorkloadKindInfo& info = scenario::info_of(workload.kind);
    nlohmann::ordered_json json{{"kind", info.name}, {"hosts", workload.hosts}};
    if (scenario::has_key(info, "load")) {
        json["distribution"] = workload.distribution;
        json["flow_bytes_mean"] = workload.flow_sizes.mean_bytes();
        json["load"] = workload.load;
    }
    if (scenario::has_key(info, "rate")) json["rate_bps"] = workload.rate_bps;
    if (scenario::has_key(info, "fan_in")) {
        json["interval_s"] = workload.interval.in_seconds();
        json["fan_in"] = workload.fan_in;
        json["response_bytes"] = workload.response_bytes;
    }
    json["start_s"] = workload.start.in_seconds();
    json["stop_s"] = workload.stop.value_or(end).in_seconds();
    return json;
}

}  // namespace

std::string summarise(const scenario::Scenario& scenario) {
    constexpr std::size_t tables_shown = 10;
    const auto& fabric = scenario.fabric;
    const localise::FabricPlan& plan = *fabric.plan;
    const auto& tracking = scenario.tracking;
    std::string text = row(
        "run", fmt::format("{} of traffic and {} to drain, seed {}", format_duration(scenario.run.duration),
                           format_duration(scenario.run.drain), scenario.run.seed));
    text += row("fabric", fmt::format("{}: {} hosts, {} switches, {} cables", scenario::fabric_words(fabric),
                                      plan.host_count(), plan.switch_count(), plan.cables().size()));
    text += row("links", links_words(fabric));
    if (scenario.workloads.empty()) text += row("workload", "none");
    for (std::size_t i = 0; i < scenario.workloads.size() && i < tables_shown; ++i) {
        const scenario::WorkloadSettings& workload = scenario.workloads[i];
        text += row(i == 0 ? "workload" : "",
                    fmt::format("{}, from {} to {}", scenario::workload_words(workload),
                                format_duration(workload.start),
                                format_duration(workload.stop.value_or(scenario.run.duration))));
    }
    if (scenario.workloads.size() > tables_shown)
        text += row("", fmt::format("and {} more", scenario.workloads.size() - tables_shown));
    text +=
        row("tracking", fmt::format("{}, {} paths to each peer, {}", sampling_words(tracking),
                                    tracking.path_count, tracking.insecure ? "without a key" : "with a key"));
    text += row("health", fmt::format("on {}, updates every {}", scenario.health.host,
                                      format_duration(scenario.health.update_interval)));
    if (fabric.underlay != "ipv4") text += row("underlay", fabric.underlay);
    for (const scenario::Clock& clock : scenario.clocks)
        text += row("clocks",
                    fmt::format("{}: ahead by {}, drift {} ppm, jitter {}", clock.hosts,
                                format_duration(clock.offset), clock.drift, format_duration(clock.jitter)));
    text += row("faults", scenario.faults.empty() ? "none" : std::to_string(scenario.faults.size()));
    for (std::size_t i = 0; i < scenario.faults.size() && i < tables_shown; ++i)
        text += row("", fault_line(scenario.faults[i]));
    if (scenario.faults.size() > tables_shown)
        text += row("", fmt::format("and {} more", scenario.faults.size() - tables_shown));
    text += clients_words(scenario);
    if (!scenario.record.pcap.empty())
        text += row("captures", fmt::format("{}", fmt::join(scenario.record.pcap, ", ")));
    return text;
}

nlohmann::ordered_json summary_json(const scenario::Scenario& scenario) {
    nlohmann::ordered_json workloads = nlohmann::ordered_json::array();
    for (const scenario::WorkloadSettings& workload : scenario.workloads)
        workloads.push_back(workload_json(workload, scenario.run.duration));
    const localise::FabricPlan& plan = *scenario.fabric.plan;
    nlohmann::ordered_json faults = nlohmann::ordered_json::array();
    for (const scenario::Fault& fault : scenario.faults) {
        const scenario::FaultKindInfo& info = scenario::info_of(fault.kind);
        nlohmann::ordered_json json{{"kind", info.name}};
        if (info.place == scenario::FaultPlace::Links) {
            json["from"] = fault.from;
            json["to"] = fault.to;
        } else {
            json["node"] = fault.node;
        }
        json["t_s"] = fault.at.in_seconds();
        if (fault.until) json["until_s"] = fault.until->in_seconds();
        if (has_probability(fault)) json["probability"] = fault.probability;
        faults.push_back(std::move(json));
    }
    return {{"duration_s", scenario.run.duration.in_seconds()},
            {"seed", scenario.run.seed},
            {"fabric", scenario::fabric_words(scenario.fabric)},
            {"hosts", plan.host_count()},
            {"switches", plan.switch_count()},
            {"links", plan.ports().size()},
            {"link_rate_bps", scenario.fabric.link_rate_bps},
            {"workloads", std::move(workloads)},
            {"tracking_rate", scenario.tracking.rate},
            {"path_count", scenario.tracking.path_count},
            {"faults", std::move(faults)}};
}

void add_check(CLI::App& program, Context& context) {
    auto options = std::make_shared<CheckOptions>();
    CLI::App* command = program.add_subcommand("check", "Say what is wrong with a scenario, or what it says");
    CLI::Option* file = add_scenario_options(*command, options->input);
    file->required(false);
    command->add_flag("--keys", options->keys, "List all keys with their ranges and defaults, as Markdown")
        ->excludes(file);
    command->footer("Everything that is wrong is told at once, each with its place; exit code 3 then.");
    command->callback(
        [options, &context] { context.action = [options, &context] { return check(*options, context); }; });
}

}  // namespace dyetrace::cli
