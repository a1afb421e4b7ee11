// SPDX-License-Identifier: GPL-2.0-or-later
// Every table: what is written is what is read, and each value lies under the name of its column.
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "analysis/store/run_writer.h"
#include "analysis/store/table_reader.h"
#include "analysis/store/truth_reader.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::store {
namespace {

using Cells = std::map<std::string, std::optional<std::string>>;

/// A run with one row in each table; no two columns of a table hold the same value.
class RoundTrip : public ::testing::Test {
  protected:
    void SetUp() override {
        RunWriter run = RunWriter::create(folder_.file("run.db"), Overwrite::Refuse);
        run.set_provenance("seed", "7");
        for (const char* name : {"host-a", "host-b", "core-c"})
            run.add_node({.name = name, .kind = "host"});
        node_.id = run.add_node(node_);
        link_.id = run.add_link(link_);
        run.add_session(
            {});  // so that the row under test is number 2 and the references to it can be told from 1
        session_.id = run.add_session(session_);
        session_event_.id = run.add_session_event(session_event_);
        path_.id = run.add_path(path_);
        record_.id = run.add_path_record(record_);
        update_.id = run.add_update(update_);
        evidence_.id = run.add_evidence(evidence_);
        detection_.id = run.add_detection(detection_);
        run.add_incident({});
        incident_.id = run.add_incident(incident_);
        incident_event_.id = run.add_incident_event(incident_event_);
        directive_.id = run.add_directive(directive_);
        suspect_.id = run.add_suspect(suspect_);
        run.add_counter(counter_);
        fault_.id = run.add_truth_fault(fault_);
        run.add_truth_drop(drop_);
        run.add_truth_path(truth_path_);
        run.finish();
        reader_.emplace(folder_.file("run.db"));
    }

    /// The last row of the table, by column name.
    Cells last_row(const std::string& name) const {
        Cells row;
        const Table& source = table(name);
        TableReader(*reader_).for_each_row(source, [&](std::span<const std::optional<std::string>> cells) {
            for (std::size_t i = 0; i < cells.size(); ++i)
                row[std::string(source.columns[i].name)] = cells[i];
        });
        return row;
    }

    testing::TestFolder folder_;
    std::optional<RunReader> reader_;
    NodeRow node_{.name = "agg-1-2", .kind = "agg", .address = "10.1.2.1", .pod = 1, .position = 2};
    LinkRow link_{.from_node = 1, .to_node = 2, .rate_bps = 40'000'000'000, .delay_ns = 1500};
    SessionRow session_{.requester_node = 1,
                        .acceptor_node = 2,
                        .session_id = 4'294'967'295,
                        .state = "closed",
                        .reason = "asked",
                        .requested_ns = 3,
                        .active_ns = 4,
                        .closed_ns = 5,
                        .sampling_kind = "every-nth",
                        .sampling_rate = 0.01};
    SessionEventRow session_event_{
        .session = 2, .t_ns = 9, .from_state = "active", .to_state = "closed", .reason = "asked"};
    PathRow path_{.session = 2,
                  .path_index = 65'535,
                  .generation = 255,
                  .udp_source_port = 50'001,
                  .learned_ns = 77,
                  .complete = true,
                  .hops = {1, 3, 2}};
    PathRecordRow record_{.session = 2,
                          .path_index = 11,
                          .generation = 12,
                          .t_ns = 13,
                          .sent = 9'000'000'000'000'000'000U,
                          .received = 14,
                          .tracked_sent = 15,
                          .tracked_received = 16,
                          .duplicates = 17,
                          .late = 18,
                          .delay_ns_min = -19,
                          .delay_ns_sum = 20,
                          .delay_ns_max = 21,
                          .delay_count = 22,
                          .open = false,
                          .excess = true};
    UpdateRow update_{
        .t_ns = 31, .eppc_node = 2, .boot_id = 0xfedcba9876543210U, .sequence = 32, .records = 33};
    EvidenceRow evidence_{
        .t_ns = 41, .session = 2, .path_index = 42, .generation = 43, .sent = 44, .lost = 45};
    DetectionRow detection_{.t_ns = 51,
                            .subject = "host-a > host-b, \"twice\"\n",
                            .session = 2,
                            .kind = "loss",
                            .state = "degraded",
                            .statistic = 5.25,
                            .sent = 52,
                            .lost = 53,
                            .reason = "sprt"};
    IncidentRow incident_{.opened_ns = 61,
                          .closed_ns = 62,
                          .state = "confirmed",
                          .subject = "host-a > host-b",
                          .reason = "loss"};
    IncidentEventRow incident_event_{.incident = 2, .t_ns = 71, .kind = "confirmed", .detail = "odds"};
    DirectiveRow directive_{
        .incident = 2, .t_ns = 81, .node = 1, .kind = "raise-sampling", .detail = "0.1", .acked_ns = 82};
    SuspectRow suspect_{.incident = 2,
                        .t_ns = 91,
                        .rank = 92,
                        .kind = "link",
                        .from_node = 1,
                        .to_node = 2,
                        .device_node = 3,
                        .log_odds = 12.5,
                        .group_id = 93,
                        .loss_rate = 0.015625};
    CounterRow counter_{.node = 2, .engine = "eppc", .name = "bad-tag", .value = 3};
    TruthFaultRow fault_{.t_ns = 101,
                         .until_ns = 102,
                         .kind = "silent-drop",
                         .from_node = 1,
                         .to_node = 2,
                         .probability = 0.5};
    TruthDropRow drop_{.from_node = 1, .to_node = 2, .cause = "queue", .data_packets = 111, .packets = 112};
    TruthPathRow truth_path_{.requester_node = 1,
                             .acceptor_node = 2,
                             .session_id = 121,
                             .path_index = 122,
                             .generation = 123,
                             .interval = 124,
                             .sent = 125,
                             .lost = 126};
};

TEST_F(RoundTrip, EachRowIsReadAsItWasWritten) {
    EXPECT_EQ(reader_->nodes().back(), node_);
    EXPECT_EQ(reader_->links().back(), link_);
    EXPECT_EQ(reader_->sessions().back(), session_);
    EXPECT_EQ(reader_->session_events().back(), session_event_);
    EXPECT_EQ(reader_->paths().back(), path_);
    EXPECT_EQ(reader_->path_records(2).back(), record_);
    EXPECT_EQ(reader_->updates().back(), update_);
    EXPECT_EQ(reader_->evidence().back(), evidence_);
    EXPECT_EQ(reader_->detections().back(), detection_);
    EXPECT_EQ(reader_->incidents().back(), incident_);
    EXPECT_EQ(reader_->incident_events().back(), incident_event_);
    EXPECT_EQ(reader_->directives().back(), directive_);
    EXPECT_EQ(reader_->suspects().back(), suspect_);
    EXPECT_EQ(reader_->counters().back(), counter_);
    const TruthReader truth(*reader_);
    EXPECT_EQ(truth.faults().back(), fault_);
    EXPECT_EQ(truth.drops().back(), drop_);
    EXPECT_EQ(truth.paths().back(), truth_path_);
}

TEST_F(RoundTrip, EachValueLiesUnderTheNameOfItsColumn) {
    EXPECT_EQ(last_row("nodes"), (Cells{{"id", "3"},
                                        {"name", "agg-1-2"},
                                        {"kind", "agg"},
                                        {"address", "10.1.2.1"},
                                        {"pod", "1"},
                                        {"position", "2"}}));
    EXPECT_EQ(last_row("links"), (Cells{{"id", "0"},
                                        {"from_node", "1"},
                                        {"to_node", "2"},
                                        {"rate_bps", "40000000000"},
                                        {"delay_ns", "1500"}}));
    EXPECT_EQ(last_row("sessions"), (Cells{{"id", "2"},
                                           {"requester_node", "1"},
                                           {"acceptor_node", "2"},
                                           {"session_id", "4294967295"},
                                           {"state", "closed"},
                                           {"reason", "asked"},
                                           {"requested_ns", "3"},
                                           {"active_ns", "4"},
                                           {"closed_ns", "5"},
                                           {"sampling_kind", "every-nth"},
                                           {"sampling_rate", "0.01"}}));
    EXPECT_EQ(last_row("session_events"), (Cells{{"id", "1"},
                                                 {"session", "2"},
                                                 {"t_ns", "9"},
                                                 {"from_state", "active"},
                                                 {"to_state", "closed"},
                                                 {"reason", "asked"}}));
    EXPECT_EQ(last_row("paths"), (Cells{{"id", "1"},
                                        {"session", "2"},
                                        {"path_index", "65535"},
                                        {"generation", "255"},
                                        {"udp_source_port", "50001"},
                                        {"learned_ns", "77"},
                                        {"complete", "1"}}));
    EXPECT_EQ(last_row("path_hops"), (Cells{{"path", "1"}, {"hop", "2"}, {"node", "2"}}));
    EXPECT_EQ(last_row("path_records"), (Cells{{"id", "1"},
                                               {"session", "2"},
                                               {"path_index", "11"},
                                               {"generation", "12"},
                                               {"t_ns", "13"},
                                               {"sent", "9000000000000000000"},
                                               {"received", "14"},
                                               {"tracked_sent", "15"},
                                               {"tracked_received", "16"},
                                               {"duplicates", "17"},
                                               {"late", "18"},
                                               {"delay_ns_min", "-19"},
                                               {"delay_ns_sum", "20"},
                                               {"delay_ns_max", "21"},
                                               {"delay_count", "22"},
                                               {"open", "0"},
                                               {"excess", "1"}}));
    EXPECT_EQ(last_row("updates"), (Cells{{"id", "1"},
                                          {"t_ns", "31"},
                                          {"eppc_node", "2"},
                                          {"boot_id", "fedcba9876543210"},
                                          {"sequence", "32"},
                                          {"records", "33"}}));
    EXPECT_EQ(last_row("evidence"), (Cells{{"id", "1"},
                                           {"t_ns", "41"},
                                           {"session", "2"},
                                           {"path_index", "42"},
                                           {"generation", "43"},
                                           {"sent", "44"},
                                           {"lost", "45"}}));
}

TEST_F(RoundTrip, EachDecisionAndTruthLiesUnderTheNameOfItsColumn) {
    EXPECT_EQ(last_row("detections"), (Cells{{"id", "1"},
                                             {"t_ns", "51"},
                                             {"subject", "host-a > host-b, \"twice\"\n"},
                                             {"session", "2"},
                                             {"kind", "loss"},
                                             {"state", "degraded"},
                                             {"statistic", "5.25"},
                                             {"sent", "52"},
                                             {"lost", "53"},
                                             {"reason", "sprt"}}));
    EXPECT_EQ(last_row("incidents"), (Cells{{"id", "2"},
                                            {"opened_ns", "61"},
                                            {"closed_ns", "62"},
                                            {"state", "confirmed"},
                                            {"subject", "host-a > host-b"},
                                            {"reason", "loss"}}));
    EXPECT_EQ(
        last_row("incident_events"),
        (Cells{{"id", "1"}, {"incident", "2"}, {"t_ns", "71"}, {"kind", "confirmed"}, {"detail", "odds"}}));
    EXPECT_EQ(last_row("directives"), (Cells{{"id", "1"},
                                             {"incident", "2"},
                                             {"t_ns", "81"},
                                             {"node", "1"},
                                             {"kind", "raise-sampling"},
                                             {"detail", "0.1"},
                                             {"acked_ns", "82"}}));
    EXPECT_EQ(last_row("suspects"), (Cells{{"id", "1"},
                                           {"incident", "2"},
                                           {"t_ns", "91"},
                                           {"rank", "92"},
                                           {"kind", "link"},
                                           {"from_node", "1"},
                                           {"to_node", "2"},
                                           {"device_node", "3"},
                                           {"log_odds", "12.5"},
                                           {"group_id", "93"},
                                           {"loss_rate", "0.015625"}}));
    EXPECT_EQ(last_row("counters"),
              (Cells{{"node", "2"}, {"engine", "eppc"}, {"name", "bad-tag"}, {"value", "3"}}));
    EXPECT_EQ(last_row("truth_faults"), (Cells{{"id", "1"},
                                               {"t_ns", "101"},
                                               {"until_ns", "102"},
                                               {"kind", "silent-drop"},
                                               {"from_node", "1"},
                                               {"to_node", "2"},
                                               {"probability", "0.5"}}));
    EXPECT_EQ(last_row("truth_drops"), (Cells{{"from_node", "1"},
                                              {"to_node", "2"},
                                              {"cause", "queue"},
                                              {"data_packets", "111"},
                                              {"packets", "112"}}));
    EXPECT_EQ(last_row("truth_paths"), (Cells{{"requester_node", "1"},
                                              {"acceptor_node", "2"},
                                              {"session_id", "121"},
                                              {"path_index", "122"},
                                              {"generation", "123"},
                                              {"interval", "124"},
                                              {"sent", "125"},
                                              {"lost", "126"}}));
}

TEST_F(RoundTrip, WhatIsNotKnownStaysUnknown) {
    EXPECT_EQ(reader_->nodes().front().pod, std::nullopt);
    EXPECT_EQ(reader_->sessions().front().active_ns, std::nullopt);
    EXPECT_EQ(reader_->incidents().front().closed_ns, std::nullopt);
}

TEST_F(RoundTrip, FabricRowsCountFromZeroAndOthersFromOne) {
    EXPECT_EQ(reader_->nodes().front().id, 0);
    EXPECT_EQ(reader_->links().front().id, 0);
    EXPECT_EQ(reader_->sessions().front().id, 1);
}

TEST_F(RoundTrip, EveryTableOfTheFirstVersionHasARowHere) {
    for (const Table& source : tables())
        EXPECT_TRUE(source.since > 1 || !last_row(std::string(source.name)).empty()) << source.name;
}

}  // namespace
}  // namespace dyetrace::store
