// SPDX-License-Identifier: GPL-2.0-or-later
// What benchmarks are held against: named limits, of ratios and of rates.
//
// A figure is the best of many short repetitions that take turns with those it is compared with, so that a
// busy machine spoils neither more than the other.
#pragma once

#include <map>
#include <span>
#include <string>

#include <benchmark/benchmark.h>

namespace dyetrace::bench {

/// Prints as the console does, and keeps the best repetition of each benchmark, by its name with arguments.
class Best : public benchmark::ConsoleReporter {
  public:
    Best() : ConsoleReporter(OO_Tabular) {}
    void ReportRuns(const std::vector<Run>& runs) override;

    /// Nanoseconds an item (an iteration where none were counted); zero where it did not run.
    [[nodiscard]] double ns(const std::string& name) const;
    [[nodiscard]] bool has_failed() const { return failed_; }

  private:
    std::map<std::string, double> ns_;
    bool failed_ = false;
};

/// (ours - ours_less) / (other - other_less), at most `most`. What is taken off is not what the limit is
/// about, and was measured by itself.
struct RatioLimit {
    const char* name;
    const char* ours;
    const char* other;
    double most;
    const char* ours_less = nullptr;
    const char* other_less = nullptr;
    bool is_told_only = false;  ///< fails nothing
};

/// Items a second, at least.
struct RateLimit {
    const char* name;
    const char* ours;
    double least;
};

/// Runs what is registered and says of each limit whether it holds. The caller's own options win over the
/// defaults. Returns the program's exit status: 0 where all hold that were measured.
int run(int argc, char** argv, std::span<const RatioLimit> ratios, std::span<const RateLimit> rates);

}  // namespace dyetrace::bench
