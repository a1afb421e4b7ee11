// SPDX-License-Identifier: GPL-2.0-or-later
// dyetrace-viewer's command line.
#pragma once

#include <optional>
#include <string>

#include "gui/view/render.h"

namespace dyetrace::viewer {

/// The same as those of `dyetrace`.
enum class Exit { Ok = 0, Failed = 1, Usage = 2, InvalidInput = 3 };

struct CommandLine {
    std::string run;             ///< a run database; empty: the window asks
    std::optional<View> render;  ///< draw this view into `out` instead of opening a window
    std::int64_t at_ns = 0;      ///< also of the window: where the playhead begins; not clamped yet
    std::string out;
    QSize size{1600, 1000};
    double scale = 1;
    std::int64_t window_ns = 0;
    bool truth = true;
    bool force = false;
};

struct ParsedCommandLine {
    CommandLine command;
    std::optional<Exit> exit;  ///< all was said already (--help, an error): leave with this
};

/// Prints what --help and --version ask for, and on stderr what is wrong.
[[nodiscard]] ParsedCommandLine parse_command_line(int argc, const char* const* argv);

/// Draws what `command.render` asks for. Needs a QGuiApplication.
[[nodiscard]] Exit render_to_file(const CommandLine& command);

/// "dyetrace-viewer: error: ...", and a hint on a line of its own.
void say_error(const std::string& message, const std::string& hint = {});

}  // namespace dyetrace::viewer
