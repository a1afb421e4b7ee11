// SPDX-License-Identifier: GPL-2.0-or-later
// `dyetrace run`: a scenario file in; a database, and the story of the run, out.
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "analysis/cli/build_info.h"
#include "analysis/cli/command.h"
#include "analysis/cli/scenario_input.h"
#include "analysis/cli/show_json.h"
#include "analysis/report/timeline.h"
#include "analysis/store/run_reader.h"
#include "scenarios/reader/fabric.h"
#include "scenarios/runner/runner.h"

namespace dyetrace::cli {
namespace {

struct Arguments {
    ScenarioInput input;
    std::string database;
    std::optional<std::uint64_t> seed;
    std::optional<std::uint64_t> run;
    std::string pcap;
    bool force = false;
};

std::atomic<bool> interrupted{false};

extern "C" void note_interrupt(int) {
    interrupted.store(true);
}

/// One line that is written over again, on a terminal only.
class ProgressLine {
  public:
    ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0) {}
    void show(const runner::Progress& p) {
        if (!terminal_) return;
        const double share = p.total_s > 0 ? p.simulated_s / p.total_s : 1;
        const double left_s = share > 0 ? p.wall_s * (1 - share) / share : 0;
        constexpr int kWidth = 30;
        const int filled = static_cast<int>(share * kWidth);
        fmt::print(stderr,
                   "\r  [{:#<{}}{:.<{}}] {:3.0f}%  {:.2f} of {:.2f} s simulated, {:.1f} M packet-hops, "
                   "{:.0f} s left ",
                   "", filled, "", kWidth - filled, share * 100, p.simulated_s, p.total_s,
                   static_cast<double>(p.packet_hops) / 1e6, left_s);
        std::fflush(stderr);
        shown_ = true;
    }
    void clear() {
        if (shown_) fmt::print(stderr, "\r{:100}\r", "");
    }

  private:
    bool terminal_;
    bool shown_ = false;
};

void print_story(const Arguments& arguments, const runner::RunOutcome& outcome) {
    const store::RunReader run(arguments.database);
    for (const auto& line : to_lines(report::make_timeline(run)))
        fmt::print("{}\n", line);
    fmt::print("\n{:.1f} M packet-hops in {:.1f} s of wall time\n",
               static_cast<double>(outcome.packet_hops) / 1e6, outcome.wall_s);
    fmt::print("database  {}{}\n", arguments.database, outcome.complete ? "" : "  (INCOMPLETE: interrupted)");
    for (const auto& capture : outcome.captures) {
        fmt::print("capture   {}  {} packets{}\n", capture.file, capture.packets,
                   capture.capped ? "  (stopped at the limit of packets in a file)" : "");
    }
    fmt::print("next      dyetrace report {} -o run.html, or dyetrace-viewer {}\n", arguments.database,
               arguments.database);
}

void print_json(const Arguments& arguments, const runner::RunOutcome& outcome) {
    nlohmann::json story = show_json(store::RunReader(arguments.database));
    story["database"] = arguments.database;
    for (const auto& capture : outcome.captures) {
        story["captures"].push_back({{"port", capture.port},
                                     {"file", capture.file},
                                     {"packets", capture.packets},
                                     {"capped", capture.capped}});
    }
    fmt::print("{}\n", story.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

Exit run(const Arguments& arguments, const Context& context) {
    ScenarioInput input = arguments.input;
    if (arguments.seed) input.overrides.push_back("run.seed=" + std::to_string(*arguments.seed));
    const auto scenario = read_scenario(input, context);
    if (!scenario) return Exit::InvalidInput;

    ProgressLine line;
    runner::RunOptions options;
    options.scenario = *scenario;
    options.database = arguments.database;
    options.force = arguments.force;
    if (!arguments.pcap.empty()) options.pcap_directory = arguments.pcap;
    options.run = arguments.run.value_or(1);
    options.version = build_info.version;
    options.ns3_version = build_info.ns3_version;
    options.on_progress = [&line](const runner::Progress& p) { line.show(p); };
    options.interrupted = &interrupted;
    std::signal(SIGINT, note_interrupt);
    std::signal(SIGTERM, note_interrupt);
    if (!context.json) {
        fmt::print("{}: {}, {:.3g} s, seed {}, run {}\n\n", scenario->path,
                   scenario::fabric_words(scenario->fabric), scenario->run.duration.in_seconds(),
                   scenario->run.seed, options.run);
        std::fflush(stdout);
    }
    const runner::RunOutcome outcome = runner::run(options);
    line.clear();
    context.json ? print_json(arguments, outcome) : print_story(arguments, outcome);
    return outcome.complete ? Exit::Ok : Exit::Interrupted;
}

/// An option whose value is in decimal digits: CLI11 would take 010 for eight, and what is too large for the
/// largest number.
void add_number(CLI::App& command, const std::string& name, std::uint64_t least,
                std::optional<std::uint64_t>& target, const std::string& what) {
    static constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();  // as TOML's integers
    const auto read = [name, least, &target](const std::string& text) {
        const char* const end = text.data() + text.size();
        std::uint64_t number = 0;
        const auto [stop, error] = std::from_chars(text.data(), end, number);
        if (error != std::errc{} || stop != end || number < least || number > most) {
            throw CLI::ValidationError(
                name, fmt::format("must be {} to {} in decimal digits, not '{}'", least, most, text));
        }
        target = number;
    };
    command.add_option_function<std::string>(name, read, what)->type_name("N");
}

}  // namespace

void add_run(CLI::App& program, Context& context) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = program.add_subcommand("run", "Simulate a scenario in ns-3 and record it");
    add_scenario_options(*command, arguments->input);
    command->add_option("-o,--output", arguments->database, "Database to write")->required();
    add_number(*command, "--seed", 0, arguments->seed, "Instead of the scenario's run.seed");
    add_number(*command, "--run", 1, arguments->run, "Replication: the same seed, other random numbers [1]");
    command->add_option(
        "--pcap", arguments->pcap,
        "Capture ports to this directory: record.pcap, else the first host's uplink and both ends "
        "of the first fault's link");
    command->add_flag("--force", arguments->force, "Replace a run database, and captures, that are there");
    command->footer(
        "The same file, seed and run give the same database in every measured table.\n"
        "Ctrl-C stops the run; what was recorded until then is kept, marked incomplete.");
    command->callback([arguments, &context] {
        context.action = [arguments, &context] { return run(*arguments, context); };
    });
}

}  // namespace dyetrace::cli
