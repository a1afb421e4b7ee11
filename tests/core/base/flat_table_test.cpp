// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/flat_table.h"

#include <cstdint>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace {
namespace {

struct MixedHash {
    std::size_t operator()(std::uint64_t key) const { return mix64(key); }
};
/// All keys collide.
struct SameHash {
    std::size_t operator()(std::uint64_t) const { return 5; }
};

TEST(FlatTable, EmptyOneHasNothing) {
    const FlatTable<std::uint64_t, int, MixedHash> table;
    EXPECT_EQ(table.size(), 0U);
    EXPECT_EQ(table.find(0), nullptr);  // zero is a key like any other
    EXPECT_FALSE(table.contains(1));
}

TEST(FlatTable, KeyOfAllZerosIsToldFromAFreeSlot) {
    FlatTable<std::uint64_t, int, MixedHash> table;
    table[1] = 7;
    EXPECT_FALSE(table.contains(0));
    table[0] = 8;
    ASSERT_TRUE(table.contains(0));
    EXPECT_EQ(*table.find(0), 8);
    EXPECT_EQ(table.size(), 2U);
}

TEST(FlatTable, SecondInsertionOfAKeyReplacesTheValue) {
    FlatTable<std::uint64_t, std::string, MixedHash> table;
    table[3] = "first";
    table[3] = "second";
    EXPECT_EQ(table.size(), 1U);
    EXPECT_EQ(*table.find(3), "second");
}

template <class Hash>
void expect_same(const FlatTable<std::uint64_t, std::uint64_t, Hash>& table,
                 const std::map<std::uint64_t, std::uint64_t>& expected, std::uint32_t keys) {
    for (std::uint64_t key = 0; key < keys; ++key) {
        const auto it = expected.find(key);
        const std::uint64_t* const found = table.find(key);
        ASSERT_EQ(found != nullptr, it != expected.end()) << key;
        if (found != nullptr) {
            ASSERT_EQ(*found, it->second) << key;
        }
    }
}

template <class Hash>
void agrees_with_a_map(std::uint32_t keys, int insertions) {
    FlatTable<std::uint64_t, std::uint64_t, Hash> table;
    std::map<std::uint64_t, std::uint64_t> expected;
    Random random(1);
    for (int i = 0; i < insertions; ++i) {
        const std::uint64_t key = random.below(keys);
        const std::uint64_t value = random.next();
        table[key] = value;
        expected[key] = value;
        ASSERT_EQ(table.size(), expected.size());
    }
    expect_same(table, expected, keys);
}

TEST(FlatTable, AgreesWithAMapThroughManyGrowths) {
    agrees_with_a_map<MixedHash>(20'000, 15'000);
}

TEST(FlatTable, KeysThatAllCollideAreToldApart) {
    agrees_with_a_map<SameHash>(200, 300);
}

template <class Hash>
void agrees_with_a_map_where_keys_come_and_go(std::uint32_t keys, int steps) {
    FlatTable<std::uint64_t, std::uint64_t, Hash> table;
    std::map<std::uint64_t, std::uint64_t> expected;
    Random random(2);
    for (int i = 0; i < steps; ++i) {
        const std::uint64_t key = random.below(keys);
        if (random.below(2) == 0) {
            ASSERT_EQ(table.erase(key), expected.erase(key) == 1) << key;
        } else {
            table[key] = expected[key] = random.next();
        }
        ASSERT_EQ(table.size(), expected.size());
    }
    expect_same(table, expected, keys);
}

TEST(FlatTable, AgreesWithAMapWhereKeysComeAndGo) {
    agrees_with_a_map_where_keys_come_and_go<MixedHash>(300, 30'000);
}

TEST(FlatTable, KeysThatAllCollideComeAndGo) {
    agrees_with_a_map_where_keys_come_and_go<SameHash>(60, 5'000);
}

TEST(FlatTable, WhatIsNotThereIsNotTakenOut) {
    FlatTable<std::uint64_t, int, MixedHash> table;
    EXPECT_FALSE(table.erase(0));
    table[1] = 7;
    EXPECT_FALSE(table.erase(0));
    EXPECT_TRUE(table.erase(1));
    EXPECT_FALSE(table.erase(1));
    EXPECT_EQ(table.size(), 0U);
}

TEST(FlatTable, ComingAndGoingForEverTakesNoMoreMemory) {
    FlatTable<std::uint64_t, int, MixedHash> table;
    for (std::uint64_t key = 0; key < 7; ++key)
        table[key] = 1;
    const int* const first = table.find(4);
    for (std::uint64_t key = 5; key < 100'000; ++key) {
        table[key] = 1;
        ASSERT_TRUE(table.erase(key));
    }
    EXPECT_EQ(table.find(4), first);  // nothing was laid out anew
}

TEST(FlatTable, KeepsAThirdOfItsSlotsFreeSoThatLookUpsEnd) {
    FlatTable<std::uint64_t, int, SameHash> table;
    for (std::uint64_t key = 0; key < 100; ++key) {
        table[key] = 1;
        EXPECT_FALSE(table.contains(key + 1));  // would never return in a full table
    }
}

}  // namespace
}  // namespace dyetrace
