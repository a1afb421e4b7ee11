// SPDX-License-Identifier: GPL-2.0-or-later
// tshark reads a capture of two engines: Geneve, the option and the guests' frames inside, all checksums
// checked; and with dyetrace.lua each field under its own name.
#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/wire/session_messages.h"
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

/// The option as tshark cuts it out.
void expect_option(const std::vector<std::string>& row, const wire::TrackOption& option) {
    EXPECT_EQ(std::stoul(row[7], nullptr, 0), wire::TrackOption::kClassDefault);
    EXPECT_EQ(std::stoul(row[8], nullptr, 0), wire::TrackOption::kType);
    EXPECT_EQ(row[9], "0");
    EXPECT_EQ(std::stoul(row[10]), wire::TrackOption::kSize);
    std::array<std::uint8_t, wire::TrackOption::kSize> bytes{};
    option.encode_into(bytes, wire::TrackOption::kClassDefault);
    std::string hex;
    for (const std::uint8_t byte : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", byte);
        hex += digits;
    }
    EXPECT_EQ(row[11], hex);
}

struct TsharkReads : ::testing::Test {
    void SetUp() override {
        if (output_of("tshark --version 2>/dev/null").empty()) GTEST_SKIP() << "tshark is not installed";
        path =
            std::filesystem::path(::testing::TempDir()) / ("dyetrace-" + std::to_string(getpid()) + ".pcap");
    }
    void TearDown() override { std::filesystem::remove(path); }
    /// One row a packet, one column a field (tshark's names), values of repeated fields separated by commas.
    std::vector<std::vector<std::string>> rows(const std::vector<std::string>& fields,
                                               const std::string& options = {}) {
        std::string command =
            "tshark " + options + " -n -r " + path.string() +
            " -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields -E separator='|'";
        for (const std::string& field : fields)
            command += " -e " + field;
        std::vector<std::vector<std::string>> result;
        for (const std::string& line : split(output_of(command + " 2>/dev/null"), '\n')) {
            result.push_back(split(line, '|'));
            result.back().resize(fields.size());  // empty fields at the end
        }
        return result;
    }

    std::filesystem::path path;
};

/// Traffic of all ECN codepoints and many lengths, sessions, traces, updates; all closed in the end.
void talk(Network& net) {
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
}

TEST_F(TsharkReads, WhatTwoEnginesSend) {
    Network net;
    FakeNhms nhms(net);
    talk(net);
    net.write_pcap(path.string());

    const auto packets =
        rows({"_ws.malformed", "_ws.expert.severity", "ip.checksum.status", "udp.checksum.status",
              "geneve.flags.oam", "geneve.proto_type", "geneve.vni", "geneve.option.class",
              "geneve.option.type", "geneve.option.type.critical", "geneve.option.length", "geneve.options",
              "ip.dsfield.dscp", "ip.dsfield.ecn", "udp.dstport"});
    ASSERT_EQ(packets.size(), net.captured().size());
    int data = 0;
    int tagged = 0;
    for (std::size_t i = 0; i < packets.size(); ++i) {
        SCOPED_TRACE("packet " + std::to_string(i + 1));
        const auto& row = packets[i];
        const SeenPacket& seen = net.captured()[i].seen;
        EXPECT_EQ(row[0], "");
        for (const std::string& severity : split(row[1], ','))
            EXPECT_LT(std::stoul(severity), 8388608U);   // PI_ERROR
        EXPECT_EQ(row[2].find('0'), std::string::npos);  // 0: bad, 1: good, 3: not present
        EXPECT_EQ(row[3].find('0'), std::string::npos);
        const std::vector<std::string> ports = split(row[14], ',');
        if (seen.kind == SeenPacket::Kind::Datagram) {
            EXPECT_EQ(ports, std::vector<std::string>{"46081"});
            continue;
        }
        EXPECT_EQ(ports.at(0), "6081");
        EXPECT_EQ(split(row[12], ',').at(0), "10");
        if (seen.kind == SeenPacket::Kind::Control) {
            EXPECT_EQ(row[4], "1");
            EXPECT_EQ(std::stoul(row[5], nullptr, 0), 0x88b5U);
            continue;
        }
        ++data;
        EXPECT_EQ(row[4], "0");
        EXPECT_EQ(std::stoul(row[5], nullptr, 0), 0x6558U);
        EXPECT_EQ(std::stoul(row[6], nullptr, 0), kVni.value);
        EXPECT_EQ(ports.at(1), "2000");  // the guest's packet inside is decoded
        EXPECT_EQ(split(row[13], ',').at(0), split(row[13], ',').at(1));
        EXPECT_EQ(row[7].empty(), !seen.track);
        if (!seen.track) continue;
        ++tagged;
        expect_option(row, *seen.track);
    }
    EXPECT_EQ(data, 600);
    EXPECT_GT(tagged, 100);
}

/// Traffic of guests of both versions, tagged frames among it, over one kind of outer headers.
void talk_over(Network& net, bool ipv6, bool vxlan) {
    if (vxlan) net.peer_options.encapsulation = wire::Encapsulation::Vxlan;
    for (std::size_t i = 0; i < 2; ++i) {
        net.add_host([&](eppc::EppcConfig& config) {
            if (ipv6) config.address = ipv6_of(i);
            config.udp_checksum = eppc::UdpChecksum::Full;
            config.vxlan_vlan = eppc::InnerVlan::Keep;
        });
    }
    for (int i = 0; i < 240; ++i) {
        net.at(Time{} + Duration::microseconds(50) * i, [&net, i] {
            GuestPacket guest;
            guest.source_mac = net.host(0).guest_mac;
            guest.destination_mac = net.host(1).guest_mac;
            guest.source = i % 2 == 0 ? IpAddress{net.host(0).guest_address} : ipv6_of(1000);
            guest.destination = i % 2 == 0 ? IpAddress{net.host(1).guest_address} : ipv6_of(1001);
            guest.source_port = static_cast<std::uint16_t>(10000 + i % 8);
            guest.payload = static_cast<std::size_t>(i * 3);
            guest.ecn = static_cast<wire::Ecn>(i % 4);
            if (i % 3 > 0) guest.tags.push_back({0x8100, 0x0007});
            if (i % 3 > 1) guest.tags.insert(guest.tags.begin(), {0x88a8, 0x0123});
            (void)net.send_frame(0, kGuestPort, guest.frame());
        });
    }
    net.run_for(Duration::milliseconds(50));
    ASSERT_TRUE(net.close_all());
}

// RFC 8926 §3.1 and §3.2, RFC 7348 §5, all with checksums, which tshark judges.
TEST_F(TsharkReads, BothVersionsVlanTagsAndVxlan) {
    for (const bool ipv6 : {false, true}) {
        for (const bool vxlan : {false, true}) {
            SCOPED_TRACE((ipv6 ? "IPv6, " : "IPv4, ") + std::string(vxlan ? "VXLAN" : "Geneve"));
            Network net;
            talk_over(net, ipv6, vxlan);
            net.write_pcap(path.string());
            const auto packets = rows({"_ws.malformed", "_ws.expert.severity", "ip.checksum.status",
                                       "udp.checksum.status", vxlan ? "vxlan.vni" : "geneve.vni",
                                       "udp.dstport", "vlan.id", "eth.type", "ipv6.flow", "ieee8021ad.id"});
            ASSERT_EQ(packets.size(), net.captured().size());
            std::map<std::string, int> tags;
            for (std::size_t i = 0; i < packets.size(); ++i) {
                SCOPED_TRACE("packet " + std::to_string(i + 1));
                const auto& row = packets[i];
                const SeenPacket& seen = net.captured()[i].seen;
                EXPECT_EQ(row[0], "");
                for (const std::string& severity : split(row[1], ','))
                    EXPECT_LT(std::stoul(severity), 8388608U);  // PI_ERROR
                EXPECT_EQ(row[2].find('0'), std::string::npos);
                for (const std::string& status : split(row[3], ','))
                    EXPECT_EQ(status, "1");  // each one is there, and good
                EXPECT_EQ(std::stoul(row[4], nullptr, 0), seen.vni.value);
                EXPECT_EQ(split(row[5], ',').at(0), vxlan ? "4789" : "6081");
                if (ipv6) {
                    EXPECT_EQ(std::stoul(split(row[8], ',').at(0), nullptr, 0), seen.ip.flow_label);
                }
                if (seen.kind == SeenPacket::Kind::Data) {
                    EXPECT_EQ(split(row[5], ',').at(1), "2000");  // the guest's packet inside is decoded
                    ++tags[row[9] + "/" + row[6]];
                } else if (vxlan) {
                    EXPECT_EQ(std::stoul(split(row[7], ',').at(1), nullptr, 0), 0x88b5U);
                }
            }
            EXPECT_EQ(tags, (std::map<std::string, int>{{"/", 80}, {"/7", 80}, {"291/7", 80}}));
        }
    }
}

/// Values of the engine's codec beside those of the dissector's, all as text.
using Columns = std::vector<std::pair<std::string, std::function<std::string(const SeenPacket&)>>>;

template <class Body, class Get>
std::string of_body(const SeenPacket& seen, wire::ControlType type, Get get) {
    return seen.is(type) ? std::to_string(get(Body::parse(seen.body).value())) : std::string();
}

template <class Get>
std::string of_records(const SeenPacket& seen, Get get) {
    std::vector<wire::PathRecord> records;
    if (seen.is(wire::ControlType::Report)) (void)wire::ReportBody::parse(seen.body, records).value();
    std::string text;
    for (const wire::PathRecord& record : records)
        text += (text.empty() ? "" : ",") + std::to_string(get(record));
    return text;
}

template <class Get>
std::string of_track(const SeenPacket& seen, Get get) {
    return seen.track ? std::to_string(get(*seen.track)) : std::string();
}

Columns columns() {
    using wire::ControlType;
    Columns columns;
    const auto record = [&columns](const char* name, auto member) {
        columns.emplace_back(std::string("dyetrace.record.") + name, [member](const SeenPacket& seen) {
            return of_records(seen, [member](const auto& r) { return r.*member; });
        });
    };
    using Record = wire::PathRecord;
    record("intervals", &Record::intervals);
    record("ttl_changes", &Record::ttl_changes);
    record("sent", &Record::sent);
    record("received", &Record::received);
    record("tracked_sent", &Record::tracked_sent);
    record("tracked_received", &Record::tracked_received);
    record("duplicates", &Record::duplicates);
    record("late", &Record::late);
    record("delay_min", &Record::delay_ns_min);
    record("delay_max", &Record::delay_ns_max);
    record("delay_sum", &Record::delay_ns_sum);
    record("delay_count", &Record::delay_count);
    record("ce", &Record::ce);
    record("ecn_invalid", &Record::ecn_invalid);
    record("corrupted", &Record::corrupted);
    record("extent_max", &Record::reordering_extent_max);
    record("jitter", &Record::jitter_ns);
    record("ipdv_sum", &Record::ipdv_ns_sum);
    record("measured", &Record::measured_ns);
    const auto track = [&columns](const char* name, auto member) {
        columns.emplace_back(std::string("dyetrace.track.") + name, [member](const SeenPacket& seen) {
            return of_track(seen, [member](const auto& t) { return t.*member; });
        });
    };
    track("sequence", &wire::TrackOption::sequence);
    track("transmit", &wire::TrackOption::transmit_ns);
    track("count", &wire::TrackOption::count);
    track("inner_length", &wire::TrackOption::inner_length);
    columns.emplace_back("dyetrace.type", [](const SeenPacket& seen) {
        return seen.control ? std::to_string(static_cast<int>(seen.control->type)) : std::string();
    });
    columns.emplace_back("dyetrace.marker.count", [](const SeenPacket& seen) {
        return of_body<wire::MarkerBody>(seen, ControlType::Marker, [](const auto& m) { return m.count; });
    });
    columns.emplace_back("dyetrace.marker.next_sequence", [](const SeenPacket& seen) {
        return of_body<wire::MarkerBody>(seen, ControlType::Marker,
                                         [](const auto& m) { return m.next_sequence; });
    });
    columns.emplace_back("dyetrace.accept.report_interval", [](const SeenPacket& seen) {
        return of_body<wire::AcceptBody>(seen, ControlType::Accept,
                                         [](const auto& a) { return a.report_interval.ns; });
    });
    return columns;
}

TEST_F(TsharkReads, ByTheDissectorWhatTheEnginesMeant) {
    Network net;
    FakeNhms nhms(net);
    talk(net);
    net.write_pcap(path.string());

    const Columns wanted = columns();
    std::vector<std::string> fields = {"_ws.malformed", "_ws.lua.error", "_ws.expert.severity", "dyetrace"};
    for (const auto& [name, value] : wanted)
        fields.push_back(name);
    const auto packets = rows(fields, "-X lua_script:" DYETRACE_SOURCE_DIR "/host/wireshark/dyetrace.lua");
    ASSERT_EQ(packets.size(), net.captured().size());
    std::map<std::string, int> compared;
    for (std::size_t i = 0; i < packets.size(); ++i) {
        SCOPED_TRACE("packet " + std::to_string(i + 1));
        const SeenPacket& seen = net.captured()[i].seen;
        EXPECT_EQ(packets[i][0] + packets[i][1], "");
        for (const std::string& severity : split(packets[i][2], ','))
            EXPECT_LT(std::stoul(severity), 6291456U);  // PI_WARN
        const bool ours = seen.kind != SeenPacket::Kind::Data || seen.track;
        EXPECT_EQ(!packets[i][3].empty(), ours);
        for (std::size_t column = 0; column < wanted.size(); ++column) {
            const auto& [name, value] = wanted[column];
            const std::string found = packets[i][column + 4];
            if (seen.kind == SeenPacket::Kind::Datagram) continue;  // update_test's matter
            EXPECT_EQ(found, value(seen)) << name;
            compared[name] += found.empty() ? 0 : 1;
        }
    }
    for (const auto& [name, value] : wanted)
        EXPECT_GT(compared[name], 0) << name;
}

}  // namespace
}  // namespace dyetrace::test
