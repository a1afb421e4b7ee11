// SPDX-License-Identifier: GPL-2.0-or-later
// Which source port a path takes, and what becomes of the ports that paths leave.
#include "core/tracking/path_table.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::tracking {
namespace {

constexpr Duration kRest = Duration::milliseconds(100);
constexpr Time kStart{};

Time after(std::int64_t milliseconds) {
    return kStart + Duration::milliseconds(milliseconds);
}

TEST(PathTable, EachPathBeginsOnThePortOfItsIndex) {
    const PathTable table(4, 6);
    for (std::uint16_t i = 0; i < 4; ++i) {
        EXPECT_EQ(table[PathIndex{i}].port, i);
        EXPECT_EQ(table[PathIndex{i}].generation, PathGeneration{0});
        EXPECT_EQ(table[PathIndex{i}].packets, 0U);
    }
}

TEST(PathTable, AMovedPathBeginsAnewAndLeavesItsCountBehind) {
    PathTable table(4, 6);
    for (int i = 0; i < 77; ++i)
        table.count(PathIndex{2}, after(i));
    EXPECT_EQ(table[PathIndex{2}].last_packet, after(76));
    const auto generation = table.repath(PathIndex{2}, kStart, kRest);
    ASSERT_TRUE(generation);
    EXPECT_EQ(*generation, PathGeneration{1});
    EXPECT_EQ(table[PathIndex{2}].packets, 0U);
    EXPECT_EQ(table[PathIndex{2}].port, 4);
    ASSERT_NE(table.find(PathIndex{2}, PathGeneration{0}), nullptr);
    EXPECT_EQ(table.find(PathIndex{2}, PathGeneration{0})->packets, 77U);
    EXPECT_EQ(table.find(PathIndex{2}, PathGeneration{0})->port, 2);
    EXPECT_EQ(table.find(PathIndex{2}, PathGeneration{1}), &table[PathIndex{2}]);
    EXPECT_EQ(table.find(PathIndex{2}, PathGeneration{2}), nullptr);
    EXPECT_EQ(table.find(PathIndex{1}, PathGeneration{1}), nullptr);
    EXPECT_EQ(table.find(PathIndex{4}, PathGeneration{0}), nullptr);
}

TEST(PathTable, ASecondMoveWaitsUntilTheFirstIsSettled) {
    PathTable table(4, 8);
    ASSERT_TRUE(table.repath(PathIndex{0}, kStart, kRest));
    EXPECT_EQ(table.repath(PathIndex{0}, kStart, kRest).error(), RepathRefusal::NotSettled);
    EXPECT_TRUE(table.repath(PathIndex{1}, kStart, kRest));  // another path need not wait
    table.settle(PathIndex{0}, after(1));
    EXPECT_EQ(table.find(PathIndex{0}, PathGeneration{0}), nullptr);
    EXPECT_TRUE(table.repath(PathIndex{0}, after(1), kRest));
}

TEST(PathTable, APortRestsBeforeAnotherPathTakesIt) {
    PathTable table(2, 3);
    ASSERT_TRUE(table.repath(PathIndex{0}, kStart, kRest));
    EXPECT_EQ(table.repath(PathIndex{1}, kStart, kRest).error(), RepathRefusal::NoSparePort);
    table.settle(PathIndex{0}, after(10));
    EXPECT_EQ(table.repath(PathIndex{1}, after(109), kRest).error(), RepathRefusal::NoSparePort);
    ASSERT_TRUE(table.repath(PathIndex{1}, after(110), kRest));
    EXPECT_EQ(table[PathIndex{1}].port, 0);
}

TEST(PathTable, WithoutSparePortsNothingMoves) {
    PathTable table(4, 4);
    EXPECT_EQ(table.repath(PathIndex{0}, kStart, kRest).error(), RepathRefusal::NoSparePort);
    EXPECT_EQ(table[PathIndex{0}].generation, PathGeneration{0});
    EXPECT_TRUE(table.retired().empty());
}

TEST(PathTable, AnUnknownPathIsRefused) {
    PathTable table(4, 8);
    EXPECT_EQ(table.repath(PathIndex{4}, kStart, kRest).error(), RepathRefusal::UnknownPath);
    table.settle(PathIndex{3}, kStart);  // never moved: nothing to settle
    EXPECT_EQ(table[PathIndex{3}].port, 3);
}

TEST(PathTable, TakesTheSparePortsInTurn) {
    PathTable table(1, 5);
    std::vector<std::uint16_t> ports;
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(table.repath(PathIndex{0}, after(1000 * i), kRest));
        table.settle(PathIndex{0}, after(1000 * i + 1));
        ports.push_back(table[PathIndex{0}].port);
    }
    EXPECT_EQ(ports, (std::vector<std::uint16_t>{1, 2, 3, 4, 0, 1, 2, 3, 4, 0}));
}

TEST(PathTable, GenerationsWrap) {
    PathTable table(1, 3);
    for (int i = 1; i <= 600; ++i) {
        const int packets = i % 5;
        for (int packet = 0; packet < packets; ++packet)
            table.count(PathIndex{0}, after(1000 * i));
        const auto generation = table.repath(PathIndex{0}, after(1000 * i), kRest);
        ASSERT_TRUE(generation);
        EXPECT_EQ(generation->value, i % 256);
        const PathGeneration before{static_cast<std::uint8_t>(i - 1)};
        ASSERT_NE(table.find(PathIndex{0}, before), nullptr);
        EXPECT_EQ(table.find(PathIndex{0}, before)->packets, static_cast<std::uint64_t>(packets));
        table.settle(PathIndex{0}, after(1000 * i + 1));
    }
}

TEST(PathTable, NoPortEverCarriesTwoPathsOrGenerationsAtOnce) {
    PathTable table(16, 24);
    Random random(7);
    std::int64_t now = 0;
    int moved = 0;
    for (int i = 0; i < 20'000; ++i) {
        now += random.below(20);
        const PathIndex path{static_cast<std::uint16_t>(random.below(16))};
        if (random.below(2) == 0) {
            moved += table.repath(path, after(now), kRest).ok() ? 1 : 0;
        } else {
            table.settle(path, after(now));
        }
        std::set<std::uint16_t> taken;
        for (std::uint16_t p = 0; p < table.size(); ++p)
            ASSERT_TRUE(taken.insert(table[PathIndex{p}].port).second);
        for (const RetiredPath& retired : table.retired())
            ASSERT_TRUE(taken.insert(retired.count.port).second);
        ASSERT_LT(*taken.rbegin(), 24);
        ASSERT_LE(table.retired().size(), 8U);
    }
    EXPECT_GT(moved, 100);
}

}  // namespace
}  // namespace dyetrace::tracking
