// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/base/counted_heap.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "core/base/heap.h"

namespace dyetrace::test {
namespace {

/// Just before what was asked for.
struct Header {
    std::size_t counted = 0;  ///< what it counts for
    void* memory = nullptr;   ///< what malloc gave
};
static_assert(sizeof(Header) == alignof(std::max_align_t));

}  // namespace

void* CountedHeap::allocate(std::size_t bytes, std::size_t alignment) {
    ++allocations_;
    void* memory = std::malloc(sizeof(Header) + alignment + bytes);
    if (memory == nullptr) throw std::bad_alloc();
    const Header header{depth_ > 0 ? heap::block(std::max<std::size_t>(bytes, 1), alignment) : 0, memory};
    in_use_ += header.counted;
    peak_ = std::max(peak_, in_use_);
    const auto after = reinterpret_cast<std::uintptr_t>(memory) + sizeof(Header);
    const auto aligned = (after + alignment - 1) / alignment * alignment;
    return new (reinterpret_cast<void*>(aligned - sizeof(Header))) Header(header) + 1;
}

void CountedHeap::release(void* memory) noexcept {
    if (memory == nullptr) return;
    const Header header = *(static_cast<Header*>(memory) - 1);
    in_use_ -= header.counted;
    std::free(header.memory);
}

}  // namespace dyetrace::test

using dyetrace::test::CountedHeap;

void* operator new(std::size_t size) {
    return CountedHeap::allocate(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size) {
    return CountedHeap::allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return CountedHeap::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return CountedHeap::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    CountedHeap::release(memory);
}
void operator delete[](void* memory) noexcept {
    CountedHeap::release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    CountedHeap::release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    CountedHeap::release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    CountedHeap::release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    CountedHeap::release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    CountedHeap::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    CountedHeap::release(memory);
}
