// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/gnuplot.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/report/plot.h"

namespace dyetrace::report {
namespace {

/// A folder of our own that goes when this does. Files instead of pipes: nothing can block on a full one.
class ScratchFolder {
  public:
    ScratchFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "dyetrace-plot-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) {
            throw PlotError("no folder for gnuplot's files in " +
                            std::filesystem::temp_directory_path().string() + ": " + std::strerror(errno));
        }
        path_ = pattern;
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

class FileActions {
  public:
    FileActions() { posix_spawn_file_actions_init(&actions_); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
    ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
    void open(int descriptor, const std::string& path, int flags) {
        posix_spawn_file_actions_addopen(&actions_, descriptor, path.c_str(), flags, 0600);
    }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

/// Exit status of `gnuplot <script>` with its streams in files.
int spawn_gnuplot(const std::string& script, const std::string& output, const std::string& errors) {
    FileActions actions;
    actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
    actions.open(STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC);
    actions.open(STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC);
    std::string program = "gnuplot", options = "-d",
                argument = script;  // -d: without the user's own settings
    std::array<char*, 4> arguments{program.data(), options.data(), argument.data(), nullptr};
    pid_t child = 0;
    const int failure =
        posix_spawnp(&child, program.c_str(), actions.get(), nullptr, arguments.data(), environ);
    if (failure == ENOENT) {
        throw PlotError("gnuplot is not installed (on Debian: apt-get install gnuplot-nox)");
    }
    if (failure != 0) throw PlotError(std::string("gnuplot cannot be started: ") + std::strerror(failure));
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            throw PlotError(std::string("gnuplot cannot be waited for: ") + std::strerror(errno));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

std::string run_gnuplot(const std::string& script) {
    const ScratchFolder scratch;
    const std::string script_file = scratch.file("plot.gp"), output = scratch.file("plot.svg");
    const std::string errors = scratch.file("errors");
    std::ofstream(script_file, std::ios::binary) << script;
    const int status = spawn_gnuplot(script_file, output, errors);
    if (status == 127) throw PlotError("gnuplot is not installed (on Debian: apt-get install gnuplot-nox)");
    if (status != 0) throw PlotError("gnuplot failed: " + content(errors));
    return content(output);
}

}  // namespace dyetrace::report
