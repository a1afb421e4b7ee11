// SPDX-License-Identifier: GPL-2.0-or-later
// The same inputs give the same outputs, byte for byte.
#include <gtest/gtest.h>

#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

struct Outcome {
    std::uint64_t digest = 0;
    std::uint64_t packets = 0;
    std::vector<wire::UpdateEntry> told;
    std::vector<wire::PathRecord> records;
    std::vector<std::vector<std::uint8_t>> delivered;

    bool operator==(const Outcome&) const = default;
};

/// Four hosts that all speak with each other over lossy lines, with routers, traces, updates and a restart.
Outcome run(std::uint64_t seed) {
    Network net(seed);
    FakeNhms nhms(net);
    for (int i = 0; i < 4; ++i) {
        net.add_host([&](eppc::EppcConfig& config) {
            config.nhms = FakeNhms::kEndpoint;
            config.trace_paths = true;
            config.update_interval = Duration::milliseconds(5);
            config.sampling = wire::SamplingSpec::probability(0.3);
        });
    }
    for (std::size_t from = 0; from < 4; ++from) {
        for (std::size_t to = 0; to < 4; ++to) {
            net.line(from, to).routers = {{Ipv4Address{0x0a010001}}, {Ipv4Address{0x0a010002}}};
            net.line(from, to).hook = [](Transit& transit) {
                return Fate{transit.ordinal % 11 == 7 ? 0 : 1, {}};
            };
            if (from != to)
                net.send_many(from, to, 300, Duration::microseconds(30 + 7 * static_cast<int>(from)), 12);
        }
    }
    net.run_for(Duration::milliseconds(40));
    net.restart(2);
    net.run_for(Duration::milliseconds(400));
    (void)net.close_all();
    Outcome outcome;
    outcome.digest = net.digest();
    outcome.packets = net.captured().size();
    outcome.told = nhms.entries;
    for (std::size_t i = 0; i < 4; ++i) {
        for (const auto& metrics : net.host(i).metrics)
            outcome.records.push_back(metrics.record);
        for (const auto& frame : net.host(i).delivered)
            outcome.delivered.push_back(frame);
    }
    return outcome;
}

TEST(Determinism, TheSameSeedSendsTheSameBytes) {
    const Outcome first = run(1);
    EXPECT_GT(first.packets, 3000U);
    EXPECT_FALSE(first.told.empty());
    EXPECT_EQ(first, run(1));
}

TEST(Determinism, AnotherSeedSendsOthers) {
    EXPECT_NE(run(1).digest, run(2).digest);
}

}  // namespace
}  // namespace dyetrace::test
