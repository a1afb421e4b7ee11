// SPDX-License-Identifier: GPL-2.0-or-later
// Not a test: how often the tests of shares (delay, marks, reordering, damage, repeats) are wrong on series
// in which nothing changes, and how many windows they need where something does. Prints the tables that
// docs/detection.md holds; same seed, same tables.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <vector>

#include "core/health/health_judge.h"

namespace {

using namespace dyetrace;          // NOLINT(google-build-using-namespace): a program's only file
using namespace dyetrace::health;  // NOLINT(google-build-using-namespace)

using Random = std::mt19937_64;

constexpr Duration kReport = Duration::milliseconds(100);
constexpr std::uint32_t kTracked = 10;  ///< packets of a window
constexpr std::size_t kPaths = 4;
constexpr int kRuns = 200;
constexpr int kQuiet = 1'000'000;     ///< windows
constexpr double kLax = 1e-3;         ///< a level at which there are false alarms to count
constexpr int kChangedMost = 20'000;  ///< windows

std::uint32_t some(double share, Random& random) {
    return std::binomial_distribution<std::uint32_t>(kTracked, share)(random);
}

/// Puts a delay on all tracked packets: `queue` on average, at random, above what the way takes.
void delay(MetricsWindow& window, Duration way, Duration queue, Random& random) {
    std::exponential_distribution<double> wait(1 / static_cast<double>(std::max<std::int64_t>(queue.ns, 1)));
    double before = wait(random);
    window.jitter = {};
    window.delay_sum = {};
    window.delay_count = kTracked;
    for (std::uint32_t i = 0; i < kTracked; ++i) {
        const double now = wait(random);
        window.delay_sum.ns += way.ns + static_cast<std::int64_t>(now);
        window.jitter.ns += (static_cast<std::int64_t>(std::abs(now - before)) - window.jitter.ns) / 16;
        before = now;
    }
    window.delay_min = Duration::microseconds(20);
}

/// What a window of a sound path looks like, and of one on which something changed.
using Make = std::function<void(MetricsWindow&, Random&)>;
struct Change {
    const char* name;
    Metric metric;
    Make quiet, changed;
};

/// In every twentieth window a queue is long, and marks where `marks`.
Make traffic(bool marks) {
    return [marks](MetricsWindow& window, Random& random) {
        const bool queued = std::bernoulli_distribution(0.05)(random);
        delay(window, Duration::microseconds(20),
              queued ? Duration::microseconds(400) : Duration::microseconds(4), random);
        window.ce = marks && queued ? kTracked / 2 : 0;
    };
}
Make with(const Make& first, const Make& then) {
    return [=](MetricsWindow& window, Random& random) {
        first(window, random);
        then(window, random);
    };
}
Make late(double share) {
    return [=](MetricsWindow& window, Random& random) { window.late = some(share, random); };
}
Make damaged(double share) {
    return [=](MetricsWindow& window, Random& random) { window.corrupted = some(share, random); };
}
Make repeated(double share) {
    return [=](MetricsWindow& window, Random& random) { window.duplicates = some(share, random); };
}
Make longer(Duration by) {
    return [=](MetricsWindow& window, Random& random) {
        delay(window, Duration::microseconds(20) + by, Duration::microseconds(4), random);
    };
}
Make marked(double share) {
    return [=](MetricsWindow& window, Random& random) {
        if (std::bernoulli_distribution(share)(random)) window.ce = kTracked / 2;
    };
}

/// A fabric of one pair: its judge, and what it holds of the pair.
struct Fabric {
    HealthJudge judge;
    SessionDetector session;
    std::vector<PathDetector> paths = std::vector<PathDetector>(kPaths);
    Time now{};
    std::size_t next = 0;

    explicit Fabric(double false_alarm) : judge(config(false_alarm)) {
        judge.enter(session, Ipv4Address{0x0a000001});
    }
    static DetectorConfig config(double false_alarm) {
        DetectorConfig config;
        config.false_alarm = false_alarm;
        return config;
    }
    void take(const Make& make, Random& random) {
        if (next % kPaths == 0) now = now + kReport;
        MetricsWindow window;
        window.start = now - kReport;
        window.end = now;
        window.sent = window.tracked_sent = window.tracked_received = kTracked;
        window.route_links = 6;
        make(window, random);
        judge.add(session, paths[next++ % kPaths], window, now);
    }
};

void print(const Change& change, Random& random) {
    const auto false_alarms = [&](double level) {
        Fabric sound(level);
        int alarms = 0;
        for (int i = 0; i < kQuiet; ++i) {
            const bool before = sound.session.is_faulty();
            sound.take(change.quiet, random);
            alarms += sound.session.is_faulty() && !before ? 1 : 0;
        }
        return alarms;
    };
    const int lax = false_alarms(kLax);
    const int alarms = false_alarms(DetectorConfig{}.false_alarm);
    double sum = 0, squares = 0;
    int missed = 0, other = 0;
    for (int run = 0; run < kRuns; ++run) {
        Fabric fabric(DetectorConfig{}.false_alarm);
        for (int i = 0; i < 400; ++i)
            fabric.take(change.quiet, random);
        int windows = 0;
        while (!fabric.session.is_faulty() && windows < kChangedMost) {
            fabric.take(change.changed, random);
            ++windows;
        }
        missed += fabric.session.is_faulty() ? 0 : 1;
        other += fabric.session.is_faulty() && fabric.session.metric() != change.metric ? 1 : 0;
        sum += windows;
        squares += static_cast<double>(windows) * windows;
    }
    const double mean = sum / kRuns;
    std::printf("%-42s %7d %7d %9.1f %6.1f %7d %6d\n", change.name, alarms, lax, mean,
                std::sqrt(std::max(0.0, squares / kRuns - mean * mean) / kRuns), missed, other);
}

}  // namespace

int main() {
    Random random(1);
    const Make sound = traffic(false);
    const std::vector<Change> changes{
        {"reordering 0.1% -> 2%", Metric::Reordering, with(sound, late(1e-3)), with(sound, late(2e-2))},
        {"reordering 0.1% -> 10%", Metric::Reordering, with(sound, late(1e-3)), with(sound, late(1e-1))},
        {"reordering 0.5% -> 10%", Metric::Reordering, with(sound, late(5e-3)), with(sound, late(1e-1))},
        {"damage 0.001% -> 0.1%", Metric::Corruption, with(sound, damaged(1e-5)), with(sound, damaged(1e-3))},
        {"damage 0.001% -> 1%", Metric::Corruption, with(sound, damaged(1e-5)), with(sound, damaged(1e-2))},
        {"repeats 0.001% -> 0.5%", Metric::Duplication, with(sound, repeated(1e-5)),
         with(sound, repeated(5e-3))},
        {"repeats 0.001% -> 5%", Metric::Duplication, with(sound, repeated(1e-5)),
         with(sound, repeated(5e-2))},
        {"way 0.5 ms longer", Metric::Delay, sound, longer(Duration::microseconds(500))},
        {"way 5 ms longer", Metric::Delay, sound, longer(Duration::milliseconds(5))},
        {"marks in queues -> in half of all windows", Metric::Marking, traffic(true),
         with(sound, marked(0.5))},
        {"marks in queues -> in all windows", Metric::Marking, traffic(true), with(sound, marked(1))},
    };
    std::printf(
        "A window: %u tracked packets. In 5%% of them a queue is long. %d windows without a change\n"
        "(false alarms at level 1e-6, and at %.0e), then %d changes after 400 windows (at 1e-6)\n",
        kTracked, kQuiet, kLax, kRuns);
    std::printf("%-42s %7s %7s %9s %6s %7s %6s\n", "", "false", "at 1e-3", "windows", "+-", "missed",
                "other");
    for (const Change& change : changes)
        print(change, random);
}
