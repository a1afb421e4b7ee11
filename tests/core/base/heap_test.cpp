// SPDX-License-Identifier: GPL-2.0-or-later
// The formulas for the heap against what malloc gives and containers ask for.
#include "core/base/heap.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

#include "core/base/flat_table.h"
#include "core/base/random.h"
#include "core/base/stable_vector.h"
#include "core/base/timer_queue.h"
#include "tests/core/base/counted_heap.h"

namespace dyetrace::test {
namespace {

template <std::size_t kSize>
using Thing = std::array<std::uint64_t, kSize / 8>;

constexpr std::size_t kMost = 5000;

TEST(Heap, ABlockIsWhatMallocGives) {
    const auto taken = [](std::size_t bytes) {
        void* const memory = std::malloc(bytes);
        const std::size_t usable = malloc_usable_size(memory);
        std::free(memory);
        return usable + sizeof(std::size_t);
    };
    // Both ways: a sanitizer's malloc has rules of its own, and gives no more than was asked for.
    for (std::size_t bytes = 1; bytes < 100'000; bytes += 1 + bytes / 50) {
        EXPECT_GE(heap::block(bytes), taken(bytes)) << bytes;
        EXPECT_LE(heap::block(bytes), std::max<std::size_t>(32, bytes + 24)) << bytes;
    }
    for (const std::size_t bytes : {150'000U, 1'000'000U, 10'000'000U}) {
        EXPECT_GE(heap::block(bytes), taken(bytes)) << bytes;
        EXPECT_LE(heap::block(bytes), bytes + 4096 + 32) << bytes;
    }
    EXPECT_EQ(heap::block(0), 0U);
}

/// Grows a container to each size up to kMost: the peak is never above `bound` of it, and what is left is at
/// least one `share`th of what the bound says is kept.
template <class Container, class Add, class Bound>
void expect_bounded(const char* what, Add&& add, Bound&& bound, std::size_t share) {
    CountedHeap::Scope scope;
    const std::size_t before = CountedHeap::in_use();
    {
        Container container;
        for (std::size_t count = 1; count <= kMost; ++count) {
            CountedHeap::reset_peak();
            add(container, count - 1);
            const std::size_t peak = CountedHeap::peak() - before;
            const std::size_t now = CountedHeap::in_use() - before;
            const heap::Need need = bound(count);
            if (peak > need.bytes() || now > need.kept || (count >= 100 && now < need.kept / share)) {
                ADD_FAILURE() << what << " of " << count << ": " << now << " bytes, at most " << peak
                              << ", bound " << need.kept << " and " << need.moved;
                return;
            }
        }
    }
    EXPECT_EQ(CountedHeap::in_use(), before);
}

struct NumberHash {
    std::size_t operator()(std::size_t number) const { return table_hash(number); }
};

template <std::size_t kSize>
void expect_all_bounded() {
    using T = Thing<kSize>;
    using Flat = FlatTable<std::size_t, T, NumberHash>;
    const auto push = [](auto& container, std::size_t) { container.push_back(T{}); };
    const auto emplace = [](auto& container, std::size_t i) { container.emplace(i * 7919, T{}); };
    const auto put = [](auto& container, std::size_t i) { container[i * 7919] = T{}; };
    expect_bounded<std::vector<T>>("vector", push, &heap::grown_vector<T>, 1);
    expect_bounded<std::list<T>>("list", push, &heap::list<T>, 1);
    expect_bounded<std::deque<T>>("deque", push, &heap::deque<T>, 2);
    expect_bounded<std::map<std::size_t, T>>("map", emplace, &heap::map<std::size_t, T>, 1);
    expect_bounded<Flat>("flat table", put, &Flat::memory_bound, 1);
    const auto append = [](auto& container, std::size_t) { container.emplace_back(); };
    expect_bounded<StableVector<T>>("stable vector", append, &StableVector<T>::memory_bound, 1);
}

TEST(Heap, ContainersKeepTheirBoundsAtEverySize) {
    expect_all_bounded<8>();
    expect_all_bounded<40>();
    expect_all_bounded<200>();
    expect_all_bounded<504>();
    expect_all_bounded<1000>();
}

TEST(Heap, TimersThatGrowOneByOneKeepTheirBound) {
    const auto set = [](TimerQueue& timers, std::size_t key) {
        timers.reserve(key + 1);
        timers.set(static_cast<std::uint32_t>(key), Time{static_cast<std::int64_t>(key)});
    };
    expect_bounded<TimerQueue>("timers", set, &TimerQueue::memory_bound, 1);
}

TEST(Heap, AReservedVectorTakesOneBlock) {
    CountedHeap::Scope scope;
    for (const std::size_t count : {1U, 2U, 3U, 100U, 1000U}) {
        const std::size_t before = CountedHeap::in_use();
        std::vector<std::uint32_t> vector;
        vector.reserve(count);
        EXPECT_EQ(CountedHeap::in_use() - before, heap::vector<std::uint32_t>(count).bytes()) << count;
    }
    EXPECT_EQ(heap::vector<std::uint32_t>(0).bytes(), 0U);
}

/// Blocks of a queue move along its table of addresses, whose size depends on how they came there.
TEST(Heap, AQueueThatFillsAndEmptiesInAnyOrderKeepsItsBound) {
    CountedHeap::Scope scope;
    for (const std::size_t most : {1U, 5U, 16U, 100U, 1000U}) {
        const std::size_t before = CountedHeap::in_use();
        CountedHeap::reset_peak();
        std::deque<Thing<64>> queue;
        Random random(most);
        for (int round = 0; round < 200; ++round) {
            for (std::size_t wanted = random.next_u32() % (most + 1); queue.size() < wanted;)
                queue.push_back({});
            for (std::size_t wanted = random.next_u32() % (most + 1); queue.size() > wanted;)
                queue.pop_front();
        }
        EXPECT_LE(CountedHeap::peak() - before, heap::deque<Thing<64>>(most).bytes()) << most;
    }
}

TEST(Heap, OfManyThatGrowOneAtATimeOnlyOneIsMoved) {
    const heap::Need one{100, 50};
    const heap::Need other{10, 8};
    EXPECT_EQ(one + other, (heap::Need{110, 50}));
    EXPECT_EQ(3 * other, (heap::Need{30, 8}));
    EXPECT_EQ(0 * other, heap::Need{});
}

TEST(Heap, CountsOnlyWhatIsAllocatedInsideAScope) {
    const std::size_t before = CountedHeap::in_use();
    auto* outside = new std::vector<int>(100);
    EXPECT_EQ(CountedHeap::in_use(), before);
    std::vector<int>* inside = nullptr;
    {
        CountedHeap::Scope scope;
        delete outside;
        EXPECT_EQ(CountedHeap::in_use(), before);
        inside = new std::vector<int>(100);
    }
    EXPECT_EQ(CountedHeap::in_use(), before + heap::block(sizeof *inside) + heap::block(400));
    delete inside;
    EXPECT_EQ(CountedHeap::in_use(), before);
}

TEST(Heap, WhatIsAlignedIsCountedToo) {
    struct alignas(64) Line {
        std::array<char, 64> bytes;
    };
    CountedHeap::Scope scope;
    const std::size_t before = CountedHeap::in_use();
    const std::vector<Line> lines(10);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(lines.data()) % 64, 0U);
    EXPECT_EQ(CountedHeap::in_use() - before, heap::vector<Line>(10).bytes());
}

}  // namespace
}  // namespace dyetrace::test
