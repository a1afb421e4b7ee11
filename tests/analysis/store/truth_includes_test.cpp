// SPDX-License-Identifier: GPL-2.0-or-later
// Truth may be read by what scores and what shows, and by nothing that measures or decides.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/analysis/sample_run.h"

namespace dyetrace::store {
namespace {

constexpr std::array<std::string_view, 4> may_read{"analysis/store/", "analysis/report/", "gui/", "tests/"};

bool is_source(const std::filesystem::path& path) {
    const auto extension = path.extension();
    return extension == ".h" || extension == ".cpp" || extension == ".cc";
}

/// Sources that include truth_reader.h, by their paths from the top.
std::vector<std::string> readers_of_truth() {
    const std::filesystem::path top = DYETRACE_SOURCE_DIR;
    std::vector<std::string> readers;
    for (const char* room : {"core", "ns3-module", "scenarios", "analysis", "host", "gui", "tests"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(top / room)) {
            if (!entry.is_regular_file() || !is_source(entry.path())) continue;
            if (testing::file_bytes(entry.path()).find("#include \"analysis/store/truth_reader.h\"") ==
                std::string::npos) {
                continue;
            }
            readers.push_back(std::filesystem::relative(entry.path(), top).string());
        }
    }
    return readers;
}

TEST(TruthReader, IsIncludedOnlyWhereItScoresOrShows) {
    const auto readers = readers_of_truth();
    EXPECT_FALSE(readers.empty());
    for (const std::string& path : readers) {
        EXPECT_TRUE(
            std::any_of(may_read.begin(), may_read.end(), [&](auto room) { return path.starts_with(room); }))
            << path << " reads truth";
    }
}

}  // namespace
}  // namespace dyetrace::store
