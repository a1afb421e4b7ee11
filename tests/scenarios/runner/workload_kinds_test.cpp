// SPDX-License-Identifier: GPL-2.0-or-later
// Runs with workloads of every kind: that each sends, what an incast does to queues, and several at once.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "analysis/store/truth_reader.h"
#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

/// A run of a shipped scenario, and what its hosts counted together.
class WorkloadRun {
  public:
    WorkloadRun(const std::string& scenario, const std::vector<std::string>& sets) {
        const Outcome outcome = run_of(scenario, folder_.file("run.db"), sets);
        EXPECT_EQ(outcome.exit, 0) << outcome.err;
        const store::RunReader run(folder_.file("run.db"));
        for (const auto& row : run.counters())
            counters_[row.name] += row.value;
        const auto nodes = run.nodes();
        for (const auto& row : store::TruthReader(run).drops()) {
            if (row.data_packets == 0) continue;  // path traces end on purpose
            lost_ += row.data_packets;
            lost_at_.insert(nodes[static_cast<std::size_t>(row.to_node)].kind);
            lost_to_.insert(nodes[static_cast<std::size_t>(row.to_node)].name);
            causes_.insert(row.cause);
        }
    }
    [[nodiscard]] std::uint64_t sent() const { return counters_.at("encapsulated"); }
    [[nodiscard]] const std::map<std::string, std::uint64_t>& counters() const { return counters_; }
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    [[nodiscard]] const std::set<std::string>& lost_at() const { return lost_at_; }  ///< kinds of nodes
    [[nodiscard]] const std::set<std::string>& lost_to() const { return lost_to_; }  ///< their names
    [[nodiscard]] const std::set<std::string>& causes() const { return causes_; }

  private:
    TestFolder folder_;
    std::map<std::string, std::uint64_t> counters_;
    std::uint64_t lost_ = 0;
    std::set<std::string> lost_at_;
    std::set<std::string> lost_to_;
    std::set<std::string> causes_;
};

TEST(WorkloadKinds, AnIncastOverflowsTheQueuesOfItsReceiversAndNoOther) {
    const WorkloadRun run("incast.toml", {});
    EXPECT_GT(run.lost(), 100U);
    EXPECT_EQ(run.causes(), std::set<std::string>{"queue"});
    EXPECT_EQ(run.lost_at(), std::set<std::string>{"host"});
    EXPECT_GT(run.lost_to().size(), 3U) << "each round has another";
}

TEST(WorkloadKinds, AnIncastThatComesBitByBitLosesNothing) {
    const WorkloadRun run("incast.toml", {"workload.1.jitter=4ms", "workload.1.flow_rate=50Mbps"});
    EXPECT_EQ(run.lost(), 0U);
}

TEST(WorkloadKinds, AnIncastMayHaveOneReceiver) {
    const WorkloadRun run("incast.toml", {"workload.1.receiver=host-2-1-0"});
    EXPECT_EQ(run.lost_to(), std::set<std::string>{"host-2-1-0"});
}

TEST(WorkloadKinds, RatesAreKept) {
    // 16 hosts, 200 ms, and frames of 1442 bytes: at 20 Mbps 346.7 each.
    const auto sent = [](const std::string& kind) {
        return static_cast<double>(
            WorkloadRun("quiet.toml", {"workload.kind=" + kind, "workload.rate=20Mbps"}).sent());
    };
    const double expected = 16 * 0.2 * 20e6 / (8 * 1442);
    EXPECT_NEAR(sent("constant"), expected, 16);
    EXPECT_NEAR(sent("poisson"), expected, 4 * 74.5);  // of its standard deviations
    // Half of the time on, in 160 cycles: a relative error of 0.5 * sqrt(2 / 160).
    EXPECT_NEAR(sent("on-off"), expected / 2, 4 * 0.056 * expected / 2);
}

TEST(WorkloadKinds, SeveralSendAtOnceAndNeitherDisturbsTheOther) {
    const std::vector<std::string> steady{"workload.0.kind=constant", "workload.0.stop=350ms"};
    auto both = steady;
    both.emplace_back("workload.1.interval=50ms");
    auto neither = steady;
    neither.emplace_back("workload.1.start=399.9ms");  // after its stop would be an error
    neither.emplace_back("workload.1.stop=400ms");
    // Eight rounds up to 380 ms of 12 responses in 18 packets; the one at 399.9 ms counts too.
    EXPECT_EQ(WorkloadRun("incast.toml", both).sent(),
              WorkloadRun("incast.toml", neither).sent() + 7 * 12 * 18);
}

TEST(WorkloadKinds, WithOneSeedEveryKindDoesTheSameAgain) {
    for (const char* kind : {"constant", "poisson", "on-off", "incast"}) {
        const std::vector<std::string> sets{std::string("workload.kind=") + kind, "workload.start=1ms"};
        EXPECT_EQ(WorkloadRun("quiet.toml", sets).counters(), WorkloadRun("quiet.toml", sets).counters())
            << kind;
    }
}

}  // namespace
}  // namespace dyetrace::runner
