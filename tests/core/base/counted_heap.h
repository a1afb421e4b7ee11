// SPDX-License-Identifier: GPL-2.0-or-later
// What some code holds of the heap. A program that has counted_heap.cpp among its sources gets its every
// `operator new` and `delete` from there.
#pragma once

#include <cstddef>

namespace dyetrace::test {

class CountedHeap {
  public:
    /// What is allocated while one is alive counts, until it is freed, by whomever.
    class Scope {
      public:
        Scope() { ++depth_; }
        ~Scope() { --depth_; }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
    };

    /// Bytes with what the allocator adds, as heap::block says.
    static std::size_t in_use() { return in_use_; }
    /// The most that was in use since `reset_peak`.
    static std::size_t peak() { return peak_; }
    static void reset_peak() { peak_ = in_use_; }
    /// How often memory was asked for since the program began, inside a Scope or not.
    static std::size_t allocations() { return allocations_; }

    static void* allocate(std::size_t bytes, std::size_t alignment);
    static void release(void* memory) noexcept;

  private:
    static inline std::size_t allocations_ = 0;
    static inline std::size_t in_use_ = 0;
    static inline std::size_t peak_ = 0;
    static inline int depth_ = 0;
};

}  // namespace dyetrace::test
