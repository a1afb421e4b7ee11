// SPDX-License-Identifier: GPL-2.0-or-later
// `dyetrace run` from the outside: what it records, against the truth, twice, and interrupted.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/store/error.h"
#include "analysis/store/run_reader.h"
#include "analysis/store/truth_reader.h"
#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

namespace fs = std::filesystem;

/// A 4-ary fat-tree that is overloaded now and then and has a gray link: queue drops and silent drops both.
std::vector<std::string> stormy_run(const std::string& database, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{dyetrace(), "run", scenario("gray-link.toml"), "-o", database};
    for (const char* set :
         {"fabric.k=4", "run.duration=400ms", "workload.load=0.4", "workload.flow_rate=250Mbps",
          "fault.0.from=agg-0-1", "fault.0.to=core-2", "fault.0.at=100ms"}) {
        words.insert(words.end(), {"--set", set});
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

/// Loss of one (session, path): all its intervals together.
using PathKey = std::tuple<store::RowId, store::RowId, std::uint32_t, std::uint16_t, std::uint8_t>;
struct Loss {
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    bool operator==(const Loss&) const = default;
};

std::map<PathKey, Loss> measured(const store::RunReader& run) {
    std::map<PathKey, Loss> losses;
    for (const auto& session : run.sessions()) {
        for (const auto& record : run.path_records(session.id)) {  // by time: the last one stands
            losses[{session.requester_node, session.acceptor_node, session.session_id, record.path_index,
                    record.generation}] = {record.sent, record.sent - record.received};
        }
    }
    return losses;
}

std::map<PathKey, Loss> truth(const store::TruthReader& run) {
    std::map<PathKey, Loss> losses;
    for (const auto& row : run.paths()) {
        Loss& loss =
            losses[{row.requester_node, row.acceptor_node, row.session_id, row.path_index, row.generation}];
        loss.sent += row.sent;
        loss.lost += row.lost;
    }
    return losses;
}

TEST(Run, LossByCountsEqualsTruthPacketForPacketOnEveryPath) {
    const TestFolder folder;
    const Outcome outcome = run_program(stormy_run(folder.file("run.db")));
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    const store::RunReader run(folder.file("run.db"));
    const auto real = truth(store::TruthReader(run));
    std::uint64_t lost = 0;
    for (const auto& [path, loss] : real)
        lost += loss.lost;
    ASSERT_GT(real.size(), 100U);
    ASSERT_GT(lost, 100U) << "a run without loss proves nothing";
    EXPECT_EQ(measured(run), real);
}

TEST(Run, TheMeasuredLossHasBothCauses) {
    const TestFolder folder;
    ASSERT_EQ(run_program(stormy_run(folder.file("run.db"))).exit, 0);
    std::map<std::string, std::uint64_t> drops;
    const store::RunReader run(folder.file("run.db"));
    for (const auto& row : store::TruthReader(run).drops())
        drops[row.cause] += row.data_packets;
    EXPECT_GT(drops["queue"], 0U);
    EXPECT_GT(drops["fault"], 0U);
}

std::map<std::string, std::string> exported(const TestFolder& folder, const std::string& name) {
    const std::string directory = folder.file(name);
    const Outcome outcome =
        run_program({dyetrace(), "export", folder.file(name + ".db"), "--format", "csv", "-o", directory});
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(directory)) {
        std::ifstream in(entry.path(), std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        files[entry.path().filename()] = text.str();
    }
    files.erase("provenance.csv");
    return files;
}

TEST(Run, TheSameSeedGivesTheSameTables) {
    const TestFolder folder;
    ASSERT_EQ(run_program(stormy_run(folder.file("one.db"))).exit, 0);
    ASSERT_EQ(run_program(stormy_run(folder.file("other.db"))).exit, 0);
    const auto one = exported(folder, "one");
    EXPECT_GT(one.size(), 8U);
    EXPECT_EQ(one, exported(folder, "other"));
}

TEST(Run, AnotherRunOfTheSameSeedDiffers) {
    const TestFolder folder;
    ASSERT_EQ(run_program(stormy_run(folder.file("one.db"))).exit, 0);
    ASSERT_EQ(run_program(stormy_run(folder.file("other.db"), {"--run", "2"})).exit, 0);
    EXPECT_NE(exported(folder, "one").at("path_records.csv"),
              exported(folder, "other").at("path_records.csv"));
}

TEST(Run, NeverOverwritesUnlessForced) {
    const TestFolder folder;
    const std::string database = folder.file("run.db");
    const std::vector<std::string> brief{"--set", "run.duration=150ms"};
    ASSERT_EQ(run_program(stormy_run(database, brief)).exit, 0);
    const auto written = fs::last_write_time(database);
    const Outcome refused = run_program(stormy_run(database, brief));
    EXPECT_EQ(refused.exit, 1);
    EXPECT_NE(refused.err.find("--force"), std::string::npos) << refused.err;
    EXPECT_EQ(fs::last_write_time(database), written);
    EXPECT_EQ(run_program(stormy_run(database, {"--set", "run.duration=150ms", "--force"})).exit, 0);
}

TEST(Run, OverwritesNoCaptureUnlessForced) {
    const TestFolder folder;
    const std::string database = folder.file("run.db"), capture = folder.file("pcap/agg-0-1_core-2.pcap");
    const std::vector<std::string> brief{"--set", "run.duration=150ms", "--pcap", folder.file("pcap")};
    std::vector<std::string> forced = brief;
    forced.emplace_back("--force");
    ASSERT_EQ(run_program(stormy_run(database, brief)).exit, 0);
    const auto written = fs::last_write_time(capture), recorded = fs::last_write_time(database);
    const Outcome refused = run_program(stormy_run(folder.file("other.db"), brief));
    EXPECT_EQ(refused.exit, 1);
    EXPECT_NE(refused.err.find(".pcap exists already"), std::string::npos) << refused.err;
    EXPECT_EQ(fs::last_write_time(capture), written);
    EXPECT_FALSE(fs::exists(folder.file("other.db")));
    EXPECT_EQ(run_program(stormy_run(database, forced)).exit, 0);
    EXPECT_NE(fs::last_write_time(capture), written);
    std::ofstream(capture, std::ios::trunc) << "mine";
    const Outcome foreign = run_program(stormy_run(database, forced));
    EXPECT_EQ(foreign.exit, 1);
    EXPECT_NE(foreign.err.find("is not a capture"), std::string::npos) << foreign.err;
    EXPECT_NE(fs::last_write_time(database), recorded);
    EXPECT_TRUE(store::RunReader(database).complete());
}

TEST(Run, KeepsTheRunThatWasThereWhereCapturesCannotBeWritten) {
    const TestFolder folder;
    const std::string database = folder.file("run.db");
    ASSERT_EQ(run_program(stormy_run(database, {"--set", "run.duration=150ms"})).exit, 0);
    const auto written = fs::last_write_time(database);
    const Outcome refused =
        run_program(stormy_run(database, {"--force", "--pcap", folder.file("run.db") + "/captures"}));
    EXPECT_EQ(refused.exit, 1);
    EXPECT_NE(refused.err.find("run.db is not a folder"), std::string::npos) << refused.err;
    EXPECT_EQ(fs::last_write_time(database), written);
    EXPECT_TRUE(store::RunReader(database).complete());
}

TEST(Run, TakesSeedAndRunInDecimalDigitsAndNamesTheRange) {
    const TestFolder folder;
    const std::vector<std::string> brief{"--set", "run.duration=110ms"};
    const auto with = [&](const char* option, const std::string& value) {
        std::vector<std::string> more = brief;
        more.insert(more.end(), {option, value, "--force"});
        return run_program(stormy_run(folder.file("run.db"), more));
    };
    const std::string most = "9223372036854775807";
    for (const std::string wrong :
         {"-1", "9223372036854775808", "1e3", "0x10", "", "99999999999999999999999"}) {
        const Outcome refused = with("--seed", wrong);
        EXPECT_EQ(refused.exit, 2) << wrong;
        EXPECT_NE(refused.err.find("--seed: must be 0 to " + most), std::string::npos) << refused.err;
    }
    const Outcome none = with("--run", "0");
    EXPECT_EQ(none.exit, 2);
    EXPECT_NE(none.err.find("--run: must be 1 to " + most), std::string::npos) << none.err;
    for (const auto& [said, meant] :
         std::map<std::string, std::string>{{"0", "0"}, {"010", "10"}, {most, most}}) {
        const Outcome done = with("--seed", said);
        ASSERT_EQ(done.exit, 0) << done.err;
        EXPECT_EQ(store::RunReader(folder.file("run.db")).provenance("seed"), meant);
    }
}

TEST(Run, HasARowForEachMeasuredPathAlsoForOneThatWasNeverLearned) {
    const TestFolder folder;
    // Switches that answer one question a second leave most paths untraced.
    ASSERT_EQ(run_program(stormy_run(folder.file("run.db"), {"--set", "fabric.icmp_rate=1"})).exit, 0);
    const store::RunReader run(folder.file("run.db"));
    std::set<std::tuple<store::RowId, std::uint16_t, std::uint8_t>> measured, rows;
    run.for_each_path_record([&](const store::PathRecordRow& record) {
        measured.insert({record.session, record.path_index, record.generation});
    });
    std::size_t never = 0;
    for (const auto& path : run.paths()) {
        rows.insert({path.session, path.path_index, path.generation});
        if (path.learned_ns) continue;
        ++never;
        EXPECT_FALSE(path.complete);
        EXPECT_TRUE(path.hops.empty());
    }
    EXPECT_GT(never, 50U);
    EXPECT_EQ(rows, measured);
}

TEST(Run, AnInterruptedRunKeepsWhatWasRecordedAndSaysIncomplete) {
    const TestFolder folder;
    const std::string database = folder.file("run.db");
    const Outcome outcome = interrupt_program(stormy_run(database, {"--set", "run.duration=60s"}), 2500);
    EXPECT_EQ(outcome.exit, 130) << outcome.err;
    const store::RunReader run(database);
    EXPECT_FALSE(run.complete());
    EXPECT_FALSE(run.sessions().empty());
    EXPECT_GT(run.update_summary().count, 0U);
    EXPECT_EQ(run_program({dyetrace(), "show", database}).exit, 0);
}

/// Updates that readers of the run see now; none before there is a run.
std::uint64_t updates_in(const std::string& database) {
    try {
        return store::RunReader(database).update_summary().count;
    } catch (const store::Error&) {
        return 0;
    }
}

TEST(Run, AKilledRunShowsWhatWasCommittedAndSaysIncomplete) {
    const TestFolder folder;
    const std::string database = folder.file("run.db");
    std::uint64_t seen = 0;
    const Outcome outcome = kill_program(stormy_run(database, {"--set", "run.duration=600s"}),
                                         [&] { return (seen = updates_in(database)) > 0; });
    ASSERT_EQ(outcome.exit, 128 + SIGKILL) << outcome.err;
    ASSERT_TRUE(fs::exists(database + "-wal")) << "it had come to an end";
    const Outcome text = run_program({dyetrace(), "show", database});
    EXPECT_EQ(text.exit, 0) << text.err;
    EXPECT_NE(text.out.find("INCOMPLETE"), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("agg-0-1 > core-2"), std::string::npos) << text.out;
    const Outcome json = run_program({dyetrace(), "-j", "show", database});
    const auto shown = nlohmann::json::parse(json.out, nullptr, false);
    ASSERT_FALSE(shown.is_discarded()) << json.out << json.err;
    EXPECT_EQ(shown["complete"], false);
    EXPECT_GE(shown["updates"]["count"], seen);
    EXPECT_EQ(shown["sessions"].size(), store::RunReader(database).sessions().size());
    EXPECT_GT(shown["sessions"].size(), 0U);
    for (const char* command : {"locate", "report", "export"}) {
        std::vector<std::string> words{dyetrace(), command, database};
        if (words[1] != "locate") words.insert(words.end(), {"-o", folder.file(command)});
        const Outcome read = run_program(words);
        EXPECT_EQ(read.exit, 0) << command << ": " << read.err;
    }
}

/// What was recorded before 350 ms, in the order in which it was.
std::vector<store::PathRecordRow> early_records(const std::string& database) {
    return store::RunReader(database).path_records_between(0, 350'000'000);
}

TEST(Run, AKilledRunIsTheBeginningOfTheWholeOne) {
    const TestFolder folder;
    ASSERT_EQ(run_program(stormy_run(folder.file("whole.db"))).exit, 0);
    const std::string killed = folder.file("killed.db");
    const Outcome outcome = kill_program(stormy_run(killed, {"--set", "run.duration=600s"}),
                                         [&] { return updates_in(killed) > 0; });
    ASSERT_EQ(outcome.exit, 128 + SIGKILL) << outcome.err;
    const auto recorded = early_records(killed);
    auto beginning = early_records(folder.file("whole.db"));
    ASSERT_GT(recorded.size(), 0U);
    ASSERT_LE(recorded.size(), beginning.size());
    beginning.resize(recorded.size());
    EXPECT_EQ(recorded, beginning);
}

TEST(Run, TellsTheStoryOnATerminalAndAsJson) {
    const TestFolder folder;
    const Outcome text = run_program(stormy_run(folder.file("run.db")));
    EXPECT_NE(text.out.find("fault"), std::string::npos) << text.out;
    EXPECT_NE(text.out.find(folder.file("run.db")), std::string::npos);
    const Outcome json = run_program(stormy_run(folder.file("run.db"), {"--force", "-j"}));
    const auto story = nlohmann::json::parse(json.out, nullptr, false);
    ASSERT_FALSE(story.is_discarded()) << json.out;
    for (const char* key : {"sessions", "detections", "faults", "incidents", "suspects", "updates"}) {
        EXPECT_TRUE(story.contains(key)) << key;
    }
    EXPECT_EQ(story["faults"][0]["from"], "agg-0-1");
    EXPECT_GT(story["updates"]["count"], 0);
}

TEST(Run, TheGuideExplainsWhatItsJsonHasBesideThatOfShow) {
    const TestFolder folder;
    const Outcome run = run_program(stormy_run(
        folder.file("run.db"), {"--set", "run.duration=110ms", "--pcap", folder.file("pcap"), "-j"}));
    const auto story = nlohmann::json::parse(run.out, nullptr, false);
    ASSERT_FALSE(story.is_discarded()) << run.out << run.err;
    EXPECT_EQ(story["database"], folder.file("run.db"));
    ASSERT_FALSE(story["captures"].empty());
    std::ifstream in(DYETRACE_SOURCE_DIR "/docs/commands.md");
    std::ostringstream guide;
    guide << in.rdbuf();
    const std::string text = guide.str();
    EXPECT_NE(text.find("| `database` |"), std::string::npos);
    const std::size_t begin = text.find("| `captures[]` |");
    ASSERT_NE(begin, std::string::npos);
    const std::string row = text.substr(begin, text.find('\n', begin) - begin);
    for (const auto& [key, value] : story["captures"][0].items())
        EXPECT_NE(row.find("`" + key + "`"), std::string::npos) << key;
}

}  // namespace
}  // namespace dyetrace::runner
