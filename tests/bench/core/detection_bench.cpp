// SPDX-License-Identifier: GPL-2.0-or-later
// Not a test: how much evidence detection needs, and how often it is wrong, by Monte Carlo. Prints tables
// that docs/detection.md holds; same seed, same tables.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "core/health/health_judge.h"

namespace {

using namespace dyetrace;          // NOLINT(google-build-using-namespace): a program's only file
using namespace dyetrace::health;  // NOLINT(google-build-using-namespace)

using Random = std::mt19937_64;

constexpr Duration kReport = Duration::milliseconds(100);
constexpr IpAddress kAcceptor = Ipv4Address{0x0a000001};

MetricsWindow window_of(std::uint64_t sent, std::uint64_t lost, Time end, Random& random, double share) {
    MetricsWindow window;
    window.start = end - kReport;
    window.end = end;
    window.sent = sent;
    window.lost = lost;
    window.tracked_received =
        static_cast<std::uint32_t>(std::binomial_distribution<std::uint64_t>(sent - lost, share)(random));
    window.delay_count = window.tracked_received;
    window.route_links = 6;
    window.delay_min = Duration::microseconds(10);
    std::exponential_distribution<double> queue(1 / 1000.0);  // 1 us
    for (std::uint32_t i = 0; i < window.delay_count; ++i)
        window.delay_sum.ns += 10'000 + static_cast<std::int64_t>(queue(random));
    window.jitter = Duration::microseconds(1);
    return window;
}

/// Mean packets of one of `paths` paths, which begins to lose after some health, until its session is
/// degraded.
struct Delay {
    double mean = 0;
    double standard_error = 0;
    int missed = 0;
};
Delay delay_of(const DetectorConfig& config, double rate, std::uint64_t packets, std::size_t paths,
               double tracked, int runs, Random& random) {
    double sum = 0, squares = 0;
    int missed = 0;
    for (int run = 0; run < runs; ++run) {
        HealthJudge judge(config);
        SessionDetector session;
        judge.enter(session, kAcceptor);
        std::vector<PathDetector> path(paths);
        Time now{};
        const auto round = [&](double first_rate) {
            now = now + kReport;
            for (std::size_t i = 0; i < paths; ++i) {
                const double p = i == 0 ? first_rate : config.baseline_rate / 1000;
                const std::uint64_t lost = std::binomial_distribution<std::uint64_t>(packets, p)(random);
                judge.add(session, path[i], window_of(packets, lost, now, random, tracked), now);
            }
        };
        for (int i = 0; i < 50; ++i)
            round(config.baseline_rate / 1000);
        // The fault begins anywhere inside a window.
        const double part = std::uniform_real_distribution<>(0, 1)(random);
        round(rate * part);
        double sent = part * static_cast<double>(packets);
        while (!session.is_faulty() && sent < 1e7) {
            round(rate);
            sent += static_cast<double>(packets);
        }
        if (!session.is_faulty()) ++missed;
        sum += sent;
        squares += sent * sent;
    }
    const double mean = sum / runs;
    return {mean, std::sqrt(std::max(0.0, squares / runs - mean * mean) / runs), missed};
}

void print_delays(std::size_t paths, double tracked, Random& random) {
    const DetectorConfig config;
    const HealthJudge judge(config);
    std::printf("\nFault on one of %zu paths, %.0f%% of packets tracked, level %.1e per %.0f packets\n",
                paths, tracked * 100, judge.level(), judge.exposure());
    std::printf("%8s %8s %10s %10s %8s %8s %12s %6s\n", "rate", "window", "Wald", "mean", "+-", "mean/W",
                "(mean-win)/W", "goal");
    for (const double rate : {0.001, 0.003, 0.01, 0.03}) {
        for (const std::uint64_t packets : {20, 100, 400}) {
            const double wald = wald_sample(rate, config.baseline_rate, judge.level(), config.miss);
            const Delay delay = delay_of(config, rate, packets, paths, tracked, 300, random);
            const double less = delay.mean - static_cast<double>(packets);
            std::printf("%7.1f%% %8lu %10.0f %10.0f %8.0f %8.2f %12.2f %6s\n", rate * 100,
                        static_cast<unsigned long>(packets), wald, delay.mean, delay.standard_error,
                        delay.mean / wald, less / wald, less <= 1.2 * wald ? "met" : "MISSED");
        }
    }
}

/// The SPRT and the fixed sample of the same errors that other work is compared with.
void print_fixed() {
    struct Row {
        double p0, p1, fixed;
    };
    std::printf("\nWald's sample against a fixed one, false alarm 1e-6, miss 1%%\n");
    for (const Row row : {Row{1e-5, 1e-3, 11605}, Row{5e-5, 5e-4, 45642}, Row{1e-5, 1e-4, 228209}}) {
        const double wald = wald_sample(row.p1, row.p0, 1e-6, 1e-2);
        std::printf("%8.0e against %6.0e: %8.0f, fixed %8.0f\n", row.p0, row.p1, wald, row.fixed);
    }
}

void print_false_alarms(double rate, double false_alarm, Random& random) {
    DetectorConfig config;
    config.false_alarm = false_alarm;
    HealthJudge judge(config);
    SessionDetector session;
    judge.enter(session, kAcceptor);
    std::array<PathDetector, 8> paths;
    constexpr int kWindows = 2'000'000;
    constexpr std::uint64_t kPackets = 100;
    std::binomial_distribution<std::uint64_t> losses(kPackets, rate);
    int alarms = 0;
    Time now{};
    for (int i = 0; i < kWindows; ++i) {
        now = now + kReport / 8;
        MetricsWindow window;
        window.end = now;
        window.start = now - kReport;
        window.sent = kPackets;
        window.lost = losses(random);
        window.tracked_received = window.delay_count = 1;
        window.delay_sum = window.delay_min = Duration::microseconds(10);
        const bool before = session.is_faulty();
        judge.add(session, paths[static_cast<std::size_t>(i) % paths.size()], window, now);
        if (session.is_faulty() && !before) ++alarms;
    }
    const double bound = judge.level() * kWindows * kPackets / judge.exposure();
    std::printf("loss %.0e, level %.0e: %d alarms in %d windows of %lu packets; bound %.1f\n", rate,
                false_alarm, alarms, kWindows, static_cast<unsigned long>(kPackets), bound);
}

/// Bursts of many senders to one acceptor: the queue holds `kHolds` packets, the rest of each burst is lost.
/// Only delays tell, and of `tracked` of the packets.
struct Incast {
    std::size_t hosts, fan_in;
    std::uint64_t burst;  ///< packets of a sender
    std::uint64_t holds;  ///< packets in the queue
    double full_ns;       ///< delay of a full queue
    Duration interval, report;
    double background;  ///< packets per pair and second
    Duration from{};    ///< when the bursts begin
};
void print_incast(const char* name, const Incast& in, double tracked, bool marks, int runs, Random& random) {
    int faults = 0, congested = 0, runs_wrong = 0;
    std::uint64_t windows = 0, lost_all = 0;
    for (int run = 0; run < runs; ++run) {
        HealthJudge judge{DetectorConfig{}};
        const std::size_t pairs = in.hosts * in.hosts;
        constexpr std::size_t kPaths = 8;
        std::vector<SessionDetector> sessions(pairs);
        std::vector<PathDetector> paths(pairs * kPaths);
        std::vector<MetricsWindow> open(pairs * kPaths);
        for (std::size_t i = 0; i < pairs; ++i)
            judge.enter(sessions[i], Ipv4Address{static_cast<std::uint32_t>(1 + i % in.hosts)});
        const auto carry = [&](std::size_t pair, std::size_t path, double delay_ns, bool lost, bool mark) {
            MetricsWindow& w = open[pair * kPaths + path];
            ++w.sent;
            if (lost) {
                ++w.lost;
                return;
            }
            if (std::uniform_real_distribution<>(0, 1)(random) >= tracked) return;
            ++w.tracked_received;
            ++w.delay_count;
            w.ce += mark ? 1 : 0;
            const std::int64_t delay = 20'000 + static_cast<std::int64_t>(delay_ns);
            w.delay_sum.ns += delay;
            w.jitter.ns += (static_cast<std::int64_t>(delay_ns) - w.jitter.ns) / 16;
            if (w.delay_min.ns == 0 || delay < w.delay_min.ns) w.delay_min.ns = delay;
        };
        const Duration length = Duration::seconds(4);
        Time next_report = Time{} + in.report;
        bool wrong = false;
        for (Time now{}; now < Time{} + length; now = now + in.interval) {
            const auto acceptor = std::uniform_int_distribution<std::size_t>(0, in.hosts - 1)(random);
            const double overload = static_cast<double>(in.burst * in.fan_in) / static_cast<double>(in.holds);
            for (std::size_t i = 0; i < in.fan_in && now >= Time{} + in.from; ++i) {
                const auto from = std::uniform_int_distribution<std::size_t>(0, in.hosts - 1)(random);
                const auto path = std::uniform_int_distribution<std::size_t>(0, kPaths - 1)(random);
                for (std::uint64_t j = 0; j < in.burst; ++j) {
                    // The queue fills as the burst goes on; once it is full most are lost.
                    const double filled = overload * static_cast<double>(j) / static_cast<double>(in.burst);
                    const bool lost = filled >= 1 && std::uniform_real_distribution<>(0, 1)(random) < 0.9;
                    carry(from * in.hosts + acceptor, path, std::min(filled, 1.0) * in.full_ns, lost,
                          marks && filled > 0.2);
                }
            }
            const double background = in.background * in.interval.in_seconds();
            for (std::size_t pair = 0; pair < pairs; ++pair) {
                const auto packets = std::poisson_distribution<int>(background)(random);
                for (int j = 0; j < packets; ++j)
                    carry(pair, std::uniform_int_distribution<std::size_t>(0, kPaths - 1)(random),
                          std::exponential_distribution<>(1 / (in.full_ns / 200))(random), false, false);
            }
            if (now < next_report) continue;
            next_report = next_report + in.report;
            for (std::size_t k = 0; k < open.size(); ++k) {
                MetricsWindow& w = open[k];
                if (w.sent == 0) continue;
                w.end = now;
                w.start = now - in.report;
                w.route_links = 6;
                SessionDetector& session = sessions[k / kPaths];
                const bool before = session.is_faulty();
                judge.add(session, paths[k], w, now);
                ++windows;
                lost_all += w.lost;
                if (session.is_faulty() && !before) {
                    ++faults;
                    wrong = true;
                    if (std::getenv("SHOW") != nullptr)
                        std::printf("  %.2f s: %s\n", now.in_seconds(), session.reason().c_str());
                }
                const Duration jitter = w.jitter;
                const Duration least = w.delay_min;
                w = {};
                w.jitter = jitter;
                w.delay_min = least;
            }
        }
        for (const SessionDetector& session : sessions)
            congested += session.metric() == Metric::Congestion ? 1 : 0;
        runs_wrong += wrong ? 1 : 0;
    }
    std::printf(
        "%s, %.1f%% tracked%s: %d of %d runs with a false alarm, %d sessions; %d end as congested;\n"
        "    %.3g windows, %.3g packets lost\n",
        name, tracked * 100, marks ? ", CE marks" : "", runs_wrong, runs, faults, congested,
        static_cast<double>(windows), static_cast<double>(lost_all));
}

}  // namespace

int main() {
    Random random(1);
    print_fixed();
    for (const std::size_t paths : {1, 8})
        print_delays(paths, 0.05, random);
    print_delays(8, 0.01, random);
    std::printf("\nFalse alarms without a fault, without congestion\n");
    for (const double alarm : {1e-6, 1e-4})
        for (const double rate : {1e-5, 1e-6})
            print_false_alarms(rate, alarm, random);
    std::printf("\nIncast without a fault, 4 s, drop-tail\n");
    const Incast slow{16, 12, 17, 107, 1.2e6, Duration::milliseconds(5), Duration::milliseconds(20), 50};
    const Incast fast{16, 12, 17, 100, 1.2e5, Duration::milliseconds(1), Duration::milliseconds(100), 200};
    const Incast rare{16, 15, 60, 200, 2.4e5, Duration::milliseconds(100), Duration::milliseconds(100), 500};
    Incast late = fast;
    late.from = Duration::seconds(2);
    for (const double tracked : {0.01, 0.1}) {
        print_incast("1 Gb/s, every 5 ms", slow, tracked, false, 40, random);
        print_incast("10 Gb/s, every 1 ms", fast, tracked, false, 40, random);
        print_incast("10 Gb/s, every 1 ms, from 2 s on", late, tracked, false, 40, random);
        print_incast("10 Gb/s, every 100 ms", rare, tracked, false, 40, random);
    }
    print_incast("10 Gb/s, every 1 ms", fast, 0.01, true, 40, random);
}
