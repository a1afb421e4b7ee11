// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/csv.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/error.h"
#include "analysis/store/schema.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::report {
namespace {

using testing::file_bytes;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::TestFolder;

TEST(CsvCell, IsBareWhereNothingSpecialIsInside) {
    EXPECT_EQ(csv_cell("host-0-0-0 > host-1-0-0"), "host-0-0-0 > host-1-0-0");
}

TEST(CsvCell, IsQuotedWhereASeparatorAQuoteOrALineBreakIsInside) {
    EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_cell("say \"no\""), "\"say \"\"no\"\"\"");
    EXPECT_EQ(csv_cell("two\nlines"), "\"two\nlines\"");
    EXPECT_EQ(csv_cell("two\r\nlines"), "\"two\r\nlines\"");
}

TEST(CsvCell, TellsNothingFromAnEmptyText) {
    EXPECT_EQ(csv_cell(std::nullopt), "");
    EXPECT_EQ(csv_cell(""), "\"\"");
}

class CsvExport : public ::testing::Test {
  protected:
    void SetUp() override { testing::write_sample_run(folder_.file("run.db")); }

    std::vector<std::filesystem::path> export_to(const std::string& name, CsvOptions options = {}) const {
        return export_csv(store::RunReader(folder_.file("run.db")), folder_.file(name), options);
    }
    static std::set<std::string> names_in(const std::filesystem::path& folder) {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            names.insert(entry.path().filename());
        return names;
    }

    /// Of a run that breaks while it is read: its last tables are gone.
    void export_broken_to(const std::string& name, CsvOptions options = {}) const {
        const store::RunReader run(folder_.file("run.db"));
        SQLite::Database(folder_.file("run.db").string(), SQLite::OPEN_READWRITE).exec("DROP TABLE counters");
        export_csv(run, folder_.file(name), options);
    }

    TestFolder folder_;
};

TEST_F(CsvExport, WritesEachMeasuredTableAndProvenanceAndNoTruth) {
    export_to("out");
    std::set<std::string> expected;
    for (const auto& table : store::tables()) {
        if (table.kind != store::TableKind::Truth) expected.insert(std::string(table.name) + ".csv");
    }
    EXPECT_EQ(names_in(folder_.file("out")), expected);
}

TEST_F(CsvExport, WritesTruthWhereAskedTo) {
    export_to("out", {.truth = true});
    EXPECT_EQ(names_in(folder_.file("out")).count("truth_faults.csv"), 1U);
}

TEST_F(CsvExport, BeginsWithTheColumnsAndEndsLinesAsTheRfcSays) {
    export_to("out");
    const std::string links = file_bytes(folder_.file("out") / "links.csv");
    EXPECT_THAT(links, StartsWith("id,from_node,to_node,rate_bps,delay_ns\r\n0,0,16,1000000000,1000\r\n"));
    EXPECT_THAT(links, ::testing::EndsWith("\r\n"));
}

TEST_F(CsvExport, OfTheSameRunTwiceIsTheSameBytes) {
    const auto first = export_to("first", {.truth = true});
    const auto second = export_to("second", {.truth = true});
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i)
        EXPECT_EQ(file_bytes(first[i]), file_bytes(second[i])) << first[i];
}

TEST_F(CsvExport, OfTwoEqualRunsIsTheSameBytes) {
    testing::write_sample_run(folder_.file("again.db"));
    const auto first = export_to("first");
    const auto second = export_csv(store::RunReader(folder_.file("again.db")), folder_.file("second"), {});
    for (std::size_t i = 0; i < first.size(); ++i)
        EXPECT_EQ(file_bytes(first[i]), file_bytes(second[i])) << first[i];
}

TEST_F(CsvExport, RefusesAFileThatIsThereBeforeItWritesAny) {
    std::filesystem::create_directory(folder_.file("out"));
    testing::write_bytes(folder_.file("out") / "updates.csv", "mine");
    EXPECT_THROW(export_to("out"), store::OutputExists);
    EXPECT_EQ(names_in(folder_.file("out")), std::set<std::string>{"updates.csv"});
    EXPECT_EQ(file_bytes(folder_.file("out") / "updates.csv"), "mine");
}

TEST_F(CsvExport, ForceReplacesNoFileThatIsOfNoExport) {
    std::filesystem::create_directory(folder_.file("out"));
    testing::write_bytes(folder_.file("out") / "updates.csv", "mine");
    EXPECT_THROW(export_to("out", {.force = true}), store::NotReplaced);
    EXPECT_EQ(names_in(folder_.file("out")), std::set<std::string>{"updates.csv"});
}

TEST_F(CsvExport, ThatFailsLeavesAnEarlierOneAsItWas) {
    const auto before = export_to("out", {.truth = true});
    std::map<std::filesystem::path, std::string> bytes;
    for (const auto& file : before)
        bytes[file] = file_bytes(file);
    EXPECT_THROW(export_broken_to("out", {.force = true}), store::Error);
    EXPECT_EQ(names_in(folder_.file("out")).size(), before.size());
    for (const auto& file : before)
        EXPECT_EQ(file_bytes(file), bytes[file]) << file;
}

TEST_F(CsvExport, ThatFailsLeavesNoFolder) {
    EXPECT_THROW(export_broken_to("new/out"), store::Error);
    EXPECT_FALSE(std::filesystem::exists(folder_.file("new")));
}

TEST_F(CsvExport, ForceReplacesAllOfAnEarlierExportAndNothingElse) {
    export_to("out", {.truth = true});
    testing::write_bytes(folder_.file("out") / "notes.txt", "mine");
    export_to("out", {.force = true});
    EXPECT_EQ(names_in(folder_.file("out")).count("truth_faults.csv"), 0U);
    EXPECT_EQ(file_bytes(folder_.file("out") / "notes.txt"), "mine");
    EXPECT_THAT(file_bytes(folder_.file("out") / "updates.csv"), Not(HasSubstr("mine")));
}

TEST_F(CsvExport, RefusesAFileInPlaceOfTheFolder) {
    testing::write_bytes(folder_.file("out"), "mine");
    EXPECT_THROW(export_to("out", {.force = true}), store::OutputExists);
    EXPECT_EQ(file_bytes(folder_.file("out")), "mine");
}

}  // namespace
}  // namespace dyetrace::report
