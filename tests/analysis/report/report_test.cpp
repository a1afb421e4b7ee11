// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/report.h"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "analysis/report/html.h"
#include "analysis/report/link_table.h"
#include "analysis/report/path_series.h"
#include "analysis/report/plot.h"
#include "analysis/report/totals.h"
#include "analysis/store/error.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TestFolder;

bool has_gnuplot() {
    return std::system("gnuplot --version > /dev/null 2>&1") == 0;
}

store::RunReader sample(const TestFolder& folder, const testing::SampleRun& options = {}) {
    testing::write_sample_run(folder.file("run.db"), options);
    return store::RunReader(folder.file("run.db"));
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
        ++found;
    return found;
}

TEST(Html, TextIsNeverMarkup) {
    EXPECT_EQ(escape("<b> & \"x\" 'y'"), "&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;");
    HtmlTable table({{"<i>"}});
    table.add_row({"<script>"});
    EXPECT_THAT(table.html(),
                AllOf(HasSubstr("&lt;i&gt;"), HasSubstr("&lt;script&gt;"), Not(HasSubstr("<script"))));
}

TEST(Html, NumbersAreGroupedByThreeDigits) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(Plot, NamesCannotLeaveTheirQuotes) {
    Plot plot{.id = "p", .title = "t", .y_label = "y"};
    plot.series.push_back({"it's `date`\nset output 'x'", "#000000", Shape::Line, 1, {{0, 1}}});
    EXPECT_THAT(gnuplot_script(plot), HasSubstr("title 'it''s `date` set output ''x'''"));
}

TEST(Plot, WithNothingToDrawStillHasAxes) {
    if (!has_gnuplot()) GTEST_SKIP() << "gnuplot is not installed";
    EXPECT_THAT(draw_svg({.id = "p", .title = "t", .y_label = "y"}), HasSubstr("</svg>"));
}

TEST(Plot, WithoutGnuplotSaysWhatToInstall) {
    const std::string path = std::getenv("PATH");
    setenv("PATH", "/nowhere", 1);
    std::string message;
    try {
        (void)draw_svg({.id = "p", .title = "t", .y_label = "y"});
    } catch (const PlotError& error) {
        message = error.what();
    }
    setenv("PATH", path.c_str(), 1);
    EXPECT_THAT(message, HasSubstr("gnuplot-nox"));
}

TEST(PathSeries, PathsThroughTheSuspectAreApartFromTheOthers) {
    const TestFolder folder;
    const auto run = sample(folder);
    const auto series = make_path_series(run, run.final_suspects(), {"it"}, 1'000'000'000);
    ASSERT_EQ(series.groups.size(), 2U);
    const auto total = [](const PathGroup& group, double from_s, double slice_s) {
        std::int64_t lost = 0;
        for (std::size_t i = 0; i < group.slices.size(); ++i) {
            if (static_cast<double>(i) * slice_s >= from_s) lost += group.slices[i].lost;
        }
        return lost;
    };
    EXPECT_GT(total(series.groups[0], 0.4, series.slice_s), 0);
    EXPECT_EQ(total(series.groups[1], 0.4, series.slice_s), 0);  // congestion was over by then
    EXPECT_EQ(total(series.groups[0], 0, series.slice_s) + total(series.groups[1], 0, series.slice_s),
              make_totals(run).lost());
}

TEST(LinkTable, TheSickLinkLeadsAndTruthStandsBesideIt) {
    const TestFolder folder;
    const auto lines = make_link_table(sample(folder));
    EXPECT_EQ(lines.front().name, "agg-0-1 > core-2");
    EXPECT_EQ(lines.front().truth_fault_drops, static_cast<std::uint64_t>(lines.front().lost));
    EXPECT_EQ(lines.size(), 96U);
}

TEST(Totals, OfAnInterruptedRunEndWithItsLastRow) {
    const TestFolder folder;
    const Totals totals = make_totals(sample(folder, {.duration_ns = 600'000'000, .finish = false}));
    EXPECT_EQ(totals.duration_ns, 600'150'000);
    EXPECT_EQ(totals.paths_open, totals.paths);
}

TEST(Totals, CountersAreSummedOverNodesAndZeroesLeftOut) {
    const TestFolder folder;
    const Totals totals = make_totals(sample(folder));
    ASSERT_EQ(totals.counters.size(), 2U);
    EXPECT_EQ(totals.counters[0].name, "bad-tag");
    EXPECT_EQ(totals.counters[0].value, 3U);
    EXPECT_EQ(totals.counters[0].nodes, 1U);
}

class ReportPage : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!has_gnuplot()) GTEST_SKIP() << "gnuplot is not installed";
    }
    TestFolder folder_;
};

TEST_F(ReportPage, NeedsNothingBesideItself) {
    const std::string html = make_report(sample(folder_));
    EXPECT_THAT(html, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("src=")), Not(HasSubstr("<link"))));
    EXPECT_EQ(count(html, "<svg"), 5U);
    EXPECT_EQ(count(html, "http"),
              count(html, "http://www.w3.org/"));  // names of namespaces, nothing to load
}

TEST_F(ReportPage, NamesTheSickLinkWithTruthBeside) {
    const std::string html = make_report(sample(folder_));
    EXPECT_THAT(html, AllOf(HasSubstr("<b>agg-0-1 &gt; core-2</b> is sick"), HasSubstr("truth agrees")));
}

TEST_F(ReportPage, EscapesWhatTheScenarioSays) {
    const std::string html = make_report(sample(folder_));
    EXPECT_THAT(html, AllOf(HasSubstr("sample &lt;&amp;&gt;.toml"),
                            HasSubstr("&lt;b&gt;not markup&lt;/b&gt;"), Not(HasSubstr("<b>not markup"))));
}

TEST_F(ReportPage, OfAHealthyRunSuspectsNobody) {
    EXPECT_THAT(make_report(sample(folder_, {.fault = false})), HasSubstr("No link is suspected"));
}

TEST_F(ReportPage, SaysThatARunWasInterrupted) {
    EXPECT_THAT(make_report(sample(folder_, {.finish = false})), HasSubstr("was interrupted"));
}

TEST_F(ReportPage, IsTheSameForTheSameRun) {
    const auto run = sample(folder_);
    EXPECT_EQ(make_report(run), make_report(run));
}

TEST_F(ReportPage, IsNotWrittenOverAnotherWithoutForce) {
    write_report(sample(folder_), folder_.file("run.html"), false);
    const std::string before = testing::file_bytes(folder_.file("run.html"));
    const auto other = sample(folder_, {.fault = false});
    EXPECT_THROW(write_report(other, folder_.file("run.html"), false), store::OutputExists);
    EXPECT_EQ(testing::file_bytes(folder_.file("run.html")), before);
    write_report(other, folder_.file("run.html"), true);
    EXPECT_NE(testing::file_bytes(folder_.file("run.html")), before);
}

TEST_F(ReportPage, ForceReplacesNothingThatIsNotAReport) {
    const auto run = sample(folder_);
    testing::write_bytes(folder_.file("mine.html"), "<!DOCTYPE html>\n<html>mine</html>");
    std::filesystem::create_directory(folder_.file("folder"));
    ASSERT_EQ(mkfifo(folder_.file("pipe").c_str(), 0600), 0);
    std::filesystem::create_symlink(folder_.file("mine.html"), folder_.file("link"));
    const std::string database = testing::file_bytes(run.path());
    for (const std::string name : {"mine.html", "folder", "pipe", "link"})
        EXPECT_THROW(write_report(run, folder_.file(name), true), store::NotReplaced) << name;
    EXPECT_THROW(write_report(run, run.path(), true), store::NotReplaced);
    EXPECT_EQ(testing::file_bytes(folder_.file("mine.html")), "<!DOCTYPE html>\n<html>mine</html>");
    EXPECT_TRUE(std::filesystem::is_fifo(folder_.file("pipe")));
    EXPECT_TRUE(std::filesystem::is_symlink(folder_.file("link")));
    EXPECT_EQ(testing::file_bytes(run.path()), database);
}

TEST_F(ReportPage, ForceFillsAnEmptyFile) {
    testing::write_bytes(folder_.file("run.html"), "");
    write_report(sample(folder_), folder_.file("run.html"), true);
    EXPECT_THAT(testing::file_bytes(folder_.file("run.html")), HasSubstr("</html>"));
}

}  // namespace
}  // namespace dyetrace::report
