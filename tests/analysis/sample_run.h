// SPDX-License-Identifier: GPL-2.0-or-later
// A small run database with a story in it, written without a simulator: for tests of whatever reads runs.
//
// A fat-tree in which every host tracks packets to two others. Congestion takes packets off the link to one
// host for 50 ms; at 40% of the time the link agg-0-1 > core-2 (k = 4) begins to lose 1%, is detected,
// investigated, and confirmed. The same options give the same rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "analysis/store/run_writer.h"

namespace dyetrace::testing {

struct SampleRun {
    int k = 4;
    std::int64_t duration_ns = 1'000'000'000;
    std::uint16_t paths = 4;
    bool fault = true;   ///< false: congestion only, nothing detected, no truth_faults row
    bool finish = true;  ///< false: as if interrupted
};

/// Names of what is sick in a sample of the default options.
inline constexpr const char* sample_fault_from = "agg-0-1";
inline constexpr const char* sample_fault_to = "core-2";
inline constexpr std::int64_t sample_fault_ns = 400'000'000;
inline constexpr std::int64_t sample_detected_ns = 460'000'000;
inline constexpr std::int64_t sample_confirmed_ns = 560'000'000;

/// Writes the run to `path`, replacing a run that is there.
void write_sample_run(const std::filesystem::path& path, const SampleRun& sample = {});

/// A folder that is there for one test, and gone after it.
class TestFolder {
  public:
    TestFolder();
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    ~TestFolder();
    [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// All bytes of a file; "" where there is none.
[[nodiscard]] std::string file_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const std::string& bytes);

}  // namespace dyetrace::testing
