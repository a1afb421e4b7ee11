// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/locate.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/error.h"
#include "analysis/store/run_reader.h"
#include "analysis/store/run_writer.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Flows between two racks (0, 1) over two switches (10, 11); 10 > 1 loses two packets in a hundred.
std::string trace_text() {
    std::string text = "Failing_link 0 11 0.5\n";  // a lie: who believes it is found out
    for (int i = 0; i < 400; ++i) {
        const bool there = i % 2 == 0;
        const std::string middle = i / 2 % 2 == 0 ? "10" : "11";
        const std::string source = std::to_string(10000 + i % 7), target = std::to_string(10100 + i % 5);
        const bool lossy = there && middle == "10";
        text += there ? "FID " + source + " " + target + " 0 1 150000 0.0\nFPT 0 " + middle + " 1\n"
                      : "FID " + target + " " + source + " 1 0 150000 0.0\nFPT 1 " + middle + " 0\n";
        text += "SS 1.0 100 " + std::string(lossy ? "2" : "0") + " 0\n";
    }
    // What tells 10 > 1 from 0 > 10: others cross the latter without loss.
    for (int i = 0; i < 50; ++i)
        text += "FID 10001 10201 0 2 150000 0.0\nFPT 0 10 2\nSS 1.0 100 0 0\n";
    return text;
}

TEST(Locate, LinkOfATraceIsNamedByNumbersFromCountsAlone) {
    const testing::TestFolder folder;
    testing::write_bytes(folder.file("trace"), trace_text());
    const auto json = locate_json(locate_trace(folder.file("trace")));
    ASSERT_THAT(json.at("suspects"), SizeIs(1));
    const auto& suspect = json.at("suspects").at(0);
    EXPECT_EQ(suspect.at("kind"), "link");
    EXPECT_EQ(suspect.at("from"), 10);
    EXPECT_TRUE(suspect.at("from").is_number_unsigned());
    EXPECT_EQ(suspect.at("to"), 1);
    EXPECT_GT(suspect.at("log_odds").get<double>(), 5);
    EXPECT_TRUE(json.at("candidates").is_array());
}

TEST(Locate, TextHasATableOfSuspects) {
    const testing::TestFolder folder;
    testing::write_bytes(folder.file("trace"), trace_text());
    const std::string text = locate_text(locate_trace(folder.file("trace")));
    EXPECT_THAT(text, HasSubstr("450 flows, 45000 packets, 200 lost"));
    EXPECT_THAT(text, HasSubstr("10 > 1"));
}

TEST(Locate, SameTraceGivesTheSameText) {
    const testing::TestFolder folder;
    testing::write_bytes(folder.file("trace"), trace_text());
    EXPECT_EQ(locate_text(locate_trace(folder.file("trace"))),
              locate_text(locate_trace(folder.file("trace"))));
}

TEST(Locate, PacketsAreThoseOfTheFlowsThatAreUsed) {
    const testing::TestFolder folder;
    const auto path = folder.file("trace");
    // The candidate paths lead from rack 0 to rack 2 alone.
    testing::write_bytes(path,
                         "FID 10000 10001 0 2 100 1\nFPT 0 1 2\nSS 1 100 7 0\n"
                         "FID 10002 10003 5 6 100 1\nFPT 5 6\nSS 1 1000 70 0\n"
                         "FP 0 1 2\n");
    const Located known = locate_trace(path, TracePaths::Known);
    EXPECT_EQ(known.observations, 2U);
    EXPECT_EQ(known.sent, 1100U);
    EXPECT_EQ(known.lost, 77U);
    const Located unknown = locate_trace(path, TracePaths::Unknown);
    EXPECT_EQ(unknown.paths_unknown, 1U);
    EXPECT_EQ(unknown.observations, 1U);
    EXPECT_EQ(unknown.sent, 100U);
    EXPECT_EQ(unknown.lost, 7U);
}

TEST(Locate, DamagedInputIsAnErrorThatNamesThePlace) {
    const testing::TestFolder folder;
    testing::write_bytes(folder.file("trace"), trace_text().substr(0, 1000));
    EXPECT_THROW((void)locate_trace(folder.file("trace")), store::Error);
    EXPECT_THROW((void)locate_run(folder.file("trace")), store::Error);
}

class LocateRun : public ::testing::Test {
  protected:
    /// Four hosts on two switches; every host sends to every other, over a link that loses.
    void write(bool truth) {
        auto run = store::RunWriter::create(path_, store::Overwrite::Replace);
        for (int i = 0; i < 6; ++i) {
            store::NodeRow node;
            node.name = i < 4 ? "host-" + std::to_string(i) : "switch-" + std::to_string(i - 4);
            node.kind = i < 4 ? "host" : "switch";
            run.add_node(node);
        }
        const auto both_ways = [&](store::RowId a, store::RowId b) {
            for (const auto& [from, to] : {std::pair{a, b}, {b, a}}) {
                store::LinkRow link;
                link.from_node = from;
                link.to_node = to;
                run.add_link(link);
            }
        };
        for (store::RowId host = 0; host < 4; ++host)
            both_ways(host, switch_of(host));
        both_ways(4, 5);
        for (store::RowId from = 0; from < 4; ++from) {
            for (store::RowId to = 0; to < 4; ++to) {
                if (from != to) write_session(run, from, to);
            }
        }
        if (truth) {
            store::TruthFaultRow fault;  // a lie again
            fault.kind = "silent-drop";
            fault.from_node = 0;
            fault.to_node = 4;
            run.add_truth_fault(fault);
        }
        run.finish();
    }

    static store::RowId switch_of(store::RowId host) { return 4 + host / 2; }

    static void write_session(store::RunWriter& run, store::RowId from, store::RowId to) {
        store::SessionRow session;
        session.requester_node = from;
        session.acceptor_node = to;
        session.session_id = 1;  // the same for each requester
        const store::RowId id = run.add_session(session);
        store::PathRow path;
        path.session = id;
        path.complete = true;
        path.hops = {from, switch_of(from)};
        if (switch_of(from) != switch_of(to)) path.hops.push_back(switch_of(to));
        path.hops.push_back(to);
        run.add_path(path);
        const bool crosses = switch_of(from) == 4 && switch_of(to) == 5;
        for (std::uint64_t i = 1; i <= 50; ++i) {
            store::PathRecordRow record;
            record.session = id;
            record.t_ns = static_cast<std::int64_t>(i) * 20'000'000;
            record.sent = 100 * i;
            record.received = record.sent - (crosses ? 2 * i : 0);
            run.add_path_record(record);
        }
    }

    testing::TestFolder folder_;
    std::filesystem::path path_ = folder_.file("run.db");
};

TEST_F(LocateRun, LinkIsNamedByNamesFromRecordsAndLearnedPaths) {
    write(false);
    const auto json = locate_json(locate_run(path_));
    ASSERT_THAT(json.at("suspects"), SizeIs(1));
    EXPECT_EQ(json.at("suspects").at(0).at("from"), "switch-0");
    EXPECT_EQ(json.at("suspects").at(0).at("to"), "switch-1");
}

TEST_F(LocateRun, TruthInTheDatabaseChangesNothing) {
    write(false);
    const auto without = locate_json(locate_run(path_)).dump();
    write(true);
    EXPECT_EQ(locate_json(locate_run(path_)).dump(), without);
}

TEST_F(LocateRun, PairsSayWhatTheyCoverAndWhichFewWouldDo) {
    write(false);
    const auto without = locate_json(locate_run(path_));
    EXPECT_FALSE(without.contains("pairs"));
    const Located located = locate_run(path_, {}, WithPairs::Yes);
    const auto pairs = locate_json(located).at("pairs");
    EXPECT_EQ(pairs.at("links"), 10);
    EXPECT_EQ(pairs.at("measured").at("pairs"), 12);
    EXPECT_EQ(pairs.at("measured").at("paths"), 12);
    EXPECT_EQ(pairs.at("measured").at("links"), 10);
    EXPECT_EQ(pairs.at("measured").at("told_apart"), 10);
    // A host's link up and one down are covered by any pair, so four of them do.
    const auto& fewest = pairs.at("fewest");
    EXPECT_EQ(fewest.at("pairs"), 4);
    EXPECT_EQ(fewest.at("links"), 10);
    ASSERT_THAT(fewest.at("chosen"), SizeIs(4));
    EXPECT_LT(fewest.at("told_apart"), 10);
    std::set<std::string> requesters, acceptors;
    for (const auto& pair : fewest.at("chosen")) {
        requesters.insert(pair.at("requester").get<std::string>());
        acceptors.insert(pair.at("acceptor").get<std::string>());
    }
    EXPECT_THAT(requesters, SizeIs(4));
    EXPECT_THAT(acceptors, SizeIs(4));
    EXPECT_THAT(locate_text(located),
                HasSubstr("12 were measured, over 12 paths that were traced: 10 of 10 links, 10 of which"));
}

}  // namespace
}  // namespace dyetrace::cli
