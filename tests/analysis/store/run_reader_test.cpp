// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/run_reader.h"

#include <csignal>
#include <random>
#include <string>

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/store/error.h"
#include "analysis/store/run_writer.h"
#include "analysis/store/table_reader.h"
#include "analysis/store/truth_reader.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::store {
namespace {

using ::testing::AllOf;
using testing::file_bytes;
using ::testing::HasSubstr;
using testing::TestFolder;
using testing::write_bytes;

/// What opening says; "" where it opens.
std::string complaint(const std::filesystem::path& path) {
    try {
        RunReader{path};
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

/// Runs statements on a copy of a sample run.
std::filesystem::path doctored(const TestFolder& folder, const std::string& sql) {
    const auto path = folder.file("run.db");
    testing::write_sample_run(path);
    SQLite::Database(path.string(), SQLite::OPEN_READWRITE).exec(sql);
    return path;
}

TEST(RunReader, AFileThatIsNotThereIsNamed) {
    EXPECT_EQ(complaint("/no/such/run.db"), "/no/such/run.db does not exist");
}

TEST(RunReader, AFolderIsNotARun) {
    const TestFolder folder;
    EXPECT_THAT(complaint(folder.path()), HasSubstr("is a folder"));
}

TEST(RunReader, AnEmptyFileIsNotARun) {
    const TestFolder folder;
    write_bytes(folder.file("run.db"), "");
    EXPECT_THAT(complaint(folder.file("run.db")), HasSubstr("run.db is empty"));
}

TEST(RunReader, ATextFileIsNotADatabase) {
    const TestFolder folder;
    write_bytes(folder.file("run.db"), "[fabric]\nkind = \"fat-tree\"\n");
    EXPECT_THAT(complaint(folder.file("run.db")), HasSubstr("run.db is not an SQLite database"));
}

TEST(RunReader, AnotherProgramsDatabaseIsNotARun) {
    const TestFolder folder;
    const auto path = folder.file("other.db");
    SQLite::Database(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE bookmarks (url TEXT)");
    EXPECT_THAT(complaint(path), HasSubstr("not a run of dyetrace"));
}

TEST(RunReader, ANewerVersionIsRefusedByItsNumber) {
    const TestFolder folder;
    EXPECT_THAT(complaint(doctored(folder, "PRAGMA user_version = 3")),
                AllOf(HasSubstr("schema version 3"), HasSubstr("up to version 2")));
}

TEST(RunReader, ARunOfBeforeTenantsIsReadAsOneWithout) {
    const TestFolder folder;
    std::string older = "PRAGMA user_version = 1;";
    for (const Table& one : tables()) {
        if (one.since > 1) older = "DROP TABLE " + std::string(one.name) + ";" + older;
    }
    const auto path = doctored(folder, older);
    EXPECT_EQ(complaint(path), "");
    EXPECT_TRUE(RunReader(path).tenants().empty());
    EXPECT_GT(RunReader(path).last_time_ns(), 0);
}

TEST(RunReader, AMissingTableIsNamed) {
    const TestFolder folder;
    EXPECT_THAT(complaint(doctored(folder, "DROP TABLE suspects")), HasSubstr("has no table suspects"));
}

TEST(RunReader, AMissingColumnIsNamed) {
    const TestFolder folder;
    EXPECT_THAT(complaint(doctored(folder, "ALTER TABLE counters RENAME COLUMN value TO amount")),
                HasSubstr("table counters has no column value"));
}

TEST(RunReader, ATruncatedFileIsSaidToBeTruncatedWhereverItIsCut) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("whole.db"));
    const std::string bytes = file_bytes(folder.file("whole.db"));
    const auto path = folder.file("cut.db");
    for (const std::size_t size :
         {std::size_t{16}, std::size_t{99}, std::size_t{100}, std::size_t{512}, std::size_t{4095},
          std::size_t{4096}, std::size_t{4097}, std::size_t{20'000}, bytes.size() / 2, bytes.size() - 4096,
          bytes.size() - 1}) {
        write_bytes(path, bytes.substr(0, size));
        EXPECT_THAT(complaint(path), AllOf(HasSubstr("cut.db"), HasSubstr("truncated"))) << size << " bytes";
    }
    write_bytes(path, bytes.substr(0, 15));
    EXPECT_THAT(complaint(path), HasSubstr("not an SQLite database"));
    write_bytes(path, bytes);
    EXPECT_EQ(complaint(path), "");
}

/// Reads everything there is; throws `Error` where something is damaged.
void read_all(const std::filesystem::path& path) {
    const RunReader run(path);
    (void)run.provenance();
    (void)run.paths();
    (void)run.final_suspects();
    (void)run.last_path_records();
    (void)run.last_time_ns();
    for (const Table& source : tables())
        TableReader(run).for_each_row(source, [](auto) {});
    (void)run.updates();
    (void)TruthReader(run).paths();
}

TEST(RunReader, DamagedBytesGiveAnErrorThatNamesTheFileOrAreNotNoticed) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("whole.db"), {.duration_ns = 100'000'000});
    const std::string bytes = file_bytes(folder.file("whole.db"));
    const auto path = folder.file("damaged.db");
    std::mt19937 random(20'260'101);
    for (int round = 0; round < 150; ++round) {
        std::string damaged = bytes;
        for (int i = 0; i < 40; ++i)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        write_bytes(path, damaged);
        try {
            read_all(path);
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("damaged.db")) << "round " << round;
        }
    }
}

TEST(RunReader, AnInterruptedRunOpensAndSaysSo) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"), {.finish = false});
    const RunReader run(folder.file("run.db"));
    EXPECT_FALSE(run.complete());
    EXPECT_EQ(run.provenance("complete"), "0");
    EXPECT_FALSE(run.paths().empty());
}

/// Leaves a half-done transaction in the file, as a writer does that dies where no write-ahead log is
/// possible.
void die_in_a_transaction(const std::filesystem::path& path) {
    const pid_t child = fork();
    if (child == 0) {
        SQLite::Database db(path.string(), SQLite::OPEN_READWRITE);
        db.exec("PRAGMA cache_size = 2; PRAGMA cache_spill = 2; BEGIN; UPDATE path_records SET sent = 0");
        kill(getpid(), SIGKILL);
    }
    waitpid(child, nullptr, 0);
}

TEST(RunReader, AJournalLeftBehindIsRolledBack) {
    const TestFolder folder;
    const auto path = folder.file("run.db");
    testing::write_sample_run(path);
    const std::uint64_t before = RunReader(path).path_records(2).back().sent;
    die_in_a_transaction(path);
    ASSERT_TRUE(std::filesystem::exists(folder.file("run.db-journal")));
    const RunReader run(path);
    EXPECT_EQ(run.path_records(2).back().sent, before);
    EXPECT_FALSE(std::filesystem::exists(folder.file("run.db-journal")));
}

TEST(RunReader, ReadingLeavesTheFileAsItWas) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"));
    const std::string before = file_bytes(folder.file("run.db"));
    read_all(folder.file("run.db"));
    EXPECT_EQ(file_bytes(folder.file("run.db")), before);
}

TEST(RunReader, FinalSuspectsAreThoseOfTheLastInferenceOfConfirmedIncidents) {
    const TestFolder folder;
    const RunReader run(
        doctored(folder,
                 "INSERT INTO incidents VALUES (9, 1, 2, 'refuted', 's', 'r');"
                 "INSERT INTO suspects VALUES (90, 9, 5, 1, 'link', 1, 2, NULL, 99.0, NULL, 0.5)"));
    const auto suspects = run.final_suspects();
    ASSERT_EQ(suspects.size(), 1U);
    EXPECT_EQ(suspects.front().t_ns, testing::sample_confirmed_ns);
    EXPECT_EQ(run.suspects().size(), 3U);
}

TEST(RunReader, LastRecordsAreOneOfEachPath) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"));
    const RunReader run(folder.file("run.db"));
    const auto last = run.last_path_records();
    EXPECT_EQ(last.size(), run.paths().size());
    for (const auto& record : last)
        EXPECT_GE(record.t_ns, 1'000'000'000);
}

TEST(RunReader, TheLastRecordIsTheOneMeasuredLastEvenIfAnOlderOneCameLater) {
    const TestFolder folder;
    auto run = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
    run.add_node({.name = "a", .kind = "host"});
    const RowId session = run.add_session({});
    run.add_path_record({.session = session, .t_ns = 1, .sent = 10});
    run.add_path_record({.session = session, .t_ns = 3, .sent = 30});
    run.add_path_record({.session = session, .t_ns = 2, .sent = 20});
    run.finish();
    const auto last = RunReader(folder.file("run.db")).last_path_records();
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last.front().sent, 30U);
}

TEST(RunReader, RecordsOfASliceOfTimeAreThoseAndNoOthers) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"));
    const RunReader run(folder.file("run.db"));
    std::size_t expected = 0;
    run.for_each_path_record([&](const PathRecordRow& record) {
        if (record.t_ns >= 100'000'000 && record.t_ns < 200'000'000) ++expected;
    });
    EXPECT_EQ(run.path_records_between(100'000'000, 200'000'000).size(), expected);
    EXPECT_GT(expected, 0U);
}

TEST(RunReader, UpdatesAreSummedUp) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"));
    const RunReader run(folder.file("run.db"));
    const auto summary = run.update_summary();
    EXPECT_EQ(summary.count, run.updates().size());
    EXPECT_EQ(summary.first_ns, 20'000'000);
    EXPECT_EQ(summary.last_ns, run.last_time_ns());
}

}  // namespace
}  // namespace dyetrace::store
