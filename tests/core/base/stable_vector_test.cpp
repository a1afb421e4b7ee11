// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/stable_vector.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace {
namespace {

constexpr int kMany = 100;  // several pieces, the last one not full

StableVector<int> counted_to(int count) {
    StableVector<int> numbers;
    for (int i = 0; i < count; ++i)
        numbers.emplace_back(i);
    return numbers;
}

TEST(StableVector, HoldsItsElementsInOrder) {
    const StableVector<int> numbers = counted_to(kMany);
    ASSERT_EQ(numbers.size(), 100U);
    int expected = 0;
    for (const int number : numbers)
        EXPECT_EQ(number, expected++);
    EXPECT_EQ(expected, kMany);
    EXPECT_EQ(numbers[37], 37);
}

TEST(StableVector, NeverMovesAnElement) {
    StableVector<int> numbers;
    std::vector<const int*> addresses;
    for (int i = 0; i < kMany; ++i)
        addresses.push_back(&numbers.emplace_back(i));
    for (std::size_t i = 0; i < addresses.size(); ++i)
        EXPECT_EQ(addresses[i], &numbers[i]);
}

TEST(StableVector, ACopyIsItsOwnAndDoesNotMoveItsElementsEither) {
    StableVector<int> original = counted_to(20);
    StableVector<int> copy = original;
    const int* const last = &copy[19];
    copy[19] = -1;
    for (int i = 0; i < kMany; ++i)
        copy.emplace_back(i);
    EXPECT_EQ(last, &copy[19]);
    EXPECT_EQ(original[19], 19);
    EXPECT_EQ(original.size(), 20U);
}

TEST(StableVector, TakesWhatCanNotBeCopied) {
    StableVector<std::unique_ptr<int>> owners;
    owners.emplace_back(std::make_unique<int>(7));
    EXPECT_EQ(*owners[0], 7);
}

TEST(StableVector, OfNothingHasNoElements) {
    StableVector<int> nothing;
    for ([[maybe_unused]] const int element : nothing)
        ADD_FAILURE();
    EXPECT_EQ(nothing.size(), 0U);
}

}  // namespace
}  // namespace dyetrace
