// SPDX-License-Identifier: GPL-2.0-or-later
// `dyetrace locate`: which links and devices are to blame.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "analysis/cli/command.h"
#include "analysis/cli/locate.h"

namespace dyetrace::cli {
namespace {

struct LocateOptions {
    std::string run;
    std::string trace;
    std::string paths;
    std::vector<std::string> counters;
    std::vector<std::string> conclusions;
    bool pairs = false;
    bool time = false;
};

const std::map<std::string, TracePaths>& trace_paths() {
    static const std::map<std::string, TracePaths> words{
        {"known", TracePaths::Known}, {"lossy", TracePaths::Lossy}, {"unknown", TracePaths::Unknown}};
    return words;
}

Exit locate(const LocateOptions& options, const Context& context) {
    if (options.run.empty() == options.trace.empty()) {
        throw CommandError(Exit::Usage, "locate takes one database of a run or one --trace FILE",
                           "dyetrace locate --help");
    }
    if (options.pairs && options.run.empty()) {
        throw CommandError(Exit::Usage, "--pairs takes a run: flows of a trace are of no sessions",
                           "dyetrace locate --help");
    }
    if (!options.paths.empty() && options.trace.empty()) {
        throw CommandError(Exit::Usage,
                           "--paths takes a trace: of a run it is measured which paths are known",
                           "dyetrace locate --help");
    }
    OtherEvidence other;
    for (const std::string& file : options.counters)
        other.read_counters(file);
    for (const std::string& file : options.conclusions)
        other.read_conclusions(file);
    const Located located =
        options.trace.empty()
            ? locate_run(options.run, other, options.pairs ? WithPairs::Yes : WithPairs::No)
            : locate_trace(options.trace,
                           options.paths.empty() ? TracePaths::Known : trace_paths().at(options.paths),
                           other);
    for (const std::string& line : located.unused)
        fmt::print(stderr, "dyetrace: not used: {}\n", line);
    if (context.json) {
        fmt::print("{}\n",
                   locate_json(located).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
        fmt::print("{}", locate_text(located));
    }
    if (options.time) {
        fmt::print(stderr, "reading {:.4f} s, inference {:.4f} s\n", located.reading_s, located.inference_s);
    }
    return Exit::Ok;
}

}  // namespace

void add_locate(CLI::App& program, Context& context) {
    auto options = std::make_shared<LocateOptions>();
    CLI::App* command = program.add_subcommand("locate", "Name the sick links and devices, ranked");
    command->add_option("RUN.db", options->run, "Database of a run; only what it measured is used");
    command->add_option("--trace", options->trace, "Trace of flows and their paths, in text")
        ->type_name("FILE");
    command
        ->add_option("--paths", options->paths,
                     "Flows of the trace whose path is used: known (all), lossy (those with loss), unknown "
                     "(none)")
        ->check(CLI::IsMember(trace_paths()))
        ->type_name("WHICH");
    command
        ->add_option("--counters", options->counters,
                     "What switches counted at their links, in JSON; beside what was measured")
        ->type_name("FILE")
        ->allow_extra_args(false);
    command
        ->add_option("--conclusions", options->conclusions,
                     "What `dyetrace -j locate` concluded elsewhere; beside what was measured")
        ->type_name("FILE")
        ->allow_extra_args(false);
    command->add_flag("--pairs", options->pairs,
                      "Which links the measured pairs cross, and which few pairs would do");
    command->add_flag("--time", options->time, "Say on stderr how long reading and inference took");
    command->footer(
        "Suspects passed the decision threshold; candidates are the next best. log_odds is the natural\n"
        "logarithm of the posterior odds that the link or device loses packets by a fault.");
    command->callback(
        [options, &context] { context.action = [options, &context] { return locate(*options, context); }; });
}

}  // namespace dyetrace::cli
