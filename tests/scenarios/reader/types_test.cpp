// SPDX-License-Identifier: GPL-2.0-or-later
// Each type of value: what it takes, and what is told otherwise, in a file and after --set.
#include "scenarios/reader/types.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;

/// What is told of one value in a file, without place and key.
std::string of_value(const std::string& key, const std::string& value) {
    const auto lines = told(without_key + key + " = " + value + "\n");
    EXPECT_EQ(lines.size(), 1U);
    if (lines.empty()) return "";
    const std::string name = key.substr(key.find('.') + 1);
    const std::string start = "2:" + std::to_string(key.size() + 4) + ": " + name + ": ";
    EXPECT_TRUE(lines[0].starts_with(start)) << lines[0];
    return lines[0].substr(start.size());
}

std::string suggestion_of(const std::string& key, const std::string& value) {
    return only_suggestion(without_key + key + " = " + value + "\n");
}

/// The same after --set.
std::string of_override(const std::string& assignment) {
    const auto lines = told(without_key, {assignment});
    EXPECT_EQ(lines.size(), 1U);
    if (lines.empty()) return "";
    const std::string start = "--set " + assignment + ": ";
    EXPECT_TRUE(lines[0].starts_with(start)) << lines[0];
    return lines[0].substr(lines[0].find(": ", start.size()) + 2);
}

TEST(DurationValue, NeedsAUnitInQuotes) {
    EXPECT_EQ(of_value("run.drain", "5"), "this is an integer, where a duration belongs");
    EXPECT_EQ(suggestion_of("run.drain", "5"), "give the unit, in quotes: \"5s\"");
    EXPECT_EQ(suggestion_of("run.drain", "0.5"), "give the unit, in quotes: \"0.5s\"");
    EXPECT_EQ(of_value("run.drain", "true"), "this is true or false, where a duration belongs");
    EXPECT_EQ(of_value("run.drain", "12:00:00"), "this is a date or time, where a duration belongs");
}

TEST(DurationValue, HasARange) {
    EXPECT_EQ(of_value("run.duration", "\"0s\""), "\"0s\" is out of range: 1ms to 24h");
    EXPECT_EQ(of_value("run.duration", "\"25h\""), "\"25h\" is out of range: 1ms to 24h");
    EXPECT_EQ(of_value("run.drain", "\"-1ns\""), "\"-1ns\" is negative; allowed: 0s to 1min");
    EXPECT_EQ(of_override("run.drain=-1s"), "\"-1s\" is negative; allowed: 0s to 1min");
    EXPECT_EQ(read(without_key + "run.drain = \"0s\"\n").run.drain, Duration{});
    EXPECT_EQ(read(without_key, {"run.drain=1min"}).run.drain, Duration::seconds(60));
}

TEST(DurationValue, MayBeZeroOrFromSomethingOn) {
    EXPECT_EQ(of_value("health.read_counters", "\"1ns\""), "\"1ns\" is out of range: 0s, or 100us to 1min");
    EXPECT_EQ(of_value("health.cover_interval", "\"99us\""),
              "\"99us\" is out of range: 0s, or 100us to 1min");
    EXPECT_EQ(read(without_key + "health.read_counters = \"0s\"\n").health.read_counters, Duration{});
    EXPECT_EQ(read(without_key, {"health.cover_interval=100us"}).health.cover_interval,
              Duration::microseconds(100));
}

TEST(RateValue, NeedsAUnitAndHasARange) {
    EXPECT_EQ(of_value("fabric.link_rate", "1000000000"), "this is an integer, where a rate belongs");
    EXPECT_EQ(suggestion_of("fabric.link_rate", "1000000000"), "give the unit, in quotes: \"1000000000bps\"");
    EXPECT_EQ(of_value("fabric.link_rate", "\"-1Gbps\""), "\"-1Gbps\" is negative; allowed: 1Mbps to 1Tbps");
    EXPECT_EQ(of_value("fabric.link_rate", "\"2Tbps\""), "\"2Tbps\" is out of range: 1Mbps to 1Tbps");
    EXPECT_EQ(of_value("fabric.link_rate", "\"10us\""),
              "unknown unit \"us\" in \"10us\"; a rate has one of bps, kbps, Mbps, Gbps, Tbps");
}

TEST(SizeValue, NeedsAUnitAndHasARange) {
    EXPECT_EQ(suggestion_of("fabric.queue", "150000"), "give the unit, in quotes: \"150000B\"");
    EXPECT_EQ(of_value("fabric.queue", "\"1B\""), "\"1B\" is out of range: 1.638kB to 1GB");
    EXPECT_EQ(read(without_key, {"fabric.queue=64KiB"}).fabric.queue_bytes, 65'536U);
}

TEST(ShareValue, IsANumberOrAPercentage) {
    EXPECT_EQ(read(without_key + "tracking.rate = 1\n").tracking.rate, 1.0);
    EXPECT_EQ(read(without_key + "tracking.rate = 0\n").tracking.rate, 0.0);
    EXPECT_EQ(read(without_key + "tracking.rate = \"5%\"\n").tracking.rate, 0.05);
    EXPECT_EQ(read(without_key + "tracking.rate = \"0.05\"\n").tracking.rate, 0.05);
    EXPECT_EQ(read(without_key, {"tracking.rate=5%"}).tracking.rate, 0.05);
    EXPECT_EQ(read(without_key, {"tracking.rate=\"5%\""}).tracking.rate, 0.05);
    EXPECT_EQ(of_value("tracking.rate", "true"), "this is true or false, where a share belongs");
    EXPECT_EQ(of_value("tracking.rate", "\"few\""), "\"few\" is not a share");
}

TEST(ShareValue, HasARange) {
    EXPECT_EQ(of_value("tracking.rate", "1.5"), "1.5 is out of range: 0 to 1, or \"0%\" to \"100%\"");
    EXPECT_EQ(of_value("tracking.rate", "-0.1"), "-0.1 is out of range: 0 to 1, or \"0%\" to \"100%\"");
    EXPECT_EQ(of_value("tracking.rate", "nan"), "nan is out of range: 0 to 1, or \"0%\" to \"100%\"");
    EXPECT_EQ(of_value("tracking.rate", "inf"), "inf is out of range: 0 to 1, or \"0%\" to \"100%\"");
    EXPECT_EQ(of_value("tracking.rate", "\"101%\""),
              "\"101%\" is out of range: 0 to 1, or \"0%\" to \"100%\"");
    EXPECT_EQ(suggestion_of("tracking.rate", "5"), "did you mean \"5%\"?");
    EXPECT_EQ(of_value("workload.load", "0"), "0 is out of range: 1e-06 to 1, or \"0.0001%\" to \"100%\"");
}

TEST(IntegerValue, HasARangeAndMayHaveToBeEven) {
    EXPECT_EQ(of_value("fabric.k", "7"), "7 is odd; allowed: even, 4 to 64");
    EXPECT_EQ(suggestion_of("fabric.k", "7"), "for example 8");
    EXPECT_EQ(of_value("fabric.k", "2"), "2 is out of range: even, 4 to 64");
    EXPECT_EQ(of_value("fabric.k", "66"), "66 is out of range: even, 4 to 64");
    EXPECT_EQ(of_value("fabric.k", "\"6\""), "this is a text, where an integer belongs");
    EXPECT_EQ(suggestion_of("fabric.k", "\"6\""), "without quotes");
    EXPECT_EQ(of_value("fabric.k", "6.0"), "this is a number with a point, where an integer belongs");
    EXPECT_EQ(of_value("run.seed", "-1"), "-1 is out of range: 0 or more");
    EXPECT_EQ(of_value("fabric.k", "[6]"), "this is a list, where an integer belongs");
    EXPECT_EQ(of_value("fabric.k", "{ x = 6 }"), "this is a table, where an integer belongs");
}

TEST(IntegerValue, AfterSet) {
    EXPECT_EQ(read(without_key, {"run.seed=9223372036854775807"}).run.seed, 9223372036854775807U);
    EXPECT_EQ(of_override("run.seed=9223372036854775808"), "9223372036854775808 is out of range: 0 or more");
    EXPECT_EQ(of_override("run.seed=12x"), "\"12x\" is not an integer");
    EXPECT_EQ(of_override("run.seed="), "\"\" is not an integer");
}

TEST(BooleanValue, IsTrueOrFalse) {
    EXPECT_TRUE(read("[tracking]\n", {"tracking.insecure=true"}).tracking.insecure);
    EXPECT_THAT(told("tracking.insecure = \"true\"\n"),
                ElementsAre("1:21: insecure: this is a text, where true or false belongs"));
    EXPECT_THAT(told("[tracking]\n", {"tracking.insecure=yes"}),
                ElementsAre("--set tracking.insecure=yes: insecure: \"yes\" is neither true nor false"));
}

TEST(TextValue, IsNeitherEmptyNorControl) {
    EXPECT_EQ(of_value("health.host", "\"\""), "this text is empty");
    EXPECT_EQ(of_value("health.host", "\"a\\u0000b\""), "this text has a control character in it");
    EXPECT_EQ(of_value("health.host", "3"), "this is an integer, where a text belongs");
    EXPECT_EQ(of_override("health.host="), "this text is empty");
}

TEST(ChoiceValue, IsOneOfItsWords) {
    EXPECT_EQ(of_value("tracking.sampling", "\"every-nht\""),
              "\"every-nht\" is not \"every-nth\", \"probability\", \"hash-consistent\" or "
              "\"rate-budget\"");
    EXPECT_EQ(suggestion_of("tracking.sampling", "\"every-nht\""), "did you mean \"every-nth\"?");
    EXPECT_EQ(of_value("workload.kind", "\"streams\""),
              "\"streams\" is not \"flows\", \"constant\", \"poisson\", \"on-off\" or \"incast\"");
    EXPECT_EQ(of_value("workload.destination", "1"),
              "this is an integer, where \"random\" or \"permutation\" belongs");
}

TEST(ListValue, TakesTextsAndTellsWhichIsNone) {
    EXPECT_EQ(of_value("record.pcap", "\"agg-0-0:core-0\""), "this is a text, where a list belongs");
    EXPECT_EQ(suggestion_of("record.pcap", "\"agg-0-0:core-0\""), "in brackets: [\"agg-0-0:core-0\"]");
    EXPECT_THAT(told(without_key + "record.pcap = [\n  \"agg-0-0:core-0\",\n  7,\n]\n"),
                ElementsAre("4:3: pcap: this is an integer, where a text belongs"));
}

TEST(ListValue, AfterSetIsTomlOrSeparatedByCommas) {
    EXPECT_THAT(read(without_key, {"record.pcap=agg-0-0:core-0,core-0:agg-0-0"}).record.pcap,
                ElementsAre("agg-0-0:core-0", "core-0:agg-0-0"));
    EXPECT_THAT(read(without_key, {"record.pcap=[\"agg-0-0:core-0\"]"}).record.pcap,
                ElementsAre("agg-0-0:core-0"));
    EXPECT_THAT(read(without_key + "record.pcap = [\"agg-0-0:core-0\"]\n", {"record.pcap=[]"}).record.pcap,
                ElementsAre());
    EXPECT_THAT(read(without_key + "record.pcap = [\"agg-0-0:core-0\"]\n", {"record.pcap="}).record.pcap,
                ElementsAre());
    EXPECT_THAT(read(without_key + "record.pcap = [\"agg-0-0:core-0\"]\n", {"record.pcap.0=agg-0-0:core-1"})
                    .record.pcap,
                ElementsAre("agg-0-0:core-1"));
    EXPECT_EQ(of_override("record.pcap=[oops"), "[oops is not a TOML list");
}

TEST(SecretValue, Is64HexadecimalDigits) {
    const std::string key = "tracking.key = \"" + std::string(63, 'a');
    EXPECT_THAT(told(key + "\"\n"),
                ElementsAre("1:16: key: a key has 64 hexadecimal digits; this has 63 characters"));
    EXPECT_THAT(told(key + "x\"\n"),
                ElementsAre("1:16: key: character 64 of the key is not a hexadecimal digit"));
    EXPECT_EQ((*read(key + "F\"\n").tracking.key)[31], 0xafU);
}

}  // namespace
}  // namespace dyetrace::scenario
