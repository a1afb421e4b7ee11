// SPDX-License-Identifier: GPL-2.0-or-later
// Runs with faults of every kind, and the same run on both grades of the fabric.
#include "scenarios/reader/fault_kinds.h"

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "analysis/store/truth_reader.h"
#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

/// All kinds of faults in one run, each of its own words.
TEST(FaultKinds, EveryKindRunsAndItsTruthIsRecorded) {
    const TestFolder folder;
    const std::string file = folder.file("faults.toml");
    std::ofstream text(file);
    text << "[run]\nduration = \"60ms\"\n[fabric]\nk = 4\n[tracking]\ninsecure = true\n"
            "[health]\nhost = \"host-1-0-0\"\n";
    std::map<std::string, std::size_t> rows;
    for (const scenario::FaultKindInfo& info : scenario::fault_kinds()) {
        text << "[[fault]]\nkind = \"" << info.name << "\"\nat = \"10ms\"\nuntil = \"30ms\"\n"
             << info.example.substr(0, info.example.find(' ', info.example.find("= ") + 2)) << '\n';
        rows[info.name] = 1;
        if (info.place == scenario::FaultPlace::Links) {
            text << "from = \"agg-*\"\nto = \"core-*\"\ncount = 2\n";
            rows[info.name] = 2;
        } else {
            text << "node = \"" << (info.place == scenario::FaultPlace::Hosts ? "host-1-0-0" : "agg-2-0")
                 << "\"\n";
        }
    }
    text.close();
    const Outcome outcome = run_program({dyetrace(), "run", file, "-o", folder.file("run.db")});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    const store::RunReader run(folder.file("run.db"));
    const auto nodes = run.nodes();
    std::map<std::string, std::size_t> recorded;
    for (const store::TruthFaultRow& row : store::TruthReader(run).faults()) {
        ++recorded[row.kind];
        const bool is_node = row.from_node == row.to_node;
        const std::string& name = nodes[static_cast<std::size_t>(row.from_node)].name;
        EXPECT_TRUE(is_node || name.starts_with("agg-")) << row.kind << ' ' << name;
    }
    EXPECT_EQ(recorded, rows);
}

TEST(FaultKinds, BothGradesGiveTheSameMeasuredTables) {
    const TestFolder folder;
    std::vector<std::vector<store::PathRecordRow>> tables;
    for (const char* grade : {"lean", "stock"}) {
        const std::string database = folder.file(std::string(grade) + ".db");
        ASSERT_EQ(run_of("gray-link.toml", database,
                         {"fabric.k=4", "run.duration=150ms", "fault.0.from=agg-0-1", "fault.0.to=core-2",
                          "fault.0.at=20ms", std::string("fabric.grade=") + grade})
                      .exit,
                  0);
        const store::RunReader run(database);
        std::vector<store::PathRecordRow>& records = tables.emplace_back();
        for (const auto& session : run.sessions()) {
            const auto of_session = run.path_records(session.id);
            records.insert(records.end(), of_session.begin(), of_session.end());
        }
    }
    EXPECT_GT(tables[0].size(), 50U);
    EXPECT_EQ(tables[0], tables[1]);
}

}  // namespace
}  // namespace dyetrace::runner
