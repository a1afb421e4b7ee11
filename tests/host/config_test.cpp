// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/config.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dyetrace::host {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAreArray;

/// A file with nothing wrong in it; tests change one line.
constexpr const char* kGood = R"([underlay]
interface = "eth1"
address = "192.0.2.1"
gateway_mac = "02:00:00:00:00:01"
[auth]
key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
[tracking]
rate = "1%"
[health]
nhms = "192.0.2.10:46081"
[[guest]]
interface = "veth0"
vni = 1000
mac = "02:01:00:00:00:01"
[[peer]]
address = "192.0.2.2"
guests = [{ vni = 1000, mac = "02:01:00:00:00:02" }]
)";

struct Parsed {
    HostConfig config;
    std::vector<std::string> messages;  ///< "line:column: message"
    std::string text;
};

Parsed parse(const std::string& text) {
    scenario::Diagnostics diagnostics;
    Parsed parsed{parse_config("eppcd.toml", text, diagnostics), {}, diagnostics.to_text()};
    for (const scenario::Diagnostic& d : diagnostics.all())
        parsed.messages.push_back(std::to_string(d.line) + ":" + std::to_string(d.column) + ": " + d.message);
    return parsed;
}

std::string with(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::string read_file(const std::string& path) {
    std::ifstream input(path);
    return {std::istreambuf_iterator<char>(input), {}};
}

TEST(Config, GoodFileIsTakenOver) {
    const Parsed parsed = parse(kGood);
    EXPECT_THAT(parsed.messages, IsEmpty());
    EXPECT_EQ(parsed.config.underlay.interface, "eth1");
    EXPECT_EQ(parsed.config.eppc.address.to_string(), "192.0.2.1");
    EXPECT_EQ(parsed.config.eppc.key->at(31), 0x1f);
    EXPECT_EQ(parsed.config.eppc.sampling, wire::SamplingSpec::every_nth(100));
    EXPECT_EQ(parsed.config.eppc.nhms->to_string(), "192.0.2.10:46081");
    ASSERT_EQ(parsed.config.guests.size(), 1U);
    EXPECT_EQ(parsed.config.guests[0].kind, GuestSettings::Kind::Interface);
    EXPECT_EQ(parsed.config.guests[0].vni, Vni{1000});
    ASSERT_EQ(parsed.config.remotes.size(), 1U);
    EXPECT_EQ(parsed.config.remotes[0].peer.to_string(), "192.0.2.2");
}

TEST(Config, TapGuestIsTakenOver) {
    const Parsed parsed = parse(with(kGood, "interface = \"veth0\"", "tap = \"tap0\""));
    EXPECT_THAT(parsed.messages, IsEmpty());
    EXPECT_EQ(parsed.config.guests[0].kind, GuestSettings::Kind::Tap);
    EXPECT_EQ(parsed.config.guests[0].interface, "tap0");
}

TEST(Config, ProbabilitySamplingTakesAnyShare) {
    const Parsed parsed = parse(with(kGood, "rate = \"1%\"", "rate = 0.3\nsampling = \"probability\""));
    EXPECT_THAT(parsed.messages, IsEmpty());
    EXPECT_EQ(parsed.config.eppc.sampling, wire::SamplingSpec::probability(0.3));
}

TEST(Config, EveryKindOfSamplingIsTakenOver) {
    const auto sampling = [](const std::string& keys) {
        const Parsed parsed = parse(with(kGood, "rate = \"1%\"", keys));
        EXPECT_THAT(parsed.messages, IsEmpty()) << parsed.text;
        return parsed.config.eppc.sampling;
    };
    EXPECT_EQ(sampling("sampling = \"hash-consistent\"\nrate = 0.3\nsampling_seed = 7"),
              wire::SamplingSpec::hash_consistent(0.3, 7));
    EXPECT_EQ(sampling("sampling = \"rate-budget\"\nsampling_budget = 50\nsampling_burst = 5"),
              wire::SamplingSpec::rate_budget(50, 5));
    EXPECT_EQ(sampling("flow_filter = [\"protocol=udp vni=3\"]"),
              wire::SamplingSpec::every_nth(100).of_filtered());
}

TEST(Config, MetricsAndFlowFilterAreTakenOver) {
    const Parsed parsed =
        parse(with(kGood, "rate = \"1%\"",
                   "metrics = [\"counts\", \"delay\"]\nflow_filter = [\"vni=3\", \"protocol=6\"]"));
    EXPECT_THAT(parsed.messages, IsEmpty());
    EXPECT_EQ(parsed.config.eppc.metrics, wire::kMetricCounts | wire::kMetricDelay);
    ASSERT_EQ(parsed.config.eppc.flow_filter.rules.size(), 2U);
    EXPECT_EQ(parsed.config.eppc.flow_filter.rules[1].protocol, 6);
}

TEST(Config, PeerSaysHowToSpeakWithIt) {
    const Parsed parsed = parse(with(kGood, "address = \"192.0.2.2\"", R"(address = "192.0.2.2"
encapsulation = "vxlan"
udp_checksum = "full"
ecn = "compatibility"
paths = [{ path = 3, generation = 2 }, { path = 0, generation = 255 }])"));
    EXPECT_THAT(parsed.messages, IsEmpty()) << parsed.text;
    ASSERT_EQ(parsed.config.peers.size(), 1U);
    const PeerSettings& peer = parsed.config.peers[0];
    EXPECT_EQ(peer.options.encapsulation, wire::Encapsulation::Vxlan);
    EXPECT_EQ(peer.options.udp_checksum, eppc::UdpChecksum::Full);
    EXPECT_EQ(peer.options.ecn, eppc::EcnMode::Compatibility);
    EXPECT_EQ(peer.generations.at(PathIndex{3}), PathGeneration{2});
    EXPECT_EQ(peer.generations.at(PathIndex{0}), PathGeneration{255});
}

TEST(Config, UnderlayMayBeIpv6) {
    std::string text = with(kGood, "192.0.2.1", "fd00::1");
    text = with(with(text, "192.0.2.2", "fd00::2"), "192.0.2.10:46081", "[fd00::10]:46081");
    text = with(text, "rate = \"1%\"", "near_prefix = 64");
    const Parsed parsed = parse(text);
    EXPECT_THAT(parsed.messages, IsEmpty()) << parsed.text;
    EXPECT_EQ(parsed.config.eppc.address.to_string(), "fd00::1");
    EXPECT_EQ(parsed.config.eppc.nhms->to_string(), "[fd00::10]:46081");
    EXPECT_EQ(parsed.config.remotes.at(0).peer.to_string(), "fd00::2");
    const Parsed wrong = parse(
        with(text, "interface = \"eth1\"", "interface = \"eth1\"\nmtu = 1279\nudp_checksum = \"zero\""));
    EXPECT_THAT(wrong.messages, ElementsAre(StartsWith("3:7: an IPv6 link carries 1280"),
                                            StartsWith("4:16: over IPv6 there is always one")));
}

TEST(Config, RateOfZeroTagsNothing) {
    const Parsed parsed = parse(with(kGood, "rate = \"1%\"", "rate = 0"));
    EXPECT_THAT(parsed.messages, IsEmpty());
    EXPECT_EQ(parsed.config.eppc.sampling, wire::SamplingSpec::probability(0));
}

struct BadLine {
    const char* name;
    const char* from;
    const char* to;
    const char* message;  ///< its place, and its beginning where it is ours and not the reader's
};

void PrintTo(const BadLine& bad, std::ostream* out) {
    *out << bad.name;
}

class ConfigError : public testing::TestWithParam<BadLine> {};

TEST_P(ConfigError, IsToldAtItsPlace) {
    const BadLine& bad = GetParam();
    EXPECT_THAT(parse(with(kGood, bad.from, bad.to)).messages, ElementsAre(StartsWith(bad.message)))
        << bad.to;
}

INSTANTIATE_TEST_SUITE_P(
    OneWrongLine, ConfigError,
    testing::Values(
        BadLine{"UnknownKey", "interface = \"eth1\"", "interfaces = \"eth1\"\ninterface = \"eth1\"",
                "2:1: unknown key underlay.interfaces"},
        BadLine{"UnknownTable", "[health]", "[healt]\n[health]", "9:2: unknown key healt"},
        BadLine{"MissingAddress", "address = \"192.0.2.1\"", "", "1:1: underlay.address is missing"},
        BadLine{"CutAddress", "address = \"192.0.2.1\"", "address = \"192.0.2\"",
                "3:11: \"192.0.2\" is no IP address"},
        BadLine{"LoopbackAddress", "address = \"192.0.2.1\"", "address = \"::1\"",
                "3:11: \"::1\" is not the address"},
        BadLine{"ChecksumOfNobodyOverIpv6", "interface = \"eth1\"\naddress = \"192.0.2.1\"",
                "interface = \"eth1\"\nudp_checksum = \"none\"\naddress = \"192.0.2.1\"",
                "3:16: \"none\" is not \"default\", \"zero\" or \"full\""},
        BadLine{"OnePortForBothTunnels", "interface = \"eth1\"", "interface = \"eth1\"\nvxlan_port = 6081",
                "3:14: Geneve and VXLAN need ports of their own"},
        BadLine{"PeerOfOtherVersion", "address = \"192.0.2.2\"", "address = \"fd00::2\"",
                "16:11: this is IPv6, but underlay.address is IPv4"},
        BadLine{"NhmsOfOtherVersion", "192.0.2.10:46081", "[fd00::10]:46081",
                "10:8: this is IPv6, but underlay.address is IPv4"},
        BadLine{"NhmsWithoutBrackets", "192.0.2.10:46081", "fd00::10:46081",
                "10:8: \"fd00::10:46081\" is no"},
        BadLine{"UnknownEncapsulation", "address = \"192.0.2.2\"",
                "address = \"192.0.2.2\"\nencapsulation = \"vlan\"",
                "17:17: \"vlan\" is not \"geneve\" or \"vxlan\""},
        BadLine{"MovedPathThatIsNotThere", "address = \"192.0.2.2\"",
                "address = \"192.0.2.2\"\npaths = [{ path = 64, generation = 1 }]",
                "17:19: 64 is out of range: 0 to 63"},
        BadLine{
            "MovedPathTwice", "address = \"192.0.2.2\"",
            "address = \"192.0.2.2\"\npaths = [{ path = 3, generation = 1 }, { path = 3, generation = 2 }]",
            "17:49: path 3 is there already"},
        BadLine{"MovedPathWithoutGeneration", "address = \"192.0.2.2\"",
                "address = \"192.0.2.2\"\npaths = [{ path = 3 }]", "17:10: peer.paths.generation is missing"},
        BadLine{"UnknownMetric", "rate = \"1%\"", "metrics = [\"counts\", \"dealy\"]",
                "8:22: \"dealy\" is no metric"},
        BadLine{"FlowRuleOfNothing", "rate = \"1%\"", "flow_filter = [\"port=80\"]",
                "8:16: \"port\" is no part of a flow rule"},
        BadLine{"BudgetOfNothing", "rate = \"1%\"", "sampling_budget = 0", "8:19: "},
        BadLine{"SeedOfAnotherKind", "rate = \"1%\"", "sampling_seed = 4",
                "8:17: this means nothing for every-nth"},
        BadLine{"MulticastAddress", "address = \"192.0.2.1\"", "address = \"224.0.0.1\"",
                "3:11: \"224.0.0.1\" is not the address"},
        BadLine{"AddressOfWrongType", "address = \"192.0.2.1\"", "address = 3", "3:11: this is an integer"},
        BadLine{"CutMac", "\"02:00:00:00:00:01\"", "\"02:00:00:00:01\"",
                "4:15: \"02:00:00:00:01\" is no MAC address"},
        BadLine{"BroadcastMac", "\"02:00:00:00:00:01\"", "\"ff:ff:ff:ff:ff:ff\"",
                "4:15: \"ff:ff:ff:ff:ff:ff\" is not the address"},
        BadLine{"ShortKey", "key = \"0001", "key = \"00", "6:7: "},
        BadLine{"KeyWithOtherLetters", "key = \"0001", "key = \"zz01", "6:7: "},
        BadLine{"KeyAndInsecure", "key = \"0001", "insecure = true\nkey = \"0001",
                "6:12: this contradicts the key"},
        BadLine{"KeyFileThatIsNotThere", "key = ", "key_file = \"/nonexistent/key\" #",
                "6:12: /nonexistent/key: No such file"},
        BadLine{"NoKey", "key = ", "#", "5:1: auth.key_file is missing"},
        BadLine{"RateAboveOne", "rate = \"1%\"", "rate = 1.5", "8:8: "},
        BadLine{"UnknownSampling", "rate = \"1%\"", "rate = \"1%\"\nsampling = \"hash\"",
                "9:12: \"hash\" is not \"every-nth\", \"probability\", \"hash-consistent\" or"},
        BadLine{"RateThatNoNthPacketHas", "rate = \"1%\"", "rate = 0.3",
                "8:8: every Nth packet cannot be a share of 0.3"},
        BadLine{"NoPaths", "rate = \"1%\"", "path_count = 0", "8:14: "},
        BadLine{"PathsOfWrongType", "rate = \"1%\"", "path_count = true", "8:14: "},
        BadLine{"DurationWithoutUnit", "rate = \"1%\"", "report_interval = \"10\"", "8:19: "},
        BadLine{"NegativeDuration", "rate = \"1%\"", "report_interval = \"-1s\"", "8:19: "},
        BadLine{"TooShortDuration", "rate = \"1%\"", "path_idle = \"10us\"", "8:13: "},
        BadLine{"RetransmitRange", "rate = \"1%\"", "retransmit_last = \"1ms\"",
                "8:19: retransmit_last is below retransmit_first"},
        BadLine{"PortsRunOut", "interface = \"eth1\"", "interface = \"eth1\"\nsource_port_base = 65500",
                "8:1: 64 ports from"},
        BadLine{"NhmsWithoutPort", "192.0.2.10:46081", "192.0.2.10",
                "10:8: \"192.0.2.10\" is no address with a UDP port"},
        BadLine{"NhmsPortZero", "192.0.2.10:46081", "192.0.2.10:0", "10:8: "},
        BadLine{"ManagementPortOfTunnels", "[[guest]]", "management_port = 6081\n[[guest]]",
                "11:19: this is underlay.geneve_port"},
        BadLine{"InterfaceAndTap", "interface = \"veth0\"", "interface = \"veth0\"\ntap = \"t\"",
                "13:7: there is an interface already"},
        BadLine{"NeitherInterfaceNorTap", "interface = \"veth0\"", "", "11:1: guest.interface is missing"},
        BadLine{"InterfaceTwice", "interface = \"veth0\"", "interface = \"eth1\"",
                "12:13: \"eth1\" is already in use"},
        BadLine{"SmallRing", "interface = \"veth0\"", "interface = \"veth0\"\nring = \"1kB\"", "13:8: "},
        BadLine{"VniTooLarge", "vni = 1000\n", "vni = 16777216\n", "13:7: "},
        BadLine{"MacTwiceInOneVni", "mac = \"02:01:00:00:00:02\"", "mac = \"02:01:00:00:00:01\"",
                "17:31: 02:01:00:00:00:01 is already in VNI 1000"},
        BadLine{"RemoteWithoutVni", "{ vni = 1000, mac", "{ mac", "17:11: peer.guests.vni is missing"},
        BadLine{"UnknownKeyOfRemote", "{ vni = 1000, mac", "{ colour = 1, vni = 1000, mac",
                "17:13: unknown key peer.guests.colour"},
        BadLine{"RemoteThatIsNoTable", "guests = [{", "guests = [1, {",
                "17:11: this is an integer, where a table belongs"},
        BadLine{"PeerIsUs", "address = \"192.0.2.2\"", "address = \"192.0.2.1\"",
                "16:11: this is underlay.address"},
        BadLine{"PeerTwice", "[[peer]]", "[[peer]]\naddress = \"192.0.2.2\"\n[[peer]]",
                "18:11: peer 192.0.2.2 is there already"},
        BadLine{"BoundOfNothing", "[[guest]]", "[bounds]\nguests = 0\n[[guest]]", "12:10: "},
        BadLine{"TopLevelValue", "[underlay]", "drain_timeout = \"2\"\n[underlay]", "1:17: "}),
    [](const auto& line) { return std::string(line.param.name); });

TEST(Config, AllErrorsAreToldAtOnce) {
    std::string text = with(kGood, "address = \"192.0.2.1\"", "address = \"192.0.2\"");
    text = with(text, "rate = \"1%\"", "rate = 7");
    text = with(text, "mac = \"02:01:00:00:00:01\"", "mac = 1");
    EXPECT_THAT(parse(text).messages, ElementsAre(HasSubstr("3:11:"), HasSubstr("8:8:"), HasSubstr("14:7:")));
}

TEST(Config, ErrorShowsLineCaretAndSuggestion) {
    const std::string text = parse(with(kGood, "gateway_mac =", "gatewaymac = 1\ngateway_mac =")).text;
    EXPECT_THAT(text, HasSubstr("eppcd.toml:4:1: error: unknown key underlay.gatewaymac"));
    EXPECT_THAT(text, HasSubstr("gatewaymac = 1"));
    EXPECT_THAT(text, HasSubstr("^~~~"));
    EXPECT_THAT(text, HasSubstr("did you mean \"gateway_mac\"?"));
}

TEST(Config, SyntaxErrorHasItsPlace) {
    EXPECT_THAT(parse("[underlay\n").messages, Contains(HasSubstr("1:")));
}

TEST(Config, FileThatIsNotThereIsAnError) {
    scenario::Diagnostics diagnostics;
    load_config("/nonexistent.toml", diagnostics);
    EXPECT_THAT(diagnostics.to_text(), HasSubstr("/nonexistent.toml: error: No such file or directory"));
}

TEST(Config, KeyInAFileThatOthersReadIsWarnedOf) {
    scenario::Diagnostics diagnostics;
    parse_config("eppcd.toml", kGood, diagnostics, true);
    EXPECT_FALSE(diagnostics.has_errors());
    EXPECT_THAT(diagnostics.to_text(), HasSubstr("eppcd.toml:6:7: warning: other users can read this file"));
}

/// A key in a file of its own.
class KeyFile : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/dyetrace-key-XXXXXX";
        const int fd = ::mkstemp(name);
        ASSERT_GE(fd, 0);
        ::close(fd);
        path_ = name;
    }
    void TearDown() override { ::unlink(path_.c_str()); }

    /// `more`: other lines of [auth].
    Parsed parse_with(const std::string& content, mode_t mode, const std::string& more = {}) {
        std::ofstream(path_) << content;
        ::chmod(path_.c_str(), mode);
        const std::string text = kGood;
        const std::size_t begin = text.find("key = ");
        return parse(text.substr(0, begin) + "key_file = \"" + path_ + "\"\n" + more +
                     text.substr(text.find('\n', begin)));
    }

    static std::string key() { return std::string(62, '0') + "a5"; }

    std::string path_;
};

TEST_F(KeyFile, OfItsOwnerAloneIsRead) {
    const Parsed parsed = parse_with(key() + "\n", 0600);
    EXPECT_THAT(parsed.messages, IsEmpty());
    EXPECT_EQ(parsed.config.eppc.key->at(31), 0xa5);
}

TEST_F(KeyFile, OpenToOthersIsRefused) {
    EXPECT_THAT(parse_with(key(), 0640).messages, ElementsAre(HasSubstr("is open to others (mode 0640)")));
}

TEST_F(KeyFile, WithSomethingElseInItIsRefused) {
    EXPECT_THAT(parse_with(key() + " or so", 0600).messages, ElementsAre(HasSubstr("6:12: ")));
    EXPECT_THAT(parse_with("", 0600).messages, ElementsAre(HasSubstr("6:12: ")));
}

TEST_F(KeyFile, OtherKeysMayBeFilesToo) {
    const std::string others = "other_keys = [{ key_id = 2, key_file = \"" + path_ +
                               "\" }, { key_id = 3, key = \"" + std::string(64, 'b') + "\" }]\n";
    const Parsed parsed = parse_with(key(), 0600, others);
    ASSERT_THAT(parsed.messages, IsEmpty()) << parsed.text;
    ASSERT_EQ(parsed.config.eppc.other_keys.size(), 2U);
    EXPECT_EQ(parsed.config.eppc.other_keys[0].id, KeyId{2});
    EXPECT_EQ(parsed.config.eppc.other_keys[0].key, *parsed.config.eppc.key);
    EXPECT_EQ(parsed.config.eppc.other_keys[1].key[0], 0xbb);
}

TEST_F(KeyFile, OtherKeysNeedIdsOfTheirOwn) {
    const std::string secret = "key = \"" + std::string(64, 'b') + "\"";
    EXPECT_THAT(parse_with(key(), 0600, "other_keys = [{ key_id = 1, " + secret + " }]\n").messages,
                ElementsAre(HasSubstr("there are two keys with the id 1")));
    EXPECT_THAT(parse_with(key(), 0600, "other_keys = [{ " + secret + " }]\n").messages,
                ElementsAre(HasSubstr("key_id")));
    EXPECT_THAT(parse_with(key(), 0600, "other_keys = [{ key_id = 2 }]\n").messages,
                ElementsAre(HasSubstr("key_file")));
}

TEST_F(KeyFile, FolderIsRefused) {
    EXPECT_THAT(parse(with(with(kGood, "key = ", "key_file = \"/tmp\"\n#"), "\n", "\n")).messages,
                ElementsAre(HasSubstr("/tmp is not a regular file")));
}

/// "section.key" of every line of the shipped example, also of those that are commented out as `#key =
/// value`.
std::vector<std::string> keys_of_example(const std::string& text) {
    std::vector<std::string> keys;
    std::string section;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        if (line.starts_with("#") && !line.starts_with("# ")) line.erase(0, 1);
        if (line.starts_with("[")) {
            section = line.substr(line.find_last_of('[') + 1, line.find(']') - line.find_last_of('[') - 1);
            keys.push_back(section);
        } else if (const std::size_t equals = line.find(" = ");
                   equals != std::string::npos && line[0] != '#') {
            keys.push_back((section.empty() ? "" : section + ".") + line.substr(0, equals));
        }
    }
    return keys;
}

TEST(ExampleConfig, ShowsEveryKeyOnce) {
    std::vector<std::string> keys = keys_of_example(read_file(DYETRACE_SOURCE_DIR "/host/eppcd.toml"));
    for (const char* inline_key :
         {"auth.other_keys.key", "auth.other_keys.key_file", "auth.other_keys.key_id", "peer.guests.vni",
          "peer.guests.relay", "peer.guests.mac", "peer.paths.path", "peer.paths.generation"})
        keys.emplace_back(inline_key);
    EXPECT_THAT(keys, UnorderedElementsAreArray(config_keys()));
}

TEST(ExampleConfig, ShowsTheDefaultsOfTheEngine) {
    std::string text = read_file(DYETRACE_SOURCE_DIR "/host/eppcd.toml");
    // The key file of the example is not on this machine.
    text = with(text, "key_file = ", "insecure = true #");
    const Parsed parsed = parse(text);
    ASSERT_THAT(parsed.messages, IsEmpty()) << parsed.text;
    const eppc::EppcConfig& shown = parsed.config.eppc;
    const eppc::EppcConfig defaults;
    EXPECT_EQ(shown.geneve_port, defaults.geneve_port);
    EXPECT_EQ(shown.option_class, defaults.option_class);
    EXPECT_EQ(shown.source_port_base, defaults.source_port_base);
    EXPECT_EQ(shown.path_count, defaults.path_count);
    EXPECT_EQ(shown.port_count, defaults.port_count);
    EXPECT_EQ(shown.port_rest, defaults.port_rest);
    EXPECT_EQ(shown.waiting_time, defaults.waiting_time);
    EXPECT_EQ(shown.dscp, defaults.dscp);
    EXPECT_EQ(shown.key_id, defaults.key_id);
    EXPECT_EQ(shown.sampling, defaults.sampling);
    EXPECT_EQ(shown.flow_filter, defaults.flow_filter);
    EXPECT_EQ(shown.metrics, defaults.metrics);
    EXPECT_EQ(shown.ecn, defaults.ecn);
    EXPECT_EQ(shown.udp_checksum, defaults.udp_checksum);
    EXPECT_EQ(shown.vxlan_port, defaults.vxlan_port);
    EXPECT_EQ(shown.vxlan_control_vni, defaults.vxlan_control_vni);
    EXPECT_EQ(shown.vxlan_vlan, defaults.vxlan_vlan);
    EXPECT_EQ(shown.open_on_traffic, defaults.open_on_traffic);
    EXPECT_EQ(shown.traffic_sessions, defaults.traffic_sessions);
    EXPECT_EQ(shown.choice_interval, defaults.choice_interval);
    EXPECT_EQ(shown.turn, defaults.turn);
    EXPECT_EQ(shown.near_prefix, defaults.near_prefix);
    EXPECT_EQ(shown.tracked_per_second, defaults.tracked_per_second);
    EXPECT_EQ(shown.accepted_per_second, defaults.accepted_per_second);
    EXPECT_EQ(shown.load_most, defaults.load_most);
    EXPECT_EQ(shown.report_interval, defaults.report_interval);
    EXPECT_EQ(shown.ride_wait, defaults.ride_wait);
    EXPECT_EQ(shown.path_idle, defaults.path_idle);
    EXPECT_EQ(shown.session_duration, defaults.session_duration);
    EXPECT_EQ(shown.retransmit_first, defaults.retransmit_first);
    EXPECT_EQ(shown.retransmit_last, defaults.retransmit_last);
    EXPECT_EQ(shown.retransmit_most, defaults.retransmit_most);
    EXPECT_EQ(shown.keep_alive_interval, defaults.keep_alive_interval);
    EXPECT_EQ(shown.accept_sessions, defaults.accept_sessions);
    EXPECT_EQ(shown.reject_back_off, defaults.reject_back_off);
    EXPECT_EQ(shown.trace_paths, defaults.trace_paths);
    EXPECT_EQ(shown.trace_ttl_most, defaults.trace_ttl_most);
    EXPECT_EQ(shown.trace_timeout, defaults.trace_timeout);
    EXPECT_EQ(shown.trace_attempts, defaults.trace_attempts);
    EXPECT_EQ(shown.trace_spacing, defaults.trace_spacing);
    EXPECT_EQ(shown.trace_retry, defaults.trace_retry);
    EXPECT_EQ(shown.management_port, defaults.management_port);
    EXPECT_EQ(shown.update_interval, defaults.update_interval);
    EXPECT_EQ(parsed.config.drain_timeout, HostConfig().drain_timeout);
    EXPECT_EQ(parsed.config.underlay.ring_bytes, UnderlaySettings().ring_bytes);
    EXPECT_EQ(parsed.config.guests.at(0).ring_bytes, GuestSettings().ring_bytes);
    EXPECT_EQ(parsed.config.peers.at(0).options.encapsulation, eppc::PeerOptions().encapsulation);
}

TEST(ExampleConfig, ShowsTheDefaultBounds) {
    const std::string text =
        with(read_file(DYETRACE_SOURCE_DIR "/host/eppcd.toml"), "key_file = ", "insecure = true #");
    const eppc::EppcBounds shown = parse(text).config.eppc.bounds;
    const eppc::EppcBounds defaults;
    // Every field is a size_t, so a bound that has no key shows here too.
    constexpr std::size_t kCount = sizeof(eppc::EppcBounds) / sizeof(std::size_t);
    const auto* shown_fields = reinterpret_cast<const std::size_t*>(&shown);
    const auto* default_fields = reinterpret_cast<const std::size_t*>(&defaults);
    EXPECT_TRUE(std::equal(shown_fields, shown_fields + kCount, default_fields));
    const auto keys = config_keys();
    EXPECT_EQ(static_cast<std::size_t>(std::count_if(
                  keys.begin(), keys.end(), [](const std::string& k) { return k.starts_with("bounds."); })),
              kCount);
}

}  // namespace
}  // namespace dyetrace::host
