// SPDX-License-Identifier: GPL-2.0-or-later
// The program: command line, log, exit status.
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/config.h"
#include "host/daemon.h"
#include "host/file_descriptor.h"
#include "scenarios/reader/diagnostics.h"

namespace dyetrace::host {
namespace {

/// Documented in eppcd(8).
enum Exit : int { kOk = 0, kFailed = 1, kUsage = 2, kInvalidInput = 3 };

struct Options {
    std::string config;
    std::string log_level = "info";
    std::optional<int> ready_fd;
    bool json = false;
    bool check = false;
};

auth::Seed unpredictable_seed() {
    auth::Seed seed{};
    checked(static_cast<int>(::getrandom(seed.data(), seed.size(), 0)), "getrandom");
    return seed;
}

/// stdout carries summaries; everything else goes to stderr, where systemd's journal looks.
void set_up_log(const std::string& level) {
    auto logger = spdlog::stderr_color_st("eppcd");
    logger->set_level(spdlog::level::from_str(level));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$: %v");
    spdlog::set_default_logger(std::move(logger));
}

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void tell_ready(const Options& options) {
    spdlog::info("ready");
    if (!options.ready_fd) return;
    const FileDescriptor ready(*options.ready_fd);
    const std::string line = "ready\n";
    checked(static_cast<int>(::write(ready.get(), line.data(), line.size())), "--ready-fd");
}

/// Nothing where there are errors, which are told.
std::optional<HostConfig> load(const std::string& file) {
    scenario::Diagnostics diagnostics;
    HostConfig config = load_config(file, diagnostics);
    std::fputs(diagnostics.to_text().c_str(), stderr);
    if (diagnostics.has_errors()) return std::nullopt;
    return config;
}

int serve(const Options& options) {
    const auto config = load(options.config);
    if (!config) return kInvalidInput;
    if (options.check) {
        fmt::print("{}: good\n", options.config);
        return kOk;
    }
    set_up_log(options.log_level);
    Daemon daemon(*config, unpredictable_seed());
    tell_ready(options);
    daemon.run([&](const Summary& summary) { print(options.json ? to_json(summary) : to_text(summary)); },
               [&] { return load(options.config); });
    return kOk;
}

void describe(CLI::App& program, Options& options) {
    program.description("Carries guests' frames over a Geneve underlay and measures its paths with them");
    program.set_version_flag("--version", "eppcd " DYETRACE_VERSION);
    program.add_option("CONFIG", options.config, "Configuration (TOML), see eppcd(8)")->required();
    program.add_flag("--check", options.check, "Check the configuration and end");
    program.add_flag("-j,--json", options.json, "Print summaries as one line of JSON each");
    program.add_option("--ready-fd", options.ready_fd,
                       "Write a line to this open file descriptor, and close it, when ready");
    program.add_option("--log-level", options.log_level, "Least severe message on stderr")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "critical", "off"}))
        ->capture_default_str();
    program.footer(
        "SIGTERM and SIGINT close the sessions, print a summary and end; a second one ends at once.\n"
        "SIGUSR1 prints a summary; SIGHUP reads keys, and paths to move, of CONFIG anew. Exit status: 0 "
        "ended as asked, 1 "
        "failed, 2 usage, 3 invalid "
        "configuration.");
}

}  // namespace
}  // namespace dyetrace::host

int main(int argc, char** argv) {
    using namespace dyetrace::host;
    Options options;
    CLI::App program;
    describe(program, options);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? kOk : kUsage;
    }
    try {
        return serve(options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "eppcd: error: {}\n", error.what());
        return kFailed;
    }
}
