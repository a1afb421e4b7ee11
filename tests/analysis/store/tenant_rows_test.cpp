// SPDX-License-Identifier: GPL-2.0-or-later
// Tables of tenants and of followed flows: what is written is what is read, each value under its column.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "analysis/store/run_writer.h"
#include "analysis/store/schema.h"
#include "analysis/store/table_reader.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::store {
namespace {

using ::testing::ElementsAre;

/// A run with one row in each of these tables.
struct TenantRows : ::testing::Test {
    TenantRows() {
        RunWriter run = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
        for (const char* name : {"host-a", "host-b"})
            run.add_node({.name = name, .kind = "host"});
        tenant.id = run.add_tenant(tenant);
        guest.id = run.add_tenant_guest(guest);
        state.id = run.add_tenant_state(state);
        pair.id = run.add_tenant_pair(pair);
        standing.id = run.add_tenant_pair_state(standing);
        share.id = run.add_tenant_share(share);
        notification.id = run.add_tenant_notification(notification);
        score.id = run.add_service_score(score);
        probe.id = run.add_probe_result(probe);
        FlowTraceRow asked = trace;
        asked.told_ns.reset();
        asked.judged = 0;
        trace.id = run.add_flow_trace(asked);
        run.update_flow_trace(trace);
        stretch.id = run.add_flow_trace_stretch(stretch);
        packet.id = run.add_flow_trace_packet(packet);
        hop.id = run.add_flow_trace_hop(hop);
        run.finish();
        reader.emplace(folder.file("run.db"));
    }

    /// The cells of the only row of a table.
    std::vector<std::string> cells(const std::string& name) const {
        std::vector<std::string> row;
        TableReader(*reader).for_each_row(table(name), [&](auto values) {
            for (const auto& value : values)
                row.push_back(value.value_or("NULL"));
        });
        return row;
    }

    dyetrace::testing::TestFolder folder;
    std::optional<RunReader> reader;
    TenantRow tenant{0, "red"};
    TenantGuestRow guest{0, 1, "web", 1001, "192.168.0.1", 1};
    TenantStateRow state{0, 1, "lossy", "loss > 1%"};
    TenantPairRow pair{0,  11,  1,     "web", "db",   12,  "degraded", 13,  0.25,
                       14, 0.5, 0.125, 0.75,  0.0625, 1.5, 2.5,        3.5, "loss 50%"};
    TenantPairStateRow standing{0, 1, "lossy", "inside", 21};
    TenantShareRow share{0, 1, "health", 31, 32, "healthy", 0.375};
    TenantNotificationRow notification{0, 41, 1, "lossy", "web", "db", "outside", "inside", "loss 2%"};
    ServiceScoreRow score{0, 51, 1, "shop", "first", 0.875, 0.9375, std::nullopt, 52};
    ProbeResultRow probe{0, 61, 1, "p", 62, "web", "", 0.1875, 63, 64, 65, 66, 67, 68, 69, std::nullopt};
    FlowTraceRow trace{0, 71, 72, 1, "web", "db", 0, 1, "udp", "no", 73, 74, 75};
    FlowTraceStretchRow stretch{0, 1, "fabric", 81, -82, 83, 84, 85, 86};
    FlowTracePacketRow packet{0, 1, 4'294'967'295, 91, 92, 93, 94, std::nullopt, 96, true, "0a0b"};
    FlowTraceHopRow hop{0, 1, 101, 102, 103, 104, 105, 0, 1, 106, 107};
};

TEST_F(TenantRows, AreReadAsTheyWereWritten) {
    EXPECT_THAT(reader->tenants(), ElementsAre(tenant));
    EXPECT_THAT(reader->tenant_guests(), ElementsAre(guest));
    EXPECT_THAT(reader->tenant_states(), ElementsAre(state));
    EXPECT_THAT(reader->tenant_pairs(), ElementsAre(pair));
    EXPECT_THAT(reader->tenant_pair_states(), ElementsAre(standing));
    EXPECT_THAT(reader->tenant_shares(), ElementsAre(share));
    EXPECT_THAT(reader->tenant_notifications(), ElementsAre(notification));
    EXPECT_THAT(reader->service_scores(), ElementsAre(score));
    EXPECT_THAT(reader->probe_results(), ElementsAre(probe));
    EXPECT_THAT(reader->flow_traces(), ElementsAre(trace));
    EXPECT_THAT(reader->flow_trace_stretches(), ElementsAre(stretch));
    EXPECT_THAT(reader->flow_trace_packets(), ElementsAre(packet));
    EXPECT_THAT(reader->flow_trace_hops(), ElementsAre(hop));
}

TEST_F(TenantRows, AreAllTablesOfTheSecondVersion) {
    for (const Table& source : tables())
        EXPECT_TRUE(source.since == 1 || !cells(std::string(source.name)).empty()) << source.name;
}

TEST_F(TenantRows, HaveEachValueInTheOrderOfTheColumns) {
    EXPECT_THAT(cells("tenant_guests"), ElementsAre("1", "1", "web", "1001", "192.168.0.1", "1"));
    EXPECT_THAT(cells("tenant_pairs"),
                ElementsAre("1", "11", "1", "web", "db", "12", "degraded", "13", "0.25", "14", "0.5", "0.125",
                            "0.75", "0.0625", "1.5", "2.5", "3.5", "loss 50%"));
    EXPECT_THAT(cells("tenant_shares"), ElementsAre("1", "1", "health", "31", "32", "healthy", "0.375"));
    EXPECT_THAT(cells("service_scores"),
                ElementsAre("1", "51", "1", "shop", "first", "0.875", "0.9375", "NULL", "52"));
    EXPECT_THAT(cells("probe_results"), ElementsAre("1", "61", "1", "p", "62", "web", "", "0.1875", "63",
                                                    "64", "65", "66", "67", "68", "69", "NULL"));
    EXPECT_THAT(cells("flow_traces"),
                ElementsAre("1", "71", "72", "1", "web", "db", "0", "1", "udp", "no", "73", "74", "75"));
    EXPECT_THAT(cells("flow_trace_packets"),
                ElementsAre("1", "1", "4294967295", "91", "92", "93", "94", "NULL", "96", "1", "0a0b"));
    EXPECT_THAT(cells("flow_trace_hops"),
                ElementsAre("1", "1", "101", "102", "103", "104", "105", "0", "1", "106", "107"));
}

}  // namespace
}  // namespace dyetrace::store
