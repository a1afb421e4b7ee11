// SPDX-License-Identifier: GPL-2.0-or-later
// The built program as its users meet it: exit codes, streams, shape of the JSON.
#include <cstdlib>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "tests/analysis/sample_run.h"

namespace dyetrace::cli {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Outcome {
    int exit = -1;
    std::string out;
    std::string err;
};

class Program : public ::testing::Test {
  protected:
    /// Runs `dyetrace` with the arguments, which are words of a shell; "@" stands for the test's own folder.
    Outcome run(std::string arguments) const {
        for (std::size_t at = 0; (at = arguments.find('@', at)) != std::string::npos;) {
            arguments.replace(at, 1, folder_.path().string());
        }
        const auto out = folder_.file("stdout"), err = folder_.file("stderr");
        const std::string line = std::string(DYETRACE_PROGRAM_DIR) + "/dyetrace " + arguments + " > " +
                                 out.string() + " 2> " + err.string() + " < /dev/null";
        const int status = std::system(line.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, testing::file_bytes(out),
                testing::file_bytes(err)};
    }
    void make_sample(const testing::SampleRun& sample = {}) const {
        testing::write_sample_run(folder_.file("run.db"), sample);
    }

    testing::TestFolder folder_;
};

TEST_F(Program, HelpIsNoErrorAndShowsExamplesAndExitCodes) {
    const Outcome outcome = run("--help");
    EXPECT_EQ(outcome.exit, 0);
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("Examples"), HasSubstr("Exit codes"), HasSubstr("locate"),
                                   HasSubstr("report")));
}

TEST_F(Program, HelpListsTheExitCodesThatTheGuideExplains) {
    const std::string guide = testing::file_bytes(DYETRACE_SOURCE_DIR "/docs/commands.md");
    const std::string help = run("--help").out;
    std::string codes = help.substr(help.find("Exit codes: "));
    codes.resize(codes.find('.'));
    std::size_t told = 0;
    for (std::size_t at = 0; (at = codes.find_first_of("0123456789", at)) != std::string::npos; ++told) {
        const std::string code = codes.substr(at, codes.find(' ', at) - at);
        EXPECT_THAT(guide, HasSubstr("\n| " + code + " | "));
        at += code.size();
    }
    EXPECT_EQ(told, 5U);
}

TEST_F(Program, EachCommandExplainsItself) {
    for (const std::string command : {"check", "show", "locate", "report", "export"}) {
        const Outcome outcome = run(command + " --help");
        EXPECT_EQ(outcome.exit, 0) << command;
        EXPECT_THAT(outcome.out, HasSubstr("--json")) << command;
    }
}

TEST_F(Program, VersionSaysWhatItWasBuiltWith) {
    const Outcome outcome = run("--version");
    EXPECT_EQ(outcome.exit, 0);
    EXPECT_THAT(outcome.out, AllOf(StartsWith("dyetrace "), HasSubstr("built with")));
}

TEST_F(Program, WithoutACommandIsAUsageError) {
    const Outcome outcome = run("");
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_THAT(outcome.err, AllOf(StartsWith("dyetrace: error: "), HasSubstr("hint: ")));
    EXPECT_THAT(outcome.out, IsEmpty());
}

TEST_F(Program, AnUnknownCommandIsAUsageErrorWithTheNearestName) {
    const Outcome outcome = run("shwo @/run.db");
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("no command 'shwo'"), HasSubstr("did you mean 'show'")));
}

TEST_F(Program, AnUnknownCommandIsAUsageErrorAlsoBesideHelpAndVersion) {
    for (const std::string line : {"shwo --help", "--help shwo", "shwo --version"}) {
        const Outcome outcome = run(line);
        EXPECT_EQ(outcome.exit, 2) << line;
        EXPECT_THAT(outcome.err, HasSubstr("no command 'shwo'")) << line;
    }
    EXPECT_EQ(run("--help show").exit, 0);
}

TEST_F(Program, AnUnknownOptionIsAUsageError) {
    make_sample();
    const Outcome outcome = run("show @/run.db --frobnicate");
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("--frobnicate"), HasSubstr("dyetrace show --help")));
}

TEST_F(Program, ShowTellsTheStory) {
    make_sample();
    const Outcome outcome = run("show @/run.db");
    EXPECT_EQ(outcome.exit, 0);
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("fault injected"), HasSubstr("confirmed"), HasSubstr("truth agrees")));
    EXPECT_THAT(outcome.err, IsEmpty());
}

TEST_F(Program, ShowPrintsJsonWhereverTheFlagStands) {
    make_sample();
    const Outcome before = run("-j show @/run.db"), after = run("show @/run.db -j");
    EXPECT_EQ(before.exit, 0);
    EXPECT_EQ(before.out, after.out);
    EXPECT_TRUE(nlohmann::json::accept(before.out));
}

TEST_F(Program, ShowHasTheShapeThatScriptsRelyOn) {
    make_sample();
    const auto json = nlohmann::json::parse(run("show -j @/run.db").out);
    EXPECT_EQ(json["complete"], true);
    EXPECT_EQ(json["sessions"].size(), 33U);
    EXPECT_EQ(json["detections"][0]["t_s"], 0.46);
    EXPECT_THAT(json["detections"][0]["subject"].get<std::string>(), StartsWith("host-"));
    EXPECT_EQ(json["faults"],
              nlohmann::json::parse(R"([{"truth": true, "kind": "silent-drop", "from": "agg-0-1",
        "to": "core-2", "t_s": 0.4, "until_s": null, "probability": 0.01}])"));
    EXPECT_EQ(json["incidents"][0]["state"], "confirmed");
    EXPECT_EQ(json["directives"].size(), 2U);
    EXPECT_EQ(json["updates"]["count"], 800);
    EXPECT_EQ(json["updates"]["first_t_s"], 0.02);
    EXPECT_GT(json["updates"]["last_t_s"], 1.0);
}

/// Names of all members of the objects in `json`, but not of those that a run makes up itself.
void collect_keys(const nlohmann::json& json, std::set<std::string>& keys) {
    for (const auto& [key, value] : json.items()) {
        if (json.is_object()) keys.insert(key);
        if (value.is_structured() && key != "provenance") collect_keys(value, keys);
    }
}

TEST_F(Program, TheGuideExplainsEveryKeyOfTheJson) {
    make_sample();
    std::set<std::string> keys;
    for (const std::string command : {"show", "locate", "locate --pairs"})
        collect_keys(nlohmann::json::parse(run("-j " + command + " @/run.db").out), keys);
    EXPECT_GT(keys.size(), 40U);
    const std::string guide = testing::file_bytes(DYETRACE_SOURCE_DIR "/docs/commands.md");
    for (const std::string& key : keys)
        EXPECT_THAT(guide, AnyOf(HasSubstr("`" + key + "`"), HasSubstr("`" + key + "[]`"))) << key;
}

TEST_F(Program, LocateTakesWhatIsKnownBesideARunAndNamesWhatItCannotUse) {
    make_sample();
    testing::write_bytes(folder_.file("said.json"), run("-j locate @/run.db").out);
    testing::write_bytes(folder_.file("counters.json"),
                         R"({"counters": [{"from": "agg-0-1", "to": "nowhere", "sent": 10, "lost": 1}]})");
    const Outcome used = run("locate @/run.db --conclusions @/said.json --counters @/counters.json");
    EXPECT_EQ(used.exit, 0);
    EXPECT_THAT(used.err, HasSubstr("counters.json: counters[0]: there is no link agg-0-1 > nowhere"));
    EXPECT_THAT(used.err, Not(HasSubstr("said.json")));
    testing::write_bytes(folder_.file("counters.json"), "{");
    const Outcome refused = run("locate @/run.db --counters @/counters.json");
    EXPECT_EQ(refused.exit, 3);
    EXPECT_THAT(refused.err, HasSubstr("counters.json: parse error at line 1"));
    EXPECT_EQ(run("locate --trace @/x --pairs").exit, 2);
}

TEST_F(Program, LocateTakesOneFileAfterEachOptionAndTheRunAfterThem) {
    make_sample();
    testing::write_bytes(folder_.file("said.json"), R"({"suspects": [], "candidates": []})");
    testing::write_bytes(folder_.file("counters.json"), R"({"counters": []})");
    const Outcome used = run("locate --counters @/counters.json --conclusions @/said.json @/run.db");
    EXPECT_EQ(used.exit, 0) << used.err;
    EXPECT_EQ(used.out, run("locate @/run.db").out);
}

TEST_F(Program, LocateNamesAFolderThatStandsForAFile) {
    make_sample();
    for (const std::string option : {"--counters", "--conclusions"}) {
        const Outcome outcome = run("locate @/run.db " + option + " @");
        EXPECT_EQ(outcome.exit, 3) << option;
        EXPECT_THAT(outcome.err, HasSubstr(folder_.path().string() + ": is a folder")) << option;
    }
}

TEST_F(Program, LocateTakesPathsOfATraceOnlyAndListsWhatTheyMayBe) {
    make_sample();
    const Outcome of_run = run("locate @/run.db --paths lossy");
    EXPECT_EQ(of_run.exit, 2);
    EXPECT_THAT(of_run.err, HasSubstr("--paths takes a trace"));
    const Outcome unknown = run("locate --trace @/trace --paths foo");
    EXPECT_EQ(unknown.exit, 2);
    EXPECT_THAT(unknown.err, AllOf(HasSubstr("{known,lossy,unknown}"), Not(HasSubstr("->"))));
    EXPECT_THAT(run("locate --help").out, Not(HasSubstr("->")));
}

TEST_F(Program, LocateFindsNothingToJudgeInATraceWithoutFlows) {
    testing::write_bytes(folder_.file("trace"), "FP 0 1 2\n");
    for (const std::string file : {"@/trace", "/dev/null"}) {
        const Outcome outcome = run("locate --trace " + file);
        EXPECT_EQ(outcome.exit, 3) << file;
        EXPECT_THAT(outcome.err, HasSubstr("holds no flow")) << file;
    }
}

TEST_F(Program, ShowListsConfirmedSuspectsAsDirectedLinks) {
    make_sample();
    const auto json = nlohmann::json::parse(run("show -j @/run.db").out);
    ASSERT_EQ(json["suspects"].size(), 1U);
    EXPECT_EQ(json["suspects"][0]["kind"], "link");
    EXPECT_EQ(json["suspects"][0]["from"], "agg-0-1");
    EXPECT_EQ(json["suspects"][0]["to"], "core-2");
    EXPECT_EQ(json["suspects"][0]["log_odds"], 15.2);
    EXPECT_FALSE(json["suspects"][0].contains("group"));
}

TEST_F(Program, ShowOfAHealthyRunHasEmptyLists) {
    make_sample({.fault = false});
    const auto json = nlohmann::json::parse(run("show -j @/run.db").out);
    for (const char* list : {"suspects", "detections", "incidents", "faults"}) {
        EXPECT_EQ(json[list], nlohmann::json::array()) << list;
    }
}

TEST_F(Program, ShowSaysThatARunWasInterrupted) {
    make_sample({.finish = false});
    EXPECT_THAT(run("show @/run.db").out,
                HasSubstr("INCOMPLETE: the run was interrupted, or is still going on"));
    EXPECT_EQ(nlohmann::json::parse(run("show -j @/run.db").out)["complete"], false);
}

TEST_F(Program, ShowOfATenantWithoutANameIsOfNobody) {
    make_sample();
    for (const std::string option : {"--tenant ''", "--tenant nobody"}) {
        const Outcome outcome = run("show @/run.db " + option);
        EXPECT_EQ(outcome.exit, 3) << option;
        EXPECT_THAT(outcome.err, HasSubstr("has no tenant")) << option;
        EXPECT_THAT(outcome.out, IsEmpty()) << option;
    }
}

TEST_F(Program, ADatabaseThatIsNoneIsInvalidInputAndNamed) {
    testing::write_bytes(folder_.file("text.db"), "hello");
    for (const std::string command :
         {"show @/text.db", "report @/text.db -o @/x.html", "export @/text.db -o @/x", "show @/missing.db"}) {
        const Outcome outcome = run(command);
        EXPECT_EQ(outcome.exit, 3) << command;
        EXPECT_THAT(outcome.err, AllOf(StartsWith("dyetrace: error: "), HasSubstr(".db "))) << command;
        EXPECT_THAT(outcome.out, IsEmpty()) << command;
    }
    EXPECT_FALSE(std::filesystem::exists(folder_.file("x.html")));
    EXPECT_FALSE(std::filesystem::exists(folder_.file("x")));
}

TEST_F(Program, ATruncatedDatabaseIsInvalidInput) {
    make_sample();
    testing::write_bytes(folder_.file("cut.db"), testing::file_bytes(folder_.file("run.db")).substr(0, 9000));
    const Outcome outcome = run("show @/cut.db");
    EXPECT_EQ(outcome.exit, 3);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("cut.db"), HasSubstr("truncated")));
}

TEST_F(Program, ExportWritesFilesOnceAndAgainOnlyByForce) {
    make_sample();
    EXPECT_EQ(run("export @/run.db --format csv -o @/csv").exit, 0);
    EXPECT_TRUE(std::filesystem::exists(folder_.file("csv/path_records.csv")));
    EXPECT_FALSE(std::filesystem::exists(folder_.file("csv/truth_faults.csv")));
    const Outcome again = run("export @/run.db --format csv -o @/csv");
    EXPECT_EQ(again.exit, 1);
    EXPECT_THAT(again.err, AllOf(HasSubstr("exists already"), HasSubstr("--force")));
    EXPECT_EQ(run("export @/run.db --format csv -o @/csv --force --truth").exit, 0);
    EXPECT_TRUE(std::filesystem::exists(folder_.file("csv/truth_faults.csv")));
}

TEST_F(Program, WhatForceDoesNotReplaceIsRefusedWithoutAHintOfIt) {
    make_sample();
    testing::write_bytes(folder_.file("mine"), "mine");
    std::filesystem::create_directory(folder_.file("folder"));
    const std::string before = testing::file_bytes(folder_.file("run.db"));
    for (const std::string command : {"report @/run.db -o @/mine", "report @/run.db -o @/folder",
                                      "report @/run.db -o @/run.db", "export @/run.db -o @/mine"}) {
        for (const std::string force : {"", " --force"}) {
            const Outcome outcome = run(command + force);
            EXPECT_EQ(outcome.exit, 1) << command << force;
            EXPECT_THAT(outcome.err, AllOf(HasSubstr("not "), Not(HasSubstr("hint")))) << command << force;
        }
    }
    EXPECT_EQ(testing::file_bytes(folder_.file("mine")), "mine");
    EXPECT_EQ(testing::file_bytes(folder_.file("run.db")), before);
}

TEST_F(Program, ExportRefusesAFormatThatItDoesNotKnow) {
    make_sample();
    EXPECT_EQ(run("export @/run.db --format xml -o @/xml").exit, 2);
}

TEST_F(Program, ReportWritesOnePage) {
    if (std::system("gnuplot --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
    make_sample();
    EXPECT_EQ(run("report @/run.db -o @/run.html").exit, 0);
    EXPECT_THAT(testing::file_bytes(folder_.file("run.html")), StartsWith("<!DOCTYPE html>"));
    EXPECT_EQ(run("report @/run.db -o @/run.html").exit, 1);
    EXPECT_EQ(run("report @/run.db -o @/run.html --force").exit, 0);
}

TEST_F(Program, AFullDiskBehindStandardOutputIsAFailure) {
    make_sample();
    const std::string line = std::string(DYETRACE_PROGRAM_DIR) + "/dyetrace show -j " +
                             folder_.file("run.db").string() + " > /dev/full 2> " +
                             folder_.file("stderr").string();
    const int status = std::system(line.c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1);
    EXPECT_THAT(testing::file_bytes(folder_.file("stderr")), HasSubstr("dyetrace: error: "));
}

}  // namespace
}  // namespace dyetrace::cli
