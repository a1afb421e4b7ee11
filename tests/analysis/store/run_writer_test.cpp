// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/run_writer.h"

#include <chrono>
#include <csignal>
#include <limits>
#include <optional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/store/error.h"
#include "analysis/store/run_reader.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::store {
namespace {

using testing::file_bytes;
using ::testing::HasSubstr;
using testing::TestFolder;

template <class ErrorType, class Action>
std::string message_of(Action action) {
    try {
        action();
    } catch (const ErrorType& error) {
        return error.what();
    }
    return "(nothing was thrown)";
}

TEST(RunWriter, AFinishedRunIsCompleteAndOneFile) {
    const TestFolder folder;
    RunWriter run = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
    run.add_node({.name = "host-a", .kind = "host"});
    run.finish();
    EXPECT_TRUE(RunReader(folder.file("run.db")).complete());
    EXPECT_FALSE(std::filesystem::exists(folder.file("run.db-wal")));
    EXPECT_FALSE(std::filesystem::exists(folder.file("run.db-journal")));
}

TEST(RunWriter, AnExistingFileIsNotTouchedWithoutForce) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"));
    const std::string before = file_bytes(folder.file("run.db"));
    EXPECT_THAT(
        message_of<OutputExists>([&] { RunWriter::create(folder.file("run.db"), Overwrite::Refuse); }),
        HasSubstr("run.db exists already"));
    EXPECT_EQ(file_bytes(folder.file("run.db")), before);
}

TEST(RunWriter, ForceReplacesARun) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"));
    RunWriter::create(folder.file("run.db"), Overwrite::Replace).finish();
    EXPECT_TRUE(RunReader(folder.file("run.db")).nodes().empty());
}

TEST(RunWriter, ForceReplacesATruncatedRun) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"));
    testing::write_bytes(folder.file("run.db"), file_bytes(folder.file("run.db")).substr(0, 5000));
    RunWriter::create(folder.file("run.db"), Overwrite::Replace).finish();
    EXPECT_TRUE(RunReader(folder.file("run.db")).complete());
}

TEST(RunWriter, ForceDoesNotReplaceWhatIsNotARun) {
    const TestFolder folder;
    testing::write_bytes(folder.file("scenario.toml"), "[fabric]\n");
    EXPECT_THAT(message_of<OutputExists>(
                    [&] { RunWriter::create(folder.file("scenario.toml"), Overwrite::Replace); }),
                HasSubstr("not a run of dyetrace"));
    EXPECT_EQ(file_bytes(folder.file("scenario.toml")), "[fabric]\n");
    EXPECT_THROW(RunWriter::create(folder.path(), Overwrite::Replace), OutputExists);
}

TEST(RunWriter, ForceDoesNotReplaceALink) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"));
    std::filesystem::create_symlink(folder.file("run.db"), folder.file("link"));
    EXPECT_THAT(message_of<NotReplaced>([&] { RunWriter::create(folder.file("link"), Overwrite::Replace); }),
                HasSubstr("link is a symbolic link"));
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
}

TEST(RunWriter, ForceDoesNotReplaceARunThatIsBeingWritten) {
    const TestFolder folder;
    RunWriter running = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
    running.add_node({.name = "host-a", .kind = "host"});
    EXPECT_THAT(
        message_of<OutputExists>([&] { RunWriter::create(folder.file("run.db"), Overwrite::Replace); }),
        HasSubstr("being written"));
    running.finish();
    EXPECT_EQ(RunReader(folder.file("run.db")).nodes().size(), 1U);
}

TEST(RunWriter, AMissingFolderIsNamed) {
    const TestFolder folder;
    EXPECT_THAT(
        message_of<CannotWrite>([&] { RunWriter::create(folder.file("no/such/run.db"), Overwrite::Refuse); }),
        HasSubstr("no/such/run.db cannot be created: No such file"));
}

TEST(RunWriter, ADestroyedWriterLeavesAllThatWasRecordedMarkedIncomplete) {
    const TestFolder folder;
    try {
        RunWriter run = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
        run.add_node({.name = "host-a", .kind = "host"});
        run.add_counter({.engine = "fabric", .name = "ttl-exceeded", .value = 7});
        throw std::runtime_error("interrupted");
    } catch (const std::runtime_error&) {
    }
    const RunReader run(folder.file("run.db"));
    EXPECT_FALSE(run.complete());
    EXPECT_EQ(run.nodes().size(), 1U);
    EXPECT_EQ(run.counters().size(), 1U);
}

/// Records one path record after the other until somebody kills it.
[[noreturn]] void record_forever(const std::filesystem::path& path) {
    RunWriter run = RunWriter::create(path, Overwrite::Refuse);
    run.add_node({.name = "host-a", .kind = "host"});
    run.add_node({.name = "host-b", .kind = "host"});
    const RowId session = run.add_session({.requester_node = 0, .acceptor_node = 1, .state = "active"});
    run.commit();
    for (std::uint64_t i = 1;; ++i) {
        run.add_path_record(
            {.session = session, .t_ns = static_cast<std::int64_t>(i), .sent = 10 * i, .received = 9 * i});
    }
}

std::size_t records_in(const std::filesystem::path& path) {
    try {
        std::size_t count = 0;
        RunReader(path).for_each_path_record([&](const PathRecordRow&) { ++count; });
        return count;
    } catch (const Error&) {
        return 0;  // not there yet
    }
}

TEST(RunWriter, AKilledWriterLeavesAWholeBeginning) {
    const TestFolder folder;
    const auto path = folder.file("run.db");
    const pid_t writer = fork();
    ASSERT_GE(writer, 0);
    if (writer == 0) record_forever(path);
    while (records_in(path) == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);

    const RunReader run(path);
    EXPECT_FALSE(run.complete());
    EXPECT_EQ(run.sessions().size(), 1U);
    std::uint64_t expected = 0;
    run.for_each_path_record([&](const PathRecordRow& record) {
        ++expected;
        ASSERT_EQ(record.id, static_cast<RowId>(expected));
        ASSERT_EQ(record.sent, 10 * expected);
        ASSERT_EQ(record.received, 9 * expected);
    });
    EXPECT_GT(expected, 0U);
}

TEST(RunWriter, TheRunOfAKilledWriterCanBeReplaced) {
    const TestFolder folder;
    const auto path = folder.file("run.db");
    const pid_t writer = fork();
    ASSERT_GE(writer, 0);
    if (writer == 0) record_forever(path);
    while (records_in(path) == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);

    RunWriter::create(path, Overwrite::Replace).finish();
    EXPECT_TRUE(RunReader(path).complete());
    EXPECT_EQ(records_in(path), 0U);
}

TEST(RunWriter, AReaderSeesOneMomentOfARunThatGoesOn) {
    const TestFolder folder;
    RunWriter writer = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
    writer.add_node({.name = "host-a", .kind = "host"});
    writer.commit();
    const RunReader reader(folder.file("run.db"));
    writer.add_node({.name = "host-b", .kind = "host"});
    writer.commit();
    EXPECT_EQ(reader.nodes().size(), 1U);
    EXPECT_EQ(RunReader(folder.file("run.db")).nodes().size(), 2U);
}

TEST(RunWriter, AReaderDoesNotHinderTheEnd) {
    const TestFolder folder;
    RunWriter writer = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
    writer.commit();
    const RunReader reader(folder.file("run.db"));
    writer.add_node({.name = "host-a", .kind = "host"});
    writer.finish();
    EXPECT_TRUE(RunReader(folder.file("run.db")).complete());
}

TEST(RunWriter, AnUpdateReplacesTheRowAndItsHops) {
    const TestFolder folder;
    RunWriter writer = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
    for (const char* name : {"a", "b", "c"})
        writer.add_node({.name = name, .kind = "host"});
    SessionRow session{.requester_node = 0, .acceptor_node = 1, .state = "requested"};
    session.id = writer.add_session(session);
    session.state = "active";
    session.active_ns = 5;
    writer.update_session(session);
    PathRow path{.session = session.id, .hops = {0, 1}};
    path.id = writer.add_path(path);
    path.complete = true;
    path.hops = {0, 2, 1};
    writer.update_path(path);
    writer.finish();
    const RunReader run(folder.file("run.db"));
    EXPECT_EQ(run.sessions(), std::vector{session});
    EXPECT_EQ(run.paths(), std::vector{path});
}

TEST(RunWriter, MistakesOfTheCallerAreNamed) {
    const TestFolder folder;
    RunWriter writer = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
    EXPECT_THAT(message_of<Error>([&] { writer.update_session({.id = 5}); }),
                HasSubstr("sessions has no row 5"));
    EXPECT_THAT(message_of<Error>([&] { writer.add_link({.from_node = 8, .to_node = 9}); }),
                HasSubstr("FOREIGN KEY"));
    EXPECT_THAT(message_of<Error>([&] {
                    writer.add_counter(
                        {.engine = "eppc", .name = "x", .value = std::numeric_limits<std::uint64_t>::max()});
                }),
                HasSubstr("does not fit"));
    EXPECT_THAT(message_of<Error>([&] { writer.set_provenance("complete", "1"); }), HasSubstr("finish()"));
    writer.finish();
    EXPECT_THAT(message_of<Error>([&] { writer.add_node({.name = "late"}); }), HasSubstr("finished"));
}

TEST(RunWriter, ProvenanceIsReplacedByTheLatestValue) {
    const TestFolder folder;
    RunWriter writer = RunWriter::create(folder.file("run.db"), Overwrite::Refuse);
    writer.set_provenance("seed", "1");
    writer.set_provenance("seed", "2");
    writer.finish();
    const RunReader run(folder.file("run.db"));
    EXPECT_EQ(run.provenance("seed"), "2");
    EXPECT_EQ(run.provenance("nothing"), std::nullopt);
}

}  // namespace
}  // namespace dyetrace::store
