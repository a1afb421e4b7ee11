// SPDX-License-Identifier: GPL-2.0-or-later
// How long the health service takes for the next verdict: updates came in, what is old is forgotten, and the
// suspects are asked for again. A fat-tree of 1,024 hosts with 65,536 live paths, all reporting every 100 ms,
// ten seconds remembered, one link that loses 1% and sound ones that lose one packet in ten million.
#include <array>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/random.h"
#include "core/localise/rolling_evidence.h"
#include "tests/bench/core/fat_tree.h"
#include "tests/bench/core/limits.h"

namespace dyetrace {
namespace {

using localise::LinkId;
using localise::PathId;

constexpr std::uint32_t kPathsAHost = 64;
constexpr std::uint32_t kPackets = 500;  ///< of a path in 100 ms: 30% of 10 Gbit/s a host
constexpr std::int64_t kInterval = 100'000'000;
constexpr std::int64_t kMemory = 10'000'000'000;
constexpr double kSound = 1e-7;
constexpr double kFaulty = 0.01;

class Fabric final : public localise::PathNames {
  public:
    Fabric() : tree_(16), evidence_(tree_.graph, *this, {}, Time{0}) {
        const std::uint32_t hosts = tree_.hosts();
        bad_ = tree_.links(0, hosts - 1, 9).at(2);  // from aggregation to core
        for (std::uint32_t host = 0; host < hosts; ++host) {
            const std::uint32_t peer = (host + 1 + random_.below(hosts - 1)) % hosts;
            for (std::uint32_t path = 0; path < kPathsAHost; ++path) {
                const auto links = tree_.links(host, peer, path);
                crosses_.push_back(std::find(links.begin(), links.end(), bad_) != links.end());
                evidence_.route(PathId{static_cast<std::uint32_t>(crosses_.size() - 1)}, Time{0}, links);
            }
        }
        ended_.assign(crosses_.size(), Time{0});
        while (now_.ns < kMemory)
            pass(kInterval / 10);
    }

    /// Time goes on, and the paths whose turn it is report. Returns how many did.
    std::size_t pass(std::int64_t ns) {
        now_ = now_ + Duration{ns};
        const std::size_t count = crosses_.size() * static_cast<std::size_t>(ns) / kInterval;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t path = next_++ % crosses_.size();
            const double rate = crosses_[path] ? kFaulty : kSound;
            std::uint32_t lost = 0;
            const double expected = kPackets * rate;
            for (double left = expected; left > 0; left -= 1)
                lost += random_.next_u32() < std::min(left, 1.0) * 4294967295.0 ? 1 : 0;
            evidence_.add(PathId{static_cast<std::uint32_t>(path)},
                          {ended_[path], now_, kPackets, lost, 5, Duration::microseconds(20)},
                          Duration::microseconds(15));
            ended_[path] = now_;
        }
        return count;
    }
    [[nodiscard]] std::size_t paths() const { return crosses_.size(); }
    void forget() { evidence_.forget_before(since()); }
    [[nodiscard]] Time since() const { return now_ - Duration{kMemory}; }
    [[nodiscard]] localise::Verdict infer() const { return evidence_.infer(config_, since()); }
    [[nodiscard]] bool is_bad(const localise::Suspect& suspect) const {
        return suspect.from == tree_.graph.from(bad_) && suspect.to == tree_.graph.to(bad_);
    }
    [[nodiscard]] const localise::RollingEvidence& evidence() const { return evidence_; }
    [[nodiscard]] localise::PathKey key(PathId path) const override {
        localise::PathKey key;
        key.session = SessionId{path.value};
        return key;
    }

  private:
    bench::FatTree tree_;
    localise::RollingEvidence evidence_;
    localise::LocaliserConfig config_;
    Random random_{1};
    LinkId bad_;
    std::vector<bool> crosses_;
    std::vector<Time> ended_;
    std::size_t next_ = 0;
    Time now_{0};
};

Fabric& fabric() {
    static Fabric fabric;
    return fabric;
}

/// Argument: milliseconds between two verdicts, whose updates come in first (a hundredth of them all in one).
void BM_VerdictAgain(benchmark::State& state) {
    Fabric& f = fabric();
    for (auto _ : state) {
        f.pass(state.range(0) * 1'000'000);
        f.forget();
        const auto verdict = f.infer();
        if (verdict.suspects.empty() || !f.is_bad(verdict.suspects.front())) state.SkipWithError("not named");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * f.paths()));
    state.counters["windows"] = static_cast<double>(f.evidence().windows());
}
BENCHMARK(BM_VerdictAgain)->Arg(1)->Arg(10)->Unit(benchmark::kMillisecond);

/// A window of evidence: one comes, one is forgotten.
void BM_WindowInAndOut(benchmark::State& state) {
    Fabric& f = fabric();
    std::size_t windows = 0;
    for (auto _ : state) {
        windows += f.pass(40'000'000);
        f.forget();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(windows));
}
BENCHMARK(BM_WindowInAndOut)->Unit(benchmark::kMillisecond);

constexpr std::array kRates{
    bench::RateLimit{"paths judged anew a second, k = 16 (65,536 in 10 ms)", "BM_VerdictAgain/1",
                     65'536 / 0.01},
};

}  // namespace
}  // namespace dyetrace

int main(int argc, char** argv) {
    return dyetrace::bench::run(argc, argv, {}, dyetrace::kRates);
}
