// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/core/limits.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace dyetrace::bench {

void Best::ReportRuns(const std::vector<Run>& runs) {
    for (const Run& run : runs) {
        if (run.error_occurred) {
            std::printf("%s: %s\n", run.benchmark_name().c_str(), run.error_message.c_str());
            failed_ = true;
        }
        if (run.error_occurred || run.run_type != Run::RT_Iteration) continue;
        double ns = run.GetAdjustedCPUTime() / benchmark::GetTimeUnitMultiplier(run.time_unit) * 1e9;
        const auto items = run.counters.find("items_per_second");
        if (items != run.counters.end()) ns = 1e9 / items->second.value;
        std::string name = run.run_name.function_name;
        if (!run.run_name.args.empty()) name += "/" + run.run_name.args;
        const auto [it, is_new] = ns_.emplace(name, ns);
        if (!is_new) it->second = std::min(it->second, ns);
    }
}

double Best::ns(const std::string& name) const {
    const auto it = ns_.find(name);
    return it == ns_.end() ? 0 : it->second;
}

namespace {

const char* verdict(bool holds, bool is_told_only) {
    if (is_told_only) return "no limit";
    return holds ? "holds" : "MISSED";
}

/// Returns whether none is missed.
bool tell(const Best& best, std::span<const RatioLimit> limits) {
    bool all_hold = true;
    for (const RatioLimit& limit : limits) {
        if (best.ns(limit.ours) == 0 || best.ns(limit.other) == 0)
            continue;  // left out by --benchmark_filter
        const auto less = [&](const char* name) { return name == nullptr ? 0 : best.ns(name); };
        const double ours = best.ns(limit.ours) - less(limit.ours_less);
        const double other = best.ns(limit.other) - less(limit.other_less);
        const double ratio = ours / other;
        const bool holds = ratio <= limit.most;
        all_hold = all_hold && (holds || limit.is_told_only);
        std::printf("  %-8s  %6.2f  at most %4.1f  %-44s (%.1f ns beside %.1f ns)\n",
                    verdict(holds, limit.is_told_only), ratio, limit.most, limit.name, ours, other);
    }
    return all_hold;
}

bool tell(const Best& best, std::span<const RateLimit> limits) {
    bool all_hold = true;
    for (const RateLimit& limit : limits) {
        const double ours = best.ns(limit.ours);
        if (ours == 0) continue;
        const double rate = 1e9 / ours;
        const bool holds = rate >= limit.least;
        all_hold = all_hold && holds;
        std::printf("  %-8s  %6.1f M/s  at least %3.1f M/s  %s\n", verdict(holds, false), rate * 1e-6,
                    limit.least * 1e-6, limit.name);
    }
    return all_hold;
}

}  // namespace

int run(int argc, char** argv, std::span<const RatioLimit> ratios, std::span<const RateLimit> rates) {
    std::string repetitions = "--benchmark_repetitions=50";
    std::string in_turns = "--benchmark_enable_random_interleaving=true";
    std::string shortly = "--benchmark_min_time=0.02";
    std::vector<char*> arguments{argv[0], repetitions.data(), in_turns.data(), shortly.data()};
    arguments.insert(arguments.end(), argv + 1, argv + argc);  // those that come later win
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    Best best;
    benchmark::RunSpecifiedBenchmarks(&best);
    std::printf("\nlimits, by the best repetition of each:\n");
    const bool ratios_hold = tell(best, ratios);
    const bool rates_hold = tell(best, rates);
    return ratios_hold && rates_hold && !best.has_failed() ? 0 : 1;
}

}  // namespace dyetrace::bench
