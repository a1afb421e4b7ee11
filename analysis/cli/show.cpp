// SPDX-License-Identifier: GPL-2.0-or-later
// `dyetrace show`: what happened in a run.
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/cli/command.h"
#include "analysis/cli/show_clients.h"
#include "analysis/cli/show_json.h"
#include "analysis/report/seconds.h"
#include "analysis/report/timeline.h"
#include "analysis/report/totals.h"
#include "analysis/store/run_reader.h"

namespace dyetrace::cli {
namespace {

void print_header(const store::RunReader& run, const report::Totals& totals) {
    const auto entry = [&](std::string_view key) { return run.provenance(key).value_or("?"); };
    fmt::print("{}: {}, seed {}, run {}, {:.3f} s, {}\n", run.path().string(), entry("scenario_path"),
               entry("seed"), entry("run"), report::seconds(totals.duration_ns),
               run.complete() ? "complete" : "INCOMPLETE: the run was interrupted, or is still going on");
    if (const auto topology = run.provenance("topology_path"))
        fmt::print("fabric of {}, whose text is kept: --topology prints it\n", *topology);
    fmt::print("\n");
}

void print_sessions(const report::Totals& totals) {
    fmt::print("\nSessions\n");
    for (const auto& group : totals.sessions) {
        fmt::print("  {:>9} {}{}\n", group.count, group.state,
                   group.reason.empty() ? "" : " (" + group.reason + ")");
    }
    if (totals.sessions.empty()) fmt::print("  none\n");
}

void print_packets(const store::RunReader& run, const report::Totals& totals) {
    const auto share = [](double part, double whole) {
        return whole > 0 ? report::percent(part / whole) : "-";
    };
    const auto sent = static_cast<double>(totals.sent);
    fmt::print("\nMeasured\n");
    fmt::print("  {:>9} packets sent, {} lost net ({})\n", totals.sent, totals.lost(),
               share(static_cast<double>(totals.lost()), sent));
    fmt::print("  {:>9} of them tracked ({})\n", totals.tracked_sent,
               share(static_cast<double>(totals.tracked_sent), sent));
    fmt::print("  {:>9} paths, {} learned hop by hop, {} unsettled at the end, {} with excess\n",
               totals.paths, totals.paths_learned, totals.paths_open, totals.paths_excess);
    const auto updates = run.update_summary();
    fmt::print("  {:>9} health updates", updates.count);
    if (updates.first_ns) {
        fmt::print(", {:.6f} s to {:.6f} s", report::seconds(*updates.first_ns),
                   report::seconds(*updates.last_ns));
    }
    fmt::print("\n  {:>9} detections, {} incidents, {} directives\n", run.detections().size(),
               run.incidents().size(), run.directives().size());
}

void print_counters(const report::Totals& totals) {
    if (totals.counters.empty()) return;
    fmt::print("\nCounters\n");
    for (const auto& counter : totals.counters) {
        fmt::print("  {:>9} {} {}\n", counter.value, counter.engine, counter.name);
    }
}

struct ShowOptions {
    std::string path;
    bool scenario = false;
    bool topology = false;
    std::optional<std::string> tenant;  ///< also an empty name, which is nobody's, is one that was given
};

/// A file that the run was made of, byte for byte.
Exit print_text(const store::RunReader& run, std::string_view what) {
    const auto text = run.provenance(fmt::format("{}_text", what));
    if (!text)
        throw CommandError(Exit::InvalidInput, fmt::format("{} has no {}", run.path().string(), what), "");
    std::fwrite(text->data(), 1, text->size(), stdout);
    return Exit::Ok;
}

Exit show(const ShowOptions& options, const Context& context) {
    const store::RunReader run(options.path);
    if (options.scenario) return print_text(run, "scenario");
    if (options.topology) return print_text(run, "topology");
    if (options.tenant) {
        if (!context.json) {
            print_tenant(run, *options.tenant);
            return Exit::Ok;
        }
        fmt::print(
            "{}\n",
            tenant_json(run, *options.tenant).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
        return Exit::Ok;
    }
    if (context.json) {
        fmt::print("{}\n", show_json(run).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
        return Exit::Ok;
    }
    const report::Totals totals = report::make_totals(run);
    print_header(run, totals);
    for (const auto& line : to_lines(report::make_timeline(run)))
        fmt::print("{}\n", line);
    print_sessions(totals);
    print_packets(run, totals);
    print_scores(run);
    print_flow_traces(run);
    print_counters(totals);
    return Exit::Ok;
}

}  // namespace

void add_show(CLI::App& program, Context& context) {
    auto options = std::make_shared<ShowOptions>();
    CLI::App* command =
        program.add_subcommand("show", "Tell what happened in a run: timeline, suspects, sessions");
    command->add_option("RUN.db", options->path, "Database of a run")->required();
    CLI::Option* scenario = command->add_flag("--scenario", options->scenario,
                                              "Print the scenario file that the run was made of, as it was");
    CLI::Option* topology =
        command
            ->add_flag("--topology", options->topology, "Print the GraphML file or edge list of its fabric")
            ->excludes(scenario);
    command
        ->add_option_function<std::string>(
            "--tenant", [options](const std::string& name) { options->tenant = name; },
            "Print what the tenant of this name may see: its own guests' pairs, states and scores")
        ->excludes(scenario)
        ->excludes(topology);
    command->footer("Lines marked 'truth' are what the simulator knows; everything else was measured.");
    command->callback(
        [options, &context] { context.action = [options, &context] { return show(*options, context); }; });
}

}  // namespace dyetrace::cli
