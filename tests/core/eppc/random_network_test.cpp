// SPDX-License-Identifier: GPL-2.0-or-later
// Counts against truth on networks drawn from a seed. A failure names its seed; the same seed replays it.
#include <cstdlib>
#include <map>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "tests/core/eppc/truth.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

/// A hash of (seed, line, packet): losses do not depend on what else the network did.
double toss(std::uint64_t seed, std::uint64_t ordinal, std::uint64_t purpose) {
    return static_cast<double>(mix64(mix64(seed ^ purpose << 48) + ordinal) >> 11) * 0x1p-53;
}

/// Loses data and control, repeats control, and gives each source port a delay of its own, so that packets
/// overtake each other across paths and never within one.
Hook random_line(std::uint64_t seed) {
    const double data_loss = toss(seed, 0, 1) * 0.3;
    const double control_loss = toss(seed, 0, 2) * 0.25;
    const double repeats = toss(seed, 0, 3) * 0.2;
    return [=](Transit& transit) {
        const bool data = transit.seen.kind == SeenPacket::Kind::Data;
        Fate fate;
        if (toss(seed, transit.ordinal, 4) < (data ? data_loss : control_loss))
            fate.copies = 0;
        else if (!data && toss(seed, transit.ordinal, 5) < repeats)
            fate.copies = 2;
        fate.extra_delay =
            Duration::microseconds(static_cast<std::int64_t>(toss(seed, transit.seen.source_port, 6) * 300));
        return fate;
    };
}

void random_traffic(Network& net, std::uint64_t seed) {
    Random random(seed);
    for (std::size_t from = 0; from < net.host_count(); ++from) {
        for (int burst = 0; burst < 5; ++burst) {
            const std::size_t to =
                (from + 1 + random.below(static_cast<std::uint32_t>(net.host_count() - 1))) %
                net.host_count();
            const Duration start = Duration::microseconds(random.below(120'000));
            const int count = 20 + static_cast<int>(random.below(300));
            const Duration gap = Duration::microseconds(5 + random.below(100));
            net.at(Time{} + start, [&net, from, to, count, gap] { net.send_many(from, to, count, gap, 16); });
        }
    }
}

class RandomNetwork : public ::testing::TestWithParam<int> {};

TEST_P(RandomNetwork, CountsAndSequencesEqualTruthPacketForPacket) {
    for (std::uint64_t seed = static_cast<std::uint64_t>(GetParam()) * 25; seed < (GetParam() + 1U) * 25;
         ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Network net(seed + 1);
        const std::size_t hosts = 2 + seed % 2;
        for (std::size_t i = 0; i < hosts; ++i) {
            net.add_host([&](eppc::EppcConfig& config) {
                config.sampling =
                    seed % 3 == 0 ? wire::SamplingSpec::probability(0.3)
                                  : wire::SamplingSpec::every_nth(1 + static_cast<std::uint32_t>(seed % 7));
                config.retransmit_most = 30;  // patience: this test is about counts, not about lost peers
                config.path_count = static_cast<std::uint16_t>(1 + seed % 9);
            });
            net.host(i).clock.offset =
                Duration::milliseconds(static_cast<std::int64_t>(seed * 977 % 4001) - 2000);
        }
        for (std::size_t from = 0; from < hosts; ++from) {
            for (std::size_t to = 0; to < hosts; ++to)
                net.line(from, to).hook = random_line(seed * 100 + from * 10 + to);
        }
        random_traffic(net, seed);
        net.run_for(Duration::milliseconds(200));
        ASSERT_TRUE(net.close_all(Duration::seconds(60)));
        int compared = 0;
        for (std::size_t from = 0; from < hosts; ++from) {
            for (std::size_t to = 0; to < hosts; ++to) {
                if (from == to) continue;
                for (const PathTruth& truth : path_truth(net, from, to)) {
                    SCOPED_TRACE(std::to_string(from) + " > " + std::to_string(to) + " path " +
                                 std::to_string(truth.path.value));
                    EXPECT_FALSE(truth.open);
                    const auto record =
                        net.host(from).newest(net.host(to).config.address, truth.session, truth.path);
                    ASSERT_TRUE(record);
                    EXPECT_EQ(record->sent, truth.sent);
                    EXPECT_EQ(record->sent - record->received, truth.lost);
                    EXPECT_EQ(record->tracked_sent, truth.tagged_sent);
                    EXPECT_EQ(record->tracked_sent - record->tracked_received, truth.tagged_lost);
                    EXPECT_EQ(record->intervals, truth.intervals_ended);
                    EXPECT_EQ(record->flags, 0);
                    EXPECT_EQ(record->duplicates, 0U);
                    EXPECT_EQ(record->late, 0U);
                    ++compared;
                }
            }
        }
        EXPECT_GT(compared, 0);
        if (HasFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetwork, ::testing::Range(0, 8));

}  // namespace
}  // namespace dyetrace::test
