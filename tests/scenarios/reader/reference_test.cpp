// SPDX-License-Identifier: GPL-2.0-or-later
// docs/scenario-reference.md against the table that reads scenarios.
#include "scenarios/reader/reference.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "scenarios/reader/schema.h"
#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

TEST(Reference, TheDocumentHoldsTheListOfKeysWordForWord) {
    std::stringstream document;
    document << std::ifstream(DYETRACE_SOURCE_DIR "/docs/scenario-reference.md").rdbuf();
    const std::string begin = "<!-- keys -->\n";
    const std::string end = "<!-- end of keys -->\n";
    const std::string text = document.str();
    const auto from = text.find(begin);
    const auto to = text.find(end);
    ASSERT_NE(from, std::string::npos);
    ASSERT_NE(to, std::string::npos);
    EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), reference_markdown())
        << "put the output of `dyetrace check --keys` between the two marks in docs/scenario-reference.md";
}

TEST(Reference, EveryKeyHasAMeaningAndARange) {
    for (const TableInfo& table : schema()) {
        EXPECT_FALSE(table.meaning.empty());
        std::set<std::string> names;
        for (const KeyInfo& key : table.keys) {
            EXPECT_TRUE(names.insert(key.name).second) << key.name;
            EXPECT_FALSE(key.type.empty() || key.range.empty()) << key.name;
            EXPECT_TRUE(key.meaning.ends_with('.')) << key.name;
            EXPECT_EQ(key.meaning.find('|'), std::string::npos) << key.name;
        }
    }
}

/// The defaults as a file would say them: everything that is neither required nor in words.
std::string defaults_as_toml() {
    std::string text;
    for (const TableInfo& table : schema()) {
        if (table.is_list) continue;
        text += table.header() + "\n";
        for (const KeyInfo& key : table.keys) {
            const bool is_words = key.fallback.find(' ') != std::string::npos;
            if (key.name == "insecure") {
                text += "insecure = true\n";  // there is no default key to go with its default
            } else if (!is_words) {
                text += key.name + " = " + key.fallback + "\n";
            }
        }
    }
    return text;
}

TEST(Reference, TheDefaultsThatItShowsAreThoseOfTheStructs) {
    const Scenario written = read(defaults_as_toml());
    const Scenario left_out = read(without_key);
    EXPECT_EQ(written.run.duration, left_out.run.duration);
    EXPECT_EQ(written.run.drain, left_out.run.drain);
    EXPECT_EQ(written.run.seed, left_out.run.seed);
    EXPECT_EQ(written.fabric.kind, left_out.fabric.kind);
    EXPECT_EQ(written.fabric.k, left_out.fabric.k);
    EXPECT_EQ(written.fabric.link_rate_bps, left_out.fabric.link_rate_bps);
    EXPECT_EQ(written.fabric.link_delay, left_out.fabric.link_delay);
    EXPECT_EQ(written.fabric.queue_bytes, left_out.fabric.queue_bytes);
    EXPECT_EQ(written.workloads[0].kind, left_out.workloads[0].kind);
    EXPECT_EQ(written.workloads[0].distribution, left_out.workloads[0].distribution);
    EXPECT_EQ(written.workloads[0].load, left_out.workloads[0].load);
    EXPECT_EQ(written.workloads[0].flow_rate_bps, left_out.workloads[0].flow_rate_bps);
    EXPECT_EQ(written.workloads[0].packet_bytes, left_out.workloads[0].packet_bytes);
    EXPECT_EQ(written.workloads[0].start, left_out.workloads[0].start);
    EXPECT_EQ(written.workloads[0].hosts, left_out.workloads[0].hosts);
    EXPECT_EQ(written.workloads[0].rate_bps, left_out.workloads[0].rate_bps);
    EXPECT_EQ(written.workloads[0].flows, left_out.workloads[0].flows);
    EXPECT_EQ(written.workloads[0].destination, left_out.workloads[0].destination);
    EXPECT_EQ(written.workloads[0].on_time, left_out.workloads[0].on_time);
    EXPECT_EQ(written.workloads[0].off_time, left_out.workloads[0].off_time);
    EXPECT_EQ(written.workloads[0].times, left_out.workloads[0].times);
    EXPECT_EQ(written.workloads[0].interval, left_out.workloads[0].interval);
    EXPECT_EQ(written.workloads[0].fan_in, left_out.workloads[0].fan_in);
    EXPECT_EQ(written.workloads[0].receivers, left_out.workloads[0].receivers);
    EXPECT_EQ(written.workloads[0].response_bytes, left_out.workloads[0].response_bytes);
    EXPECT_EQ(written.workloads[0].jitter, left_out.workloads[0].jitter);
    EXPECT_EQ(written.tracking.rate, left_out.tracking.rate);
    EXPECT_EQ(written.tracking.sampling, left_out.tracking.sampling);
    EXPECT_EQ(written.tracking.path_count, left_out.tracking.path_count);
    EXPECT_EQ(written.tracking.report_interval, left_out.tracking.report_interval);
    EXPECT_EQ(written.tracking.path_idle, left_out.tracking.path_idle);
    EXPECT_EQ(written.tracking.sampling_seed, left_out.tracking.sampling_seed);
    EXPECT_EQ(written.tracking.sampling_budget, left_out.tracking.sampling_budget);
    EXPECT_EQ(written.tracking.sampling_burst, left_out.tracking.sampling_burst);
    EXPECT_EQ(written.tracking.flow_filter, left_out.tracking.flow_filter);
    EXPECT_EQ(written.tracking.metrics, left_out.tracking.metrics);
    EXPECT_EQ(written.tracking.tracked_per_second, left_out.tracking.tracked_per_second);
    EXPECT_EQ(written.tracking.accepted_per_second, left_out.tracking.accepted_per_second);
    EXPECT_EQ(written.tracking.traffic_sessions, left_out.tracking.traffic_sessions);
    EXPECT_EQ(written.tracking.choice_interval, left_out.tracking.choice_interval);
    EXPECT_EQ(written.tracking.turn, left_out.tracking.turn);
    EXPECT_EQ(written.tracking.near_prefix, left_out.tracking.near_prefix);
    EXPECT_EQ(written.tracking.ride_wait, left_out.tracking.ride_wait);
    EXPECT_EQ(written.tracking.waiting_time, left_out.tracking.waiting_time);
    EXPECT_EQ(written.tracking.session_duration, left_out.tracking.session_duration);
    EXPECT_EQ(written.health.host, left_out.health.host);
    EXPECT_EQ(written.health.update_interval, left_out.health.update_interval);
    EXPECT_EQ(written.health.evaluate_interval, left_out.health.evaluate_interval);
    EXPECT_EQ(written.health.raised_rate, left_out.health.raised_rate);
    EXPECT_EQ(written.health.investigation, left_out.health.investigation);
    EXPECT_EQ(written.health.cover_interval, left_out.health.cover_interval);
    EXPECT_EQ(written.health.cover_pairs, left_out.health.cover_pairs);
    EXPECT_EQ(written.health.read_counters, left_out.health.read_counters);
    EXPECT_EQ(written.health.repath, left_out.health.repath);
    EXPECT_EQ(written.health.drain, left_out.health.drain);
    EXPECT_EQ(written.health.migrate, left_out.health.migrate);
    EXPECT_EQ(written.health.migrate_after, left_out.health.migrate_after);
    EXPECT_EQ(written.health.learn_after, left_out.health.learn_after);
    EXPECT_EQ(written.health.drain_host, left_out.health.drain_host);
    EXPECT_EQ(written.health.notify, left_out.health.notify);
    EXPECT_EQ(written.health.drain_share, left_out.health.drain_share);
    EXPECT_EQ(written.health.repath_attempts, left_out.health.repath_attempts);
    EXPECT_EQ(written.health.verify_within, left_out.health.verify_within);
    EXPECT_EQ(written.health.restore_after, left_out.health.restore_after);
    EXPECT_EQ(written.record.pcap, left_out.record.pcap);
}

}  // namespace
}  // namespace dyetrace::scenario
