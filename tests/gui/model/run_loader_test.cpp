// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/run_loader.h"

#include <QCoreApplication>
#include <QSignalSpy>
#include <QThread>

#include <gtest/gtest.h>

#include "tests/analysis/sample_run.h"

namespace dyetrace::viewer {
namespace {

constexpr int patience_ms = 20'000;

class RunLoaderTest : public ::testing::Test {
  protected:
    QString sample(const std::string& name) {
        dyetrace::testing::write_sample_run(folder_.file(name), {.duration_ns = 200'000'000});
        return QString::fromStdString(folder_.file(name).string());
    }

    int argc_ = 1;
    char name_[5] = "test";
    char* argv_[2] = {name_, nullptr};
    QCoreApplication application_{argc_, argv_};
    dyetrace::testing::TestFolder folder_;
};

TEST_F(RunLoaderTest, LoadsInAnotherThreadAndTellsInThisOne) {
    RunLoader loader;
    QSignalSpy loaded(&loader, &RunLoader::loaded);
    QThread* told_in = nullptr;
    QObject::connect(&loader, &RunLoader::loaded, &loader, [&] { told_in = QThread::currentThread(); });
    loader.load(sample("a.db"));
    EXPECT_TRUE(loader.loading());
    EXPECT_EQ(loaded.size(), 0);
    ASSERT_TRUE(loaded.wait(patience_ms));
    EXPECT_EQ(told_in, QThread::currentThread());
    EXPECT_FALSE(loader.loading());
}

TEST_F(RunLoaderTest, AStaleResultIsDropped) {
    const QString first = sample("first.db");
    const QString second = sample("second.db");
    RunLoader loader;
    std::vector<QString> shown;
    QObject::connect(&loader, &RunLoader::loaded, &loader,
                     [&](const SnapshotPtr& run) { shown.push_back(run->file); });
    QSignalSpy loaded(&loader, &RunLoader::loaded);
    loader.load(first);
    loader.load(second);
    ASSERT_TRUE(loaded.wait(patience_ms));
    QCoreApplication::processEvents();
    ASSERT_EQ(shown.size(), 1U);
    EXPECT_EQ(shown[0], second);
}

TEST_F(RunLoaderTest, SaysWhyAFileCannotBeRead) {
    const auto file = folder_.file("foreign.db");
    dyetrace::testing::write_bytes(file, "not a database");
    RunLoader loader;
    QSignalSpy failed(&loader, &RunLoader::failed);
    loader.load(QString::fromStdString(file.string()));
    ASSERT_TRUE(failed.wait(patience_ms));
    EXPECT_TRUE(failed[0][1].toString().contains("foreign.db"));
}

TEST_F(RunLoaderTest, MayBeDestroyedWhileItLoads) {
    RunLoader loader;
    loader.load(sample("a.db"));
}

}  // namespace
}  // namespace dyetrace::viewer
