// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/program.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "analysis/cli/build_info.h"
#include "analysis/cli/command.h"
#include "analysis/store/error.h"
#include "scenarios/reader/spelling.h"

namespace dyetrace::cli {
namespace {

constexpr const char* intro =
    "dyetrace tells which path, link or device of a virtualised data centre is sick, from a sample of the "
    "guests' own "
    "packets.";

constexpr const char* outro =
    "Examples:\n"
    "  dyetrace check scenarios/gray-link.toml\n"
    "  dyetrace run scenarios/gray-link.toml -o run.db\n"
    "  dyetrace show run.db\n"
    "  dyetrace -j locate run.db\n"
    "  dyetrace report run.db -o run.html\n"
    "\n"
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 invalid input, 130 interrupted.\n"
    "`dyetrace COMMAND --help` explains a command.";

// One line a command, in the order of --help.
constexpr void (*commands[])(CLI::App&, Context&) = {
    add_check, add_run, add_show, add_locate, add_report, add_export,
};

int tell(Exit exit, const std::string& message, const std::string& hint = {}) {
    fmt::print(stderr, "dyetrace: error: {}\n", message);
    if (!hint.empty()) fmt::print(stderr, "hint: {}\n", hint);
    return static_cast<int>(exit);
}

void add_commands(CLI::App& program, Context& context) {
    program.add_flag("-j,--json", context.json, "Print JSON instead of text");
    program.set_version_flag(
        "--version", [] { return version_line(); }, "Say the version and what it was built with");
    program.require_subcommand(1);
    program.footer(outro);
    for (const auto add : commands)
        add(program, context);
    for (CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
        command->add_flag("-j,--json", context.json, "Print JSON instead of text");
    }
}

std::vector<std::string> command_names(const CLI::App& program) {
    std::vector<std::string> names;
    for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

/// The first word that is no option where a command should have been; empty where there is none, or a
/// command.
std::string unknown_command(const CLI::App& program, int argc, const char* const* argv) {
    const auto end = argv + argc;
    const auto word = std::find_if(argv + 1, end, [](const char* argument) { return argument[0] != '-'; });
    if (word == end) return {};
    const std::vector<std::string> names = command_names(program);
    return std::find(names.begin(), names.end(), *word) == names.end() ? *word : std::string();
}

/// What to look at after a command line that could not be read.
std::string help_hint(const CLI::App& program) {
    const auto named = program.get_subcommands();
    return named.empty() ? "dyetrace --help" : "dyetrace " + named.front()->get_name() + " --help";
}

int tell_unknown_command(const CLI::App& program, const std::string& word) {
    const auto nearest = scenario::nearest(word, command_names(program));
    return tell(Exit::Usage, "there is no command '" + word + "'",
                nearest ? "did you mean '" + *nearest + "'?" : help_hint(program));
}

int act(const Context& context) {
    try {
        return static_cast<int>(context.action());
    } catch (const CommandError& error) {
        return tell(error.exit(), error.what(), error.hint());
    } catch (const store::NotReplaced& error) {
        return tell(Exit::Failed, error.what());
    } catch (const store::OutputExists& error) {
        return tell(Exit::Failed, error.what(), "--force replaces what dyetrace wrote there");
    } catch (const store::CannotWrite& error) {
        return tell(Exit::Failed, error.what());
    } catch (const store::Error& error) {
        return tell(Exit::InvalidInput, error.what());
    } catch (const std::exception& error) {
        return tell(Exit::Failed, error.what());
    }
}

}  // namespace

int run_program(int argc, const char* const* argv) {
    CLI::App program(intro, "dyetrace");
    Context context;
    add_commands(program, context);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        // Also of --help and --version, which would be told of a command that there is not.
        const std::string unknown = unknown_command(program, argc, argv);
        if (!unknown.empty()) return tell_unknown_command(program, unknown);
        if (end.get_exit_code() == 0) return program.exit(end);  // --help, --version
        return tell(Exit::Usage, end.what(), help_hint(program));
    }
    const int exit = act(context);
    // A full disk or a closed pipe behind stdout shows up here at the latest.
    if (std::fflush(stdout) != 0 && exit == 0) return tell(Exit::Failed, "standard output cannot be written");
    return exit;
}

}  // namespace dyetrace::cli
