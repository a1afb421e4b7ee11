// SPDX-License-Identifier: GPL-2.0-or-later
// tshark reads a capture of two engines: Geneve, the option and the guests' frames inside, all checksums
// checked.
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

std::string output_of(const std::string& command) {
    std::string output;
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return output;
    std::array<char, 65536> chunk{};
    while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe))
        output.append(chunk.data(), n);
    pclose(pipe);
    return output;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, separator);)
        parts.push_back(part);
    return parts;
}

struct TsharkReads : ::testing::Test {
    void SetUp() override {
        if (output_of("tshark --version 2>/dev/null").empty()) GTEST_SKIP() << "tshark is not installed";
        path =
            std::filesystem::path(::testing::TempDir()) / ("dyetrace-" + std::to_string(getpid()) + ".pcap");
    }
    void TearDown() override { std::filesystem::remove(path); }
    /// One line a packet, one field a column; `fields` are tshark's names.
    std::vector<std::vector<std::string>> rows(const std::string& filter,
                                               const std::vector<std::string>& fields) {
        std::string command =
            "tshark -n -r " + path.string() +
            " -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields -E separator='|' -Y '" + filter +
            "'";
        for (const std::string& field : fields)
            command += " -e " + field;
        std::vector<std::vector<std::string>> result;
        for (const std::string& line : split(output_of(command + " 2>/dev/null"), '\n'))
            result.push_back(split(line, '|'));
        return result;
    }

    std::filesystem::path path;
};

TEST_F(TsharkReads, WhatTwoEnginesSend) {
    Network net;
    FakeNhms nhms(net);
    for (int i = 0; i < 2; ++i) {
        net.add_host([](eppc::EppcConfig& config) {
            config.nhms = FakeNhms::kEndpoint;
            config.trace_paths = true;
            config.dscp = 10;
        });
    }
    for (int i = 0; i < 600; ++i) {
        net.at(Time{} + Duration::microseconds(20) * i, [&net, i] {
            (void)net.send(0, 1, static_cast<std::uint16_t>(i % 8), static_cast<std::size_t>(i * 2),
                           static_cast<wire::Ecn>(i % 4));
        });
    }
    net.run_for(Duration::milliseconds(100));
    ASSERT_TRUE(net.close_all());
    net.write_pcap(path.string());

    EXPECT_TRUE(rows("_ws.malformed || _ws.expert.severity >= 8388608", {"frame.number"}).empty());
    EXPECT_TRUE(rows("ip.checksum.status == 0 || udp.checksum.status == 0", {"frame.number"}).empty());
    std::size_t data = 0;
    std::size_t tagged = 0;
    for (const Captured& packet : net.captured()) {
        data += packet.seen.kind == SeenPacket::Kind::Data ? 1 : 0;
        tagged += packet.seen.track ? 1 : 0;
    }
    ASSERT_EQ(data, 600U);
    // Every guest's frame is decoded inside; the O bit keeps control apart.
    EXPECT_EQ(rows("geneve && geneve.flags.oam == 0 && udp.srcport >= 10000 && udp.dstport == 2000",
                   {"frame.number"})
                  .size(),
              data);
    EXPECT_EQ(rows("geneve.flags.oam == 1 && geneve.proto_type == 0x88b5", {"frame.number"}).size() +
                  rows("udp.port == 46081", {"frame.number"}).size() + data,
              net.captured().size());
    // The option, field by field as tshark cuts it out.
    const auto options = rows("geneve.option.class == 0xff44",
                              {"frame.number", "geneve.option.length", "geneve.option.type",
                               "geneve.option.type.critical", "geneve.options", "geneve.vni"});
    ASSERT_EQ(options.size(), tagged);
    for (const auto& row : options) {
        ASSERT_EQ(row.size(), 6U);
        const SeenPacket& seen = net.captured().at(std::stoul(row[0]) - 1).seen;
        EXPECT_EQ(std::stoul(row[1]), wire::TrackOption::kSize);
        EXPECT_EQ(std::stoul(row[2], nullptr, 0), 1U);
        EXPECT_EQ(row[3], "0");
        EXPECT_EQ(std::stoul(row[5], nullptr, 0), kVni.value);
        ASSERT_TRUE(seen.track);
        std::array<std::uint8_t, wire::TrackOption::kSize> bytes{};
        seen.track->encode_into(bytes, wire::TrackOption::kClassDefault);
        std::string hex;
        for (const std::uint8_t byte : bytes) {
            char digits[3];
            std::snprintf(digits, sizeof digits, "%02x", byte);
            hex += digits;
        }
        EXPECT_EQ(row[4], hex);
    }
    // Outer DSCP of every packet, outer ECN that of the guest's packet.
    for (const auto& row : rows("geneve && geneve.flags.oam == 0", {"ip.dsfield.dscp", "ip.dsfield.ecn"})) {
        ASSERT_EQ(row.size(), 2U);
        EXPECT_EQ(split(row[0], ',').at(0), "10");
        EXPECT_EQ(split(row[1], ',').at(0), split(row[1], ',').at(1));
    }
}

}  // namespace
}  // namespace dyetrace::test
