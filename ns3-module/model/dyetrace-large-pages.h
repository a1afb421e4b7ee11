// SPDX-License-Identifier: GPL-2.0-or-later
// Memory in the processor's large pages, where the system has them: a large fabric has more small pages in
// use than the processor remembers the places of. Not installed.
#ifndef DYETRACE_LARGE_PAGES_H
#define DYETRACE_LARGE_PAGES_H

#include <cstddef>
#include <new>

namespace ns3 {

/// What asks for less gets plain memory, at the beginning of a cache line.
constexpr std::size_t DyetraceLargePage = std::size_t{1} << 21;

/// Throws std::bad_alloc.
void* DyetraceAllocatePages(std::size_t bytes);
/// \param bytes as they were asked for
void DyetraceFreePages(void* memory, std::size_t bytes);

/// For containers of what every packet touches.
template <class T>
struct DyetraceLargePages {
    using value_type = T;

    DyetraceLargePages() = default;
    template <class Other>
    // NOLINTNEXTLINE(google-explicit-constructor): containers make one kind's allocator of another's
    DyetraceLargePages(const DyetraceLargePages<Other>&) {}

    T* allocate(std::size_t count) { return static_cast<T*>(DyetraceAllocatePages(count * sizeof(T))); }
    void deallocate(T* memory, std::size_t count) { DyetraceFreePages(memory, count * sizeof(T)); }

    bool operator==(const DyetraceLargePages&) const { return true; }
    bool operator!=(const DyetraceLargePages&) const { return false; }
};

}  // namespace ns3

#endif  // DYETRACE_LARGE_PAGES_H
