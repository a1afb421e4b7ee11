// SPDX-License-Identifier: GPL-2.0-or-later
// What a command of `dyetrace` is made of: its options, and an action that returns an exit code.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include <CLI/App.hpp>

namespace dyetrace::cli {

/// Documented in `dyetrace --help`; scripts rely on them.
enum class Exit : int {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    InvalidInput = 3,
    Interrupted = 130,
};

/// What the command line said that is not of one command, and which command it named.
struct Context {
    bool json = false;             ///< -j, before or after the command
    std::function<Exit()> action;  ///< set by the command that was named, run once the whole line is parsed
};

/// Ends a command: "dyetrace: error: <message>", and "hint: <hint>" unless empty, on stderr.
class CommandError : public std::runtime_error {
  public:
    CommandError(Exit exit, const std::string& message, std::string hint = {})
        : std::runtime_error(message), exit_(exit), hint_(std::move(hint)) {}
    [[nodiscard]] Exit exit() const { return exit_; }
    [[nodiscard]] const std::string& hint() const { return hint_; }

  private:
    Exit exit_;
    std::string hint_;
};

// Each adds one command to the program, as in
//
//     void add_locate(CLI::App& program, Context& context) {
//         auto options = std::make_shared<LocateOptions>();
//         CLI::App* command = program.add_subcommand("locate", "Name the sick link from what a run
//         measured"); command->add_option("RUN", options->run, "Database of a run");
//         command->callback([options, &context] { context.action = [options, &context] {
//             return locate(*options, context); }; });
//     }
//
// The program adds -j to every command and sees to exceptions: `store::Error` is invalid input,
// `CommandError` says itself what it is, anything else is a failure.
void add_check(CLI::App& program, Context& context);
void add_export(CLI::App& program, Context& context);
void add_locate(CLI::App& program, Context& context);
void add_report(CLI::App& program, Context& context);
void add_run(CLI::App& program, Context& context);
void add_show(CLI::App& program, Context& context);

}  // namespace dyetrace::cli
