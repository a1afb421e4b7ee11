// SPDX-License-Identifier: GPL-2.0-or-later
// What the health service holds in memory of a million sessions, a tenth of them with 64 paths and the rest
// with one, each path with totals, a route through a fat-tree of 1,024 hosts and a window of evidence, and
// each pair with a detector. Resident memory is what the kernel says of this process.
#include <cstdint>
#include <cstdio>
#include <string>

#include "core/base/stable_vector.h"
#include "core/health/detector.h"
#include "core/health/session_table.h"
#include "core/localise/rolling_evidence.h"
#include "tests/bench/core/fat_tree.h"

namespace dyetrace {
namespace {

constexpr std::uint32_t kSessions = 1'000'000;
constexpr std::uint16_t kPaths = 64;
constexpr double kLimitBytes = 2e9;
constexpr std::size_t kPathDetector = 32;      ///< bytes that a detector may keep of a path ..
constexpr std::size_t kSessionDetector = 192;  ///< .. and of a session

double resident_bytes() {
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    unsigned long long pages = 0;
    if (file != nullptr && std::fscanf(file, "%*s %llu", &pages) != 1) pages = 0;
    if (file != nullptr) std::fclose(file);
    return static_cast<double>(pages) * 4096;
}

struct PathState {
    std::uint8_t bytes[kPathDetector] = {1};
};
struct SessionState {
    std::uint8_t bytes[kSessionDetector] = {1};
};

int run() {
    const double before = resident_bytes();
    const bench::FatTree tree(16);
    health::SessionTableConfig config;
    config.sessions = kSessions;
    config.paths = 10'000'000;
    health::SessionTable table(tree.graph, config);
    localise::RollingEvidence evidence(tree.graph, table, {}, Time{0});
    StableVector<PathState> paths;
    StableVector<SessionState> sessions;
    wire::PathRecord record;
    record.measured_ns = 1'000'000'000;
    record.sent = 1000;
    record.received = 999;
    record.delay_count = 5;
    record.delay_ns_sum = 100'000;
    record.delay_ns_min = 15'000;
    for (std::uint32_t session = 0; session < kSessions; ++session) {
        const std::uint32_t from = session % tree.hosts();
        const std::uint32_t to = (from + 1 + session / tree.hosts()) % tree.hosts();
        table.begin(tree.address(from), BootId{1}, Time{});
        for (std::uint16_t path = 0; path < (session % 10 == 0 ? kPaths : 1); ++path) {
            record.path = PathIndex{path};
            record.measured_ns += 100;
            const auto taken = table.take(tree.address(to), SessionId{session}, record);
            if (taken.verdict != health::RecordVerdict::Window) return 1;
            evidence.route(taken.path, Time{0}, tree.links(from, to, session + path));
            evidence.add(taken.path,
                         {taken.window.start, taken.window.end, 1000, 1, 5, Duration::microseconds(20)},
                         taken.window.delay_min);
            paths.emplace_back();
        }
        sessions.emplace_back();
    }
    const double held = resident_bytes() - before;
    std::printf("%zu sessions, %zu paths, %zu windows: %.0f MB resident, %.0f bytes a path\n",
                table.sessions(), table.paths(), evidence.windows(), held * 1e-6,
                held / static_cast<double>(table.paths()));
    const bool holds = held <= kLimitBytes && table.sessions() == kSessions;
    std::printf("  %s  at most %.0f MB\n", holds ? "holds" : "MISSED", kLimitBytes * 1e-6);
    return holds ? 0 : 1;
}

}  // namespace
}  // namespace dyetrace

int main() {
    return dyetrace::run();
}
