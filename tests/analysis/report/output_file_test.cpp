// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/output_file.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/error.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::report {
namespace {

using testing::file_bytes;
using ::testing::HasSubstr;
using testing::TestFolder;

TEST(OutputFile, IsThereOnlyOnceItIsWhole) {
    const TestFolder folder;
    OutputFile file(folder.file("out"));
    file.write("all of it");
    EXPECT_FALSE(std::filesystem::exists(folder.file("out")));
    file.commit();
    EXPECT_EQ(file_bytes(folder.file("out")), "all of it");
}

TEST(OutputFile, LeavesWhatWasThereWhereItIsNotCommitted) {
    const TestFolder folder;
    testing::write_bytes(folder.file("out"), "before");
    { OutputFile(folder.file("out")).write("after"); }
    EXPECT_EQ(file_bytes(folder.file("out")), "before");
    EXPECT_FALSE(std::filesystem::exists(folder.file("out.part")));
}

TEST(OutputFile, TakesNoNameThatAnotherFileHas) {
    const TestFolder folder;
    testing::write_bytes(folder.file("out.part"), "mine");
    OutputFile first(folder.file("out")), second(folder.file("out"));
    first.write("first");
    second.write("second");
    first.commit();
    second.commit();
    EXPECT_EQ(file_bytes(folder.file("out")), "second");
    EXPECT_EQ(file_bytes(folder.file("out.part")), "mine");
}

TEST(OutputFile, SaysWhyItCannotBeWritten) {
    const TestFolder folder;
    try {
        OutputFile(folder.file("no/such/out"));
        FAIL();
    } catch (const store::CannotWrite& error) {
        EXPECT_THAT(error.what(), HasSubstr("out cannot be created: No such file"));
    }
}

}  // namespace
}  // namespace dyetrace::report
