// SPDX-License-Identifier: GPL-2.0-or-later
// `dyetrace check` as a user runs it: exit codes, what goes where, JSON.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using nlohmann::json;
using testing::HasSubstr;

struct Answer {
    int exit = -1;
    std::string out;
    std::string errors;
};

std::string slurp(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

class CheckCommand : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("dyetrace-check-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& text) {
        std::ofstream(folder_ / "s.toml") << text;
        return (folder_ / "s.toml").string();
    }
    Answer check(const std::string& arguments) {
        const std::string out = (folder_ / "out").string();
        const std::string errors = (folder_ / "errors").string();
        const std::string line = DYETRACE_PROGRAM_DIR "/dyetrace " + arguments + " >" + out + " 2>" + errors;
        const int status = std::system(line.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(out), slurp(errors)};
    }

    std::filesystem::path folder_;
};

TEST_F(CheckCommand, SaysWhatARightScenarioSays) {
    const Answer answer = check("check scenarios/gray-link.toml");
    EXPECT_EQ(answer.exit, 0);
    EXPECT_EQ(answer.errors, "");
    EXPECT_THAT(answer.out, HasSubstr("scenarios/gray-link.toml: ok\n"));
    EXPECT_THAT(answer.out, HasSubstr("54 hosts, 45 switches, 162 cables"));
    EXPECT_THAT(answer.out, HasSubstr("silent-drop agg-0-1 > core-4, 1% of packets"));
    EXPECT_LT(std::count(answer.out.begin(), answer.out.end(), '\n'), 24);
}

TEST_F(CheckCommand, TellsEveryErrorOnStderrAndExitsWith3) {
    const std::string path = write("[run]\nsede = 1\n[tracking]\ninsecure = true\nrate = 2\n");
    const Answer answer = check("check " + path);
    EXPECT_EQ(answer.exit, 3);
    EXPECT_EQ(answer.out, "");
    EXPECT_EQ(answer.errors, path +
                                 ":2:1: error: unknown key \"sede\" in [run]\n"
                                 "    2 | sede = 1\n"
                                 "      | ^~~~\n"
                                 "      = did you mean \"seed\"?\n" +
                                 path +
                                 ":5:8: error: rate: 2 is out of range: 0 to 1, or \"0%\" to \"100%\"\n"
                                 "    5 | rate = 2\n"
                                 "      |        ^\n"
                                 "      = did you mean \"2%\"?\n"
                                 "2 errors in " +
                                 path + "\n");
}

TEST_F(CheckCommand, TellsErrorsAsJson) {
    const std::string path = write("[run]\nsede = 1\n[tracking]\ninsecure = true\n");
    const Answer answer = check("-j check " + path + " --set tracking.rate=2");
    EXPECT_EQ(answer.exit, 3);
    EXPECT_EQ(answer.errors, "");
    const json told = json::parse(answer.out);
    EXPECT_EQ(told["ok"], false);
    ASSERT_EQ(told["errors"].size(), 2U);
    EXPECT_EQ(told["errors"][0], json({{"file", path},
                                       {"line", 2},
                                       {"column", 1},
                                       {"message", "unknown key \"sede\" in [run]"},
                                       {"suggestion", "did you mean \"seed\"?"}}));
    EXPECT_EQ(told["errors"][1]["file"], "--set tracking.rate=2");
    EXPECT_TRUE(told["errors"][1]["line"].is_null());
}

TEST_F(CheckCommand, SaysARightScenarioAsJson) {
    const Answer answer = check("check scenarios/quiet.toml -j");
    EXPECT_EQ(answer.exit, 0);
    const json said = json::parse(answer.out);
    EXPECT_EQ(said["ok"], true);
    EXPECT_EQ(said["errors"], json::array());
    EXPECT_EQ(said["summary"]["hosts"], 16);
}

TEST_F(CheckCommand, SetMayBeGivenManyTimesBeforeAndAfterTheFile) {
    const Answer answer = check(
        "check --set fault.0.from=core-3 --set fault.0.to=agg-2-1 scenarios/gray-link.toml --set "
        "fault.0.probability=0");
    EXPECT_EQ(answer.exit, 0) << answer.errors;
    EXPECT_THAT(answer.out, HasSubstr("silent-drop core-3 > agg-2-1, 0% of packets"));
}

TEST_F(CheckCommand, WarnsOnStderrAndSucceeds) {
    const Answer answer = check("check scenarios/gray-link.toml --set fault.0.kind=link-down");
    EXPECT_EQ(answer.exit, 0);
    EXPECT_THAT(answer.errors, HasSubstr(": warning: probability means nothing for link-down"));
}

TEST_F(CheckCommand, NeedsAFile) {
    EXPECT_EQ(check("check").exit, 2);
    EXPECT_EQ(check("check a.toml b.toml").exit, 2);
    EXPECT_EQ(check("check " + (folder_ / "none.toml").string()).exit, 3);
    EXPECT_EQ(check("check " + folder_.string()).exit, 3);
}

TEST_F(CheckCommand, ListsItsKeys) {
    const Answer answer = check("check --keys");
    EXPECT_EQ(answer.exit, 0);
    EXPECT_THAT(slurp("docs/scenario-reference.md"), HasSubstr(answer.out));
    EXPECT_EQ(json::parse(check("check --keys -j").out)["tables"].size(), 16U);
}

}  // namespace
