// SPDX-License-Identifier: GPL-2.0-or-later
// Files that can't be read, and where distributions are looked for.
#include "scenarios/reader/files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "scenarios/reader/reader.h"
#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Files : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("dyetrace-files-" + std::to_string(getpid()) + "-" +
                                               testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::create_directories(folder_ / "distributions");
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string write(const fs::path& name, const std::string& text) {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return (folder_ / name).string();
    }
    std::vector<std::string> told_of(const std::string& path,
                                     const std::vector<std::string>& overrides = {}) {
        Diagnostics diagnostics;
        const auto scenario = load(path, overrides, diagnostics, {.share = folder_ / "share"});
        EXPECT_EQ(scenario.has_value(), !diagnostics.has_errors());
        suggestion_ = diagnostics.all().empty() ? "" : diagnostics.all().front().suggestion;
        return told(diagnostics);
    }

    fs::path folder_;
    std::string suggestion_;
};

TEST_F(Files, AMissingFileIsToldWithOneOfALikeName) {
    write("gray-link.toml", "");
    const std::string path = (folder_ / "grey-link.toml").string();
    EXPECT_THAT(told_of(path), ElementsAre(path + ": there is no such file"));
    EXPECT_EQ(suggestion_, "did you mean " + (folder_ / "gray-link.toml").string() + "?");
}

TEST_F(Files, AMissingFolderIsTold) {
    const std::string path = (folder_ / "no" / "x.toml").string();
    EXPECT_THAT(told_of(path), ElementsAre(path + ": there is no folder " + (folder_ / "no").string()));
}

TEST_F(Files, AFolderIsNoFile) {
    EXPECT_THAT(told_of(folder_.string()), ElementsAre(folder_.string() + ": this is a folder, not a file"));
}

TEST_F(Files, AFileThatCannotBeReadIsToldWithTheReason) {
    // Opens for everybody, and has nothing mapped at its beginning.
    EXPECT_THAT(told_of("/proc/self/mem"), ElementsAre("/proc/self/mem: can't be read: Input/output error"));
}

TEST_F(Files, AnEmptyFileIsTold) {
    const std::string path = write("empty.toml", "");
    EXPECT_THAT(told_of(path), ElementsAre(path + ": the file is empty"));
}

TEST_F(Files, AFileOfTheWrongKindIsNotReadToItsEnd) {
    EXPECT_THAT(told_of("/dev/zero"),
                ElementsAre("/dev/zero: is larger than 1048576 bytes, so it can't be what is meant"));
    const std::string path = write("large.toml", std::string(input_bytes_most + 1, '#'));
    EXPECT_THAT(told_of(path), ElementsAre(HasSubstr("is larger than")));
}

TEST_F(Files, ALargeFileWithinTheBoundIsRead) {
    const std::string path = write("large.toml", "# " + std::string(input_bytes_most - 100, 'x') +
                                                     "\nworkload.distribution = \"d\"\n" + without_key);
    write("d.cdf", "0 0\n1 100\n");
    EXPECT_THAT(told_of(path), ElementsAre());
}

TEST_F(Files, ADistributionBesideTheScenarioComesFirst) {
    const std::string path = write("s.toml", "workload.distribution = \"mine\"\n" + without_key);
    fs::create_directories(folder_ / "share" / "distributions");
    write("share/distributions/mine.cdf", "0 0\n30 100\n");
    const auto mean = [&] {
        Diagnostics diagnostics;
        const auto scenario = load(path, {}, diagnostics, {.share = folder_ / "share"});
        EXPECT_TRUE(scenario.has_value()) << diagnostics.to_text();
        return scenario ? scenario->workloads[0].flow_sizes.mean_bytes() : 0;
    };
    EXPECT_EQ(mean(), 15);
    write("distributions/mine.cdf", "0 0\n20 100\n");
    EXPECT_EQ(mean(), 10);
    write("mine.cdf", "0 0\n10 100\n");
    EXPECT_EQ(mean(), 5);
}

TEST_F(Files, ADistributionMayBeNamedByItsPath) {
    write("distributions/mine.cdf", "0 0\n20 100\n");
    for (const std::string name : {"distributions/mine.cdf", "mine.cdf", "mine"}) {
        EXPECT_TRUE(find_distribution(name, folder_, folder_ / "share").ok()) << name;
    }
    EXPECT_TRUE(find_distribution((folder_ / "distributions/mine.cdf").string(), "/", "/").ok());
    EXPECT_FALSE(find_distribution("distributions", folder_, folder_ / "share").ok());
}

TEST_F(Files, ErrorsOfADistributionAreToldInItsOwnFile) {
    const std::string path =
        write("s.toml", "workload.distribution = \"mine\"\nrun.sede = 1\n" + without_key);
    const std::string sizes = write("mine.cdf", "0 0\n10 fifty\n20 100\n");
    EXPECT_THAT(told_of(path), ElementsAre(path + ":2:5: unknown key \"sede\" in [run]",
                                           sizes + ":2:4: \"fifty\" is not a percentage"));
}

TEST_F(Files, ADistributionThatIsNotThereIsToldWithThoseThatAre) {
    write("mine.cdf", "0 0\n10 100\n");
    const std::string path = write("s.toml", "workload.distribution = \"mime\"\n" + without_key);
    EXPECT_THAT(told_of(path),
                ElementsAre(path + ":1:25: there is no distribution \"mime\"; there are mine"));
    EXPECT_EQ(suggestion_, "did you mean \"mine\"?");
}

}  // namespace
}  // namespace dyetrace::scenario
