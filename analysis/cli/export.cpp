// SPDX-License-Identifier: GPL-2.0-or-later
// `dyetrace export`: a run as files that other tools read.
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/cli/command.h"
#include "analysis/report/csv.h"
#include "analysis/store/run_reader.h"

namespace dyetrace::cli {
namespace {

struct ExportOptions {
    std::string run;
    std::string format = "csv";
    std::string folder;
    report::CsvOptions csv;
};

Exit export_run(const ExportOptions& options, const Context& context) {
    const store::RunReader run(options.run);
    const auto files = report::export_csv(run, options.folder, options.csv);
    if (context.json) {
        nlohmann::ordered_json names = nlohmann::ordered_json::array();
        for (const auto& file : files)
            names.push_back(file.string());
        fmt::print("{}\n", nlohmann::ordered_json{{"files", names}}.dump(2));
    } else {
        fmt::print("{} files in {}\n", files.size(), options.folder);
    }
    return Exit::Ok;
}

}  // namespace

void add_export(CLI::App& program, Context& context) {
    auto options = std::make_shared<ExportOptions>();
    CLI::App* command = program.add_subcommand("export", "Write a run's tables as files");
    command->add_option("RUN.db", options->run, "Database of a run")->required();
    command->add_option("--format", options->format, "csv: one RFC 4180 file a table")
        ->check(CLI::IsMember({"csv"}))
        ->capture_default_str();
    command->add_option("-o,--output", options->folder, "Folder for the files, made where missing")
        ->required();
    command->add_flag("--force", options->csv.force, "Replace the files of an earlier export");
    command->add_flag("--truth", options->csv.truth, "Also the truth_* tables: what the simulator knows");
    command->footer(
        "Measured tables of the same scenario, seed and run are the same bytes; wall times are in "
        "provenance.csv only.\n"
        "docs/database.md explains every column.");
    command->callback([options, &context] {
        context.action = [options, &context] { return export_run(*options, context); };
    });
}

}  // namespace dyetrace::cli
