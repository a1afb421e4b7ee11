// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the built `dyetrace`, and other programs, as a user would.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace dyetrace::runner {

/// What a program did.
struct Outcome {
    int exit = -1;    ///< its status; 128 + signal where one ended it
    std::string out;  ///< standard output
    std::string err;
};

/// Runs `words` and waits for the end.
Outcome run_program(const std::vector<std::string>& words);
/// Runs it, sends SIGINT after `delay_ms`, and waits for the end.
Outcome interrupt_program(const std::vector<std::string>& words, int delay_ms);
/// Runs it, sends SIGKILL as soon as `moment` has come, and waits for the end. `moment` is asked every few
/// milliseconds, until the program ends by itself.
Outcome kill_program(const std::vector<std::string>& words, const std::function<bool()>& moment);

/// Path of the built `dyetrace`.
std::string dyetrace();
/// Path of a scenario of the source tree.
std::string scenario(const std::string& name);
/// Whether a program of this name can be found.
bool has_program(const std::string& name);

/// A folder of its own for one test, removed with it.
class TestFolder {
  public:
    TestFolder();
    ~TestFolder();
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// Runs a shipped scenario with these keys set, "key=value", into a new database.
Outcome run_of(const std::string& name, const std::string& database,
               const std::vector<std::string>& sets = {});

}  // namespace dyetrace::runner
