// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenarios/runner/program.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dyetrace::runner {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

pid_t start(const std::vector<std::string>& words, const std::string& out, const std::string& err) {
    std::vector<char*> arguments;
    for (const std::string& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child != 0) return child;
    const auto redirect = [](const std::string& path, int target) {
        const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(file, target);
        close(file);
    };
    redirect(out, STDOUT_FILENO);
    redirect(err, STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
}

Outcome outcome_of(int status, const TestFolder& folder) {
    Outcome outcome;
    outcome.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.out = read_file(folder.file("out"));
    outcome.err = read_file(folder.file("err"));
    return outcome;
}

Outcome finish(pid_t child, const TestFolder& folder) {
    int status = 0;
    waitpid(child, &status, 0);
    return outcome_of(status, folder);
}

}  // namespace

Outcome run_program(const std::vector<std::string>& words) {
    const TestFolder folder;
    return finish(start(words, folder.file("out"), folder.file("err")), folder);
}

Outcome interrupt_program(const std::vector<std::string>& words, int delay_ms) {
    const TestFolder folder;
    const pid_t child = start(words, folder.file("out"), folder.file("err"));
    usleep(static_cast<useconds_t>(delay_ms) * 1000);
    kill(child, SIGINT);
    return finish(child, folder);
}

Outcome kill_program(const std::vector<std::string>& words, const std::function<bool()>& moment) {
    const TestFolder folder;
    const pid_t child = start(words, folder.file("out"), folder.file("err"));
    int status = 0;
    while (!moment()) {
        if (waitpid(child, &status, WNOHANG) == child) return outcome_of(status, folder);
        usleep(5000);
    }
    kill(child, SIGKILL);
    return finish(child, folder);
}

std::string dyetrace() {
    return std::string(DYETRACE_PROGRAM_DIR) + "/dyetrace";
}

std::string scenario(const std::string& name) {
    return std::string(DYETRACE_SOURCE_DIR) + "/scenarios/" + name;
}

bool has_program(const std::string& name) {
    return run_program({"sh", "-c", "command -v " + name}).exit == 0;
}

TestFolder::TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "dyetrace-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
    path_ = name;
}

TestFolder::~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Outcome run_of(const std::string& name, const std::string& database, const std::vector<std::string>& sets) {
    std::vector<std::string> words{dyetrace(), "run", scenario(name), "-o", database};
    for (const std::string& set : sets)
        words.insert(words.end(), {"--set", set});
    return run_program(words);
}

}  // namespace dyetrace::runner
