// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/command_line.h"

#include <QImageReader>
#include <QSaveFile>
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "analysis/store/error.h"
#include "analysis/store/output_path.h"
#include "gui/model/snapshot_builder.h"
#include "gui/model/time_text.h"

namespace dyetrace::viewer {
namespace {

constexpr const char* intro =
    "dyetrace-viewer shows a run of dyetrace: the fabric and its sessions under one playhead.";
constexpr const char* outro =
    "Examples:\n"
    "  dyetrace-viewer run.db\n"
    "  dyetrace-viewer run.db --render map --at 0.9s --out map.png\n"
    "  dyetrace-viewer run.db --render lanes --at 900ms --out lanes.png --size 1920x1080\n"
    "\n"
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 invalid input.";

constexpr int side_max = 16'384;

std::optional<QSize> parse_size(const std::string& text) {
    const auto sides = QString::fromStdString(text).split(u'x');
    if (sides.size() != 2) return std::nullopt;
    bool ok_width = false, ok_height = false;
    const QSize size(sides[0].toInt(&ok_width), sides[1].toInt(&ok_height));
    const auto sensible = [](int side) { return side >= 16 && side <= side_max; };
    if (!ok_width || !ok_height || !sensible(size.width()) || !sensible(size.height())) return std::nullopt;
    return size;
}

/// What was given as text, and is turned into a value after parsing.
struct Texts {
    std::string view, at, window, size;
};

void add_options(CLI::App& program, CommandLine& command, Texts& texts) {
    program.add_option("RUN", command.run, "The database of a run (dyetrace run ... -o RUN.db)")
        ->type_name("RUN.db");
    program
        .add_option("--at", texts.at, "Where the playhead stands: 0.9, 0.9s, 900ms; past the end is the end")
        ->type_name("T");
    program.add_option("--render", texts.view, "Draw this view into a PNG instead of opening a window")
        ->type_name("map|lanes")
        ->check(CLI::IsMember({"map", "lanes"}));
    program.add_option("-o,--out", command.out, "The PNG to write")->type_name("FILE.png");
    program.add_option("--size", texts.size, "Its size in pixels [1600x1000]")->type_name("WxH");
    program.add_option("--scale", command.scale, "Pixels per unit: 2 draws all twice as large [1]")
        ->type_name("X")
        ->check(CLI::Range(0.25, 8.0));
    program.add_option("--window", texts.window, "How far back the map looks [100ms]")->type_name("T");
    program.add_flag("!--no-truth", command.truth, "Leave out what only the simulator knows");
    program.add_flag("--force", command.force, "Replace FILE.png where it is a picture of dyetrace-viewer");
    program.set_version_flag("--version", std::string("dyetrace-viewer ") + DYETRACE_VERSION,
                             "Say the version");
    program.footer(outro);
}

/// Turns the texts into values; returns what is wrong, empty: nothing.
std::string evaluate(const Texts& texts, CommandLine& command) {
    if (!texts.at.empty()) {
        const auto at = parse_time(texts.at);
        if (!at) return "--at: not a time: " + texts.at + " (0.9, 0.9s, 900ms)";
        command.at_ns = *at;
    }
    if (!texts.window.empty()) {
        const auto window = parse_time(texts.window);
        if (!window || *window <= 0) return "--window: not a length of time: " + texts.window + " (100ms)";
        command.window_ns = *window;
    }
    if (!texts.size.empty()) {
        const auto size = parse_size(texts.size);
        if (!size) return "--size: not a size of 16x16 to 16384x16384: " + texts.size + " (1600x1000)";
        command.size = *size;
    }
    if (!texts.view.empty()) command.render = texts.view == "map" ? View::Map : View::Lanes;
    if (command.render && command.run.empty()) return "--render needs a RUN.db";
    if (command.render && texts.at.empty()) return "--render needs --at T";
    if (command.render && command.out.empty()) return "--render needs --out FILE.png";
    if (!command.render && !command.out.empty()) return "--out needs --render map|lanes";
    return {};
}

// PNG has a keyword for it, by which a picture of ours is told from any other.
constexpr const char* software_key = "Software";
constexpr const char* software = "dyetrace-viewer";

bool is_picture(const std::filesystem::path& file) {
    return QImageReader(QString::fromStdString(file.string())).text(software_key) == QLatin1String(software);
}

/// The file appears whole or not at all.
Exit save(QImage image, const CommandLine& command) {
    const QString name = QString::fromStdString(command.out);
    QSaveFile file(name);
    image.setText(software_key, software);
    if (!file.open(QIODevice::WriteOnly) || !image.save(&file, "PNG") || !file.commit()) {
        say_error(command.out + " cannot be written: " + file.errorString().toStdString());
        return Exit::Failed;
    }
    return Exit::Ok;
}

}  // namespace

void say_error(const std::string& message, const std::string& hint) {
    std::fprintf(stderr, "dyetrace-viewer: error: %s\n", message.c_str());
    if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
}

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
    ParsedCommandLine parsed;
    Texts texts;
    CLI::App program(intro, "dyetrace-viewer");
    add_options(program, parsed.command, texts);
    try {
        program.parse(argc, argv);
    } catch (const CLI::Success& success) {
        parsed.exit = static_cast<Exit>(program.exit(success));
        return parsed;
    } catch (const CLI::ParseError& error) {
        say_error(error.what(), "dyetrace-viewer --help");
        parsed.exit = Exit::Usage;
        return parsed;
    }
    if (const auto problem = evaluate(texts, parsed.command); !problem.empty()) {
        say_error(problem, "dyetrace-viewer --help");
        parsed.exit = Exit::Usage;
    }
    return parsed;
}

Exit render_to_file(const CommandLine& command) {
    try {
        store::refuse_existing(command.out, command.force, {"a picture of dyetrace-viewer", is_picture});
        const SnapshotPtr run = load_snapshot(command.run);
        RenderRequest request{.view = *command.render,
                              .t_ns = run->range.clamp(command.at_ns),
                              .size = command.size,
                              .scale = command.scale,
                              .window_ns = command.window_ns,
                              .truth = command.truth};
        if (request.t_ns != command.at_ns) {
            std::fprintf(stderr, "dyetrace-viewer: note: --at is outside of the run; shown is %s\n",
                         time_text(request.t_ns).toUtf8().constData());
        }
        return save(render(run, request), command);
    } catch (const store::NotReplaced& error) {
        say_error(error.what());
        return Exit::Failed;
    } catch (const store::OutputExists& error) {
        say_error(error.what(), "--force replaces it");
        return Exit::Failed;
    } catch (const store::Error& error) {
        say_error(error.what());
        return Exit::InvalidInput;
    }
}

}  // namespace dyetrace::viewer
