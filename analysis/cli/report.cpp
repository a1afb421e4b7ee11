// SPDX-License-Identifier: GPL-2.0-or-later
// `dyetrace report`: a run as one page.
#include "analysis/report/report.h"

#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/cli/command.h"
#include "analysis/store/run_reader.h"

namespace dyetrace::cli {
namespace {

struct ReportOptions {
    std::string run;
    std::string file;
    bool force = false;
};

Exit report_run(const ReportOptions& options, const Context& context) {
    const store::RunReader run(options.run);
    report::write_report(run, options.file, options.force);
    if (context.json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"file", options.file}}.dump(2));
    } else {
        fmt::print("report in {}\n", options.file);
    }
    return Exit::Ok;
}

}  // namespace

void add_report(CLI::App& program, Context& context) {
    auto options = std::make_shared<ReportOptions>();
    CLI::App* command = program.add_subcommand("report", "Write a run as one HTML page with plots");
    command->add_option("RUN.db", options->run, "Database of a run")->required();
    command->add_option("-o,--output", options->file, "The page: one file, no scripts")->required();
    command->add_flag("--force", options->force, "Replace an earlier report");
    command->footer("Plots are drawn by gnuplot, which has to be installed.");
    command->callback([options, &context] {
        context.action = [options, &context] { return report_run(*options, context); };
    });
}

}  // namespace dyetrace::cli
