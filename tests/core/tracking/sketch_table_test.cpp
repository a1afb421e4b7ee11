// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/sketch_table.h"

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using tracking::SketchTable;

void fill(SketchTable& table, SketchTable::Id id, std::int64_t from = 10'000) {
    for (std::int64_t delay = from; delay < 200 * from; delay += delay / 40 + 1)
        table.add(id, {delay}, std::nullopt);
}

TEST(SketchTable, ASketchIsOfRawDelaysUntilTheFirstCorrectedOne) {
    SketchTable table(1000);
    const auto id = table.open();
    table.add(id, {500}, std::nullopt);
    table.add(id, {600}, std::nullopt);
    EXPECT_FALSE(table.is_corrected(id));
    EXPECT_EQ(table[id].count(), 2U);
    table.add(id, {700}, Duration{-7});
    EXPECT_TRUE(table.is_corrected(id));
    EXPECT_EQ(table[id].count(), 1U);
    EXPECT_EQ(table[id].min(), -7);  // shown as it is
    table.add(id, {800}, std::nullopt);
    EXPECT_EQ(table[id].count(), 1U);
    EXPECT_EQ(table[id].not_recorded(), 0U);
}

TEST(SketchTable, AClosedSketchGivesItsNodesBackAndTheNextOneIsEmpty) {
    SketchTable table(1000);
    const auto id = table.open();
    const std::size_t free = table.nodes_free();
    fill(table, id);
    EXPECT_LT(table.nodes_free(), free);
    table.close(id);
    EXPECT_EQ(table.nodes_free(), free);
    EXPECT_EQ(table.count(), 0U);
    const auto next = table.open();
    EXPECT_EQ(next, id);
    EXPECT_FALSE(table[next].min());
    EXPECT_FALSE(table.is_corrected(next));
}

TEST(SketchTable, ThePoolGrowsWithTheSketchesUpToItsBound) {
    constexpr std::size_t kMost = 100;
    SketchTable table(kMost);
    EXPECT_EQ(table.nodes(), 0U);
    std::vector<SketchTable::Id> ids;
    for (int i = 0; i < 20; ++i) {
        ids.push_back(table.open());
        fill(table, ids.back());
        EXPECT_LE(table.nodes(), kMost);
    }
    EXPECT_EQ(table.nodes(), kMost);
    EXPECT_EQ(table[ids.front()].not_recorded(), 0U);  // there was room
    EXPECT_GT(table[ids.back()].not_recorded(), 0U);   // there was not, and it says so
}

TEST(SketchTable, NoSketchTakesAll) {
    SketchTable table(10'000);
    const auto greedy = table.open();
    for (int i = 0; i < 10; ++i)
        (void)table.open();
    for (std::int64_t value = 1; value < std::int64_t{1} << 61; value += value / 50 + 1) {
        table.add(greedy, {value}, std::nullopt);
        table.add(greedy, {-value}, std::nullopt);
    }
    EXPECT_EQ(table[greedy].nodes(), SketchTable::kNodesMost);
    EXPECT_GT(table[greedy].not_recorded(), 0U);
}

TEST(SketchTable, ACopyGoesItsOwnWay) {
    SketchTable table(1000);
    const auto gone = table.open();
    const auto id = table.open();
    fill(table, id);
    table.close(gone);
    SketchTable copy = table;
    EXPECT_EQ(copy[id], table[id]);
    EXPECT_EQ(copy.count(), 1U);
    const std::uint64_t before = table[id].count();
    fill(copy, id, 77);
    EXPECT_EQ(table[id].count(), before);
    EXPECT_GT(copy[id].count(), before);
    copy = table;
    EXPECT_EQ(copy[id], table[id]);
    EXPECT_EQ(copy.open(), gone);
}

TEST(FittedSketch, IsAsItWasWhereThereIsRoomAndCoarserWhereThereIsNot) {
    SketchTable table(1000);
    const auto id = table.open();
    fill(table, id);
    std::vector<std::uint8_t> encoded(1024);
    encoded.resize(table[id].encode_into(encoded).value());
    EXPECT_EQ(tracking::fitted_sketch(encoded, 1024), encoded);
    const std::size_t room = encoded.size() / 2;
    const auto coarser = tracking::fitted_sketch(encoded, room);
    ASSERT_TRUE(coarser);
    EXPECT_LE(coarser->size(), room);
    EXPECT_TRUE(tracking::fitted_sketch(*coarser, 1024));
    EXPECT_FALSE(tracking::fitted_sketch(Bytes(encoded).first(encoded.size() - 1), 1024));
    EXPECT_FALSE(tracking::fitted_sketch({}, 1024));
}

}  // namespace
}  // namespace dyetrace::test
