// SPDX-License-Identifier: GPL-2.0-or-later
// Tenants from the scenario file to `dyetrace show --tenant`: what they see, and what they must not.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/store/run_reader.h"
#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

using testing::HasSubstr;
using testing::Not;

/// One run of the shipped scenario serves all cases.
class TenantsRun : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = std::make_unique<TestFolder>();
        const Outcome outcome = run_of("tenants.toml", database());
        ASSERT_EQ(outcome.exit, 0) << outcome.err;
        run = std::make_unique<store::RunReader>(database());
    }
    static void TearDownTestSuite() {
        run.reset();
        folder.reset();
    }
    static std::string database() { return folder->file("run.db"); }
    static Outcome show(const std::vector<std::string>& more) {
        std::vector<std::string> words{dyetrace(), "show", database()};
        words.insert(words.end(), more.begin(), more.end());
        return run_program(words);
    }
    static nlohmann::json show_json(const std::vector<std::string>& more) {
        std::vector<std::string> words{"-j"};
        words.insert(words.end(), more.begin(), more.end());
        return nlohmann::json::parse(show(words).out);
    }
    static store::RowId tenant(const std::string& name) {
        for (const auto& one : run->tenants()) {
            if (one.name == name) return one.id;
        }
        ADD_FAILURE() << "no tenant " << name;
        return 0;
    }
    /// The name of the host that carries a guest.
    static std::string host_of(const std::string& owner, const std::string& guest) {
        const auto nodes = run->nodes();
        for (const auto& one : run->tenant_guests()) {
            if (one.tenant == tenant(owner) && one.name == guest)
                return nodes[static_cast<std::size_t>(one.host_node)].name;
        }
        return "?";
    }

    static std::unique_ptr<TestFolder> folder;
    static std::unique_ptr<store::RunReader> run;
};
std::unique_ptr<TestFolder> TenantsRun::folder;
std::unique_ptr<store::RunReader> TenantsRun::run;

TEST_F(TenantsRun, WhatATenantIsShownNamesNoDeviceAndNobodyElse) {
    for (const auto& [own, other, vni] :
         {std::tuple("acme", "globex", 1001), std::tuple("globex", "acme", 1002)}) {
        for (const auto& words :
             {std::vector<std::string>{"--tenant", own}, std::vector<std::string>{"-j", "--tenant", own}}) {
            const Outcome shown = show(words);
            ASSERT_EQ(shown.exit, 0) << shown.err;
            EXPECT_THAT(shown.out, HasSubstr(own));
            EXPECT_THAT(shown.out, Not(HasSubstr(other)));
            for (const auto& node : run->nodes()) {
                EXPECT_THAT(shown.out, Not(HasSubstr(node.name)));
                EXPECT_THAT(shown.out, Not(HasSubstr(node.address)));
            }
            for (const char* kind : {"host-", "edge-", "agg-", "core-"})
                EXPECT_THAT(shown.out, Not(HasSubstr(kind)));
        }
        // Nor a guest of the other's: those are called alike, so by their addresses.
        std::set<std::string> addresses;
        for (const auto& guest : run->tenant_guests()) {
            if (guest.tenant == tenant(other)) addresses.insert('"' + guest.address + '"');
        }
        ASSERT_FALSE(addresses.empty());
        const auto json = show_json({"--tenant", own});
        for (const std::string& address : addresses)
            EXPECT_THAT(json.dump(), Not(HasSubstr(address)));
        for (const char* list : {"guests", "pairs", "probes"}) {
            for (const auto& one : json[list])
                EXPECT_EQ(one["vni"], vni) << list;
        }
        EXPECT_FALSE(json["pairs"].empty());
    }
}

TEST_F(TenantsRun, ATenantThatIsNotThereIsRefusedWithoutSayingWhoIs) {
    const Outcome shown = show({"--tenant", "acne"});
    EXPECT_EQ(shown.exit, 3);
    EXPECT_THAT(shown.err, HasSubstr("has no tenant \"acne\""));
    EXPECT_THAT(shown.err, Not(HasSubstr("globex")));
    EXPECT_THAT(shown.err, Not(HasSubstr("\"acme\"")));
}

TEST_F(TenantsRun, OnlyPairsThatCanCrossTheFaultyLinkWereEverInsideTheLossyState) {
    std::size_t entered = 0;
    for (const auto& row : run->tenant_notifications()) {
        if (row.tenant != tenant("acme") || row.after_state != "inside") continue;
        ++entered;
        EXPECT_EQ(row.state, "lossy");       // it subscribed to no other
        EXPECT_GE(row.t_ns, 1'200'000'000);  // the link begins to lose at 1 s, and the state asks for 200 ms
        EXPECT_THAT(host_of("acme", row.from_guest), testing::StartsWith("host-0-"));
        EXPECT_THAT(host_of("acme", row.to_guest), Not(testing::StartsWith("host-0-")));
        EXPECT_THAT(row.reason, HasSubstr("loss"));
    }
    EXPECT_GT(entered, 0U);
}

TEST_F(TenantsRun, SharesOfEachIntervalSumToOneAndFollowEachOther) {
    std::map<std::pair<store::RowId, std::string>, std::int64_t> ends;
    std::map<std::tuple<store::RowId, std::string, std::int64_t>, double> sums;
    for (const auto& row : run->tenant_shares()) {
        auto& end = ends[{row.tenant, row.state}];
        if (end != 0 && row.end_ns != end) {
            EXPECT_EQ(row.start_ns, end) << row.state;
        }
        end = row.end_ns;
        sums[{row.tenant, row.state, row.start_ns}] += row.share;
    }
    EXPECT_EQ(ends.size(), 4U);  // acme: health, lossy, queues; globex: health
    for (const auto& [key, end] : ends)
        EXPECT_EQ(end, 3'200'000'000) << key.second;  // the end of the run
    for (const auto& [key, sum] : sums)
        EXPECT_NEAR(sum, 1, 1e-9);
}

TEST_F(TenantsRun, TheFaultShowsInTheSharesOfTheLossyStateAndGoes) {
    std::map<std::int64_t, double> inside;
    for (const auto& row : run->tenant_shares()) {
        if (row.tenant == tenant("acme") && row.state == "lossy" && row.standing == "inside")
            inside[row.start_ns] = row.share;
    }
    EXPECT_EQ(inside.at(500'000'000), 0);
    EXPECT_GT(inside.at(1'500'000'000), 0);
}

TEST_F(TenantsRun, TheFollowedFlowHasAllItsStagesAndHops) {
    const auto shown = show_json({})["flow_traces"];
    ASSERT_EQ(shown.size(), 1U);
    const auto& trace = shown[0];
    EXPECT_EQ(trace["refused"], "");
    EXPECT_EQ(trace["source"], "host-0-0-1");
    EXPECT_EQ(trace["destination"], "host-3-0-0");
    std::map<std::string, nlohmann::json> stretches;
    for (const auto& one : trace["stretches"])
        stretches[one["stretch"]] = one;
    for (const char* name : {"guest > EPPC", "EPPC > guest"}) {
        EXPECT_GT(stretches.at(name)["packets"], 10) << name;
        EXPECT_EQ(stretches.at(name)["min_ns"], 3000) << name;  // fabric.guest_delay
        EXPECT_EQ(stretches.at(name)["max_ns"], 3000) << name;
    }
    // Six cables of 1 us and 1 Gbps, each of which a packet of its length has to be sent over.
    for (const auto& packet : trace["packets"]) {
        if (packet["eppc_out_ns"].is_null() || packet["eppc_in_ns"].is_null()) continue;
        const std::int64_t least = 6 * (1000 + 8 * (packet["bytes"].get<std::int64_t>() + 50));
        EXPECT_GE(packet["eppc_in_ns"].get<std::int64_t>() - packet["eppc_out_ns"].get<std::int64_t>(),
                  least);
    }
    EXPECT_EQ(stretches.at("guest > guest")["min_ns"],
              stretches.at("fabric")["min_ns"].get<std::int64_t>() + 6000);
    EXPECT_FALSE(trace["packets"][0]["captured"].get<std::string>().empty());
    for (const auto& path : trace["paths"]) {
        if (path["links"].empty()) continue;
        EXPECT_EQ(path["links"].size(), 6U);
        EXPECT_EQ(path["links"].front()["from"], "host-0-0-1");
        EXPECT_EQ(path["links"].back()["to"], "host-3-0-0");
    }
}

TEST_F(TenantsRun, ScoresAreOfBothInstancesAndWithinWhatTheySayOfThemselves) {
    std::map<std::string, double> highest;
    for (const auto& row : run->service_scores()) {
        EXPECT_EQ(row.tenant, tenant("acme"));
        EXPECT_GE(row.score, 0);
        EXPECT_LE(row.score, 1);
        highest[row.instance] = std::max(highest[row.instance], row.score);
    }
    ASSERT_EQ(highest.size(), 2U);
    EXPECT_GT(highest["first"], 0.5);
    EXPECT_GT(highest["second"], 0.5);
    EXPECT_LE(highest["second"], 0.9);  // its own health
}

TEST_F(TenantsRun, TheProbeSeesItsShareOfPacketsAtBothEnds) {
    const auto results = run->probe_results();
    ASSERT_FALSE(results.empty());
    const auto& last = results.back();
    EXPECT_EQ(last.probe, "app-to-all");
    EXPECT_EQ(last.from_guest, "app");
    EXPECT_EQ(last.to_guest, "");
    EXPECT_GT(last.delivered, 50U);
    EXPECT_TRUE(last.delay_ns_p50.has_value());
}

TEST_F(TenantsRun, AnotherRunTellsTheSame) {
    TestFolder another;
    ASSERT_EQ(run_of("tenants.toml", another.file("again.db")).exit, 0);
    const store::RunReader again(another.file("again.db"));
    EXPECT_EQ(run->tenant_pairs(), again.tenant_pairs());
    EXPECT_EQ(run->tenant_shares(), again.tenant_shares());
    EXPECT_EQ(run->tenant_notifications(), again.tenant_notifications());
    EXPECT_EQ(run->service_scores(), again.service_scores());
    EXPECT_EQ(run->probe_results(), again.probe_results());
    EXPECT_EQ(run->flow_trace_packets(), again.flow_trace_packets());
}

}  // namespace
}  // namespace dyetrace::runner
