// SPDX-License-Identifier: GPL-2.0-or-later
// Captures of a run, judged by a decoder that is not ours.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

class Capture : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        if (!has_program("tshark")) return;
        folder_ = new TestFolder;
        outcome_ = run_program({dyetrace(), "run", scenario("gray-link.toml"), "-o", folder_->file("run.db"),
                                "--pcap", folder_->file("pcap"), "--set", "run.duration=800ms"});
    }
    static void TearDownTestSuite() {
        delete folder_;
        folder_ = nullptr;
    }
    void SetUp() override {
        if (folder_ == nullptr) GTEST_SKIP() << "tshark is not installed";
        ASSERT_EQ(outcome_.exit, 0) << outcome_.err;
    }

    static std::vector<std::string> files() {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_->path() / "pcap")) {
            names.push_back(entry.path().string());
        }
        std::sort(names.begin(), names.end());
        return names;
    }
    /// Packets of `file` that `filter` lets through, with every checksum validated.
    static std::size_t count(const std::string& file, const std::string& filter) {
        const Outcome decoded = run_program({"tshark", "-n", "-r", file, "-o", "ip.check_checksum:TRUE", "-o",
                                             "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-Y",
                                             filter, "-T", "fields", "-e", "frame.number"});
        EXPECT_EQ(decoded.exit, 0) << decoded.err;
        return static_cast<std::size_t>(std::count(decoded.out.begin(), decoded.out.end(), '\n'));
    }
    static constexpr const char* kData = "geneve && geneve.flags.oam == 0";

    static TestFolder* folder_;
    static Outcome outcome_;
};
TestFolder* Capture::folder_ = nullptr;
Outcome Capture::outcome_;

TEST_F(Capture, ComesFromTheFirstHostAndBothEndsOfTheFaultyLink) {
    EXPECT_EQ(files().size(), 3U);
    for (const std::string& file : files())
        EXPECT_GT(count(file, kData), 1000U) << file;
}

TEST_F(Capture, NoPacketIsMalformed) {
    for (const std::string& file : files()) {
        EXPECT_EQ(count(file, "_ws.malformed || _ws.expert.severity == \"Error\""), 0U) << file;
    }
}

TEST_F(Capture, NoChecksumIsBad) {
    for (const std::string& file : files()) {
        EXPECT_EQ(count(file,
                        "ip.checksum.status == \"Bad\" || udp.checksum.status == \"Bad\" || "
                        "icmp.checksum.status == \"Bad\""),
                  0U)
            << file;
        EXPECT_GT(count(file, "ip.checksum.status == \"Good\" && udp.checksum.status == \"Good\""), 1000U)
            << file;
    }
}

TEST_F(Capture, AboutOnePacketInAHundredCarriesTheOption) {
    for (const std::string& file : files()) {
        const auto data = static_cast<double>(count(file, kData));
        const auto tagged = static_cast<double>(count(
            file, std::string(kData) + " && geneve.option.class == 0xff44 && geneve.option.type == 0x01"));
        EXPECT_GT(tagged / data, 0.003) << file;
        EXPECT_LT(tagged / data, 0.03) << file;
    }
}

TEST_F(Capture, EveryInnerFrameIsDecoded) {
    for (const std::string& file : files()) {
        const std::string inner =
            std::string(kData) + " && frame.protocols contains \"geneve:eth:ethertype:ip:udp\"";
        EXPECT_EQ(count(file, inner), count(file, kData)) << file;
    }
}

TEST_F(Capture, ControlPacketsCarryTheOamBitAndTheExperimentalEtherType) {
    for (const std::string& file : files()) {
        EXPECT_GT(count(file, "geneve.flags.oam == 1"), 0U) << file;
        EXPECT_EQ(count(file, "geneve.flags.oam == 1 && geneve.proto_type != 0x88b5"), 0U) << file;
    }
}

}  // namespace
}  // namespace dyetrace::runner
