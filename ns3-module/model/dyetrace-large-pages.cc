// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-large-pages.h"

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace ns3 {

namespace {

constexpr std::size_t kCacheLine = 64;

std::align_val_t AlignmentOf(std::size_t bytes) {
    return std::align_val_t{bytes >= DyetraceLargePage ? DyetraceLargePage : kCacheLine};
}

}  // namespace

void* DyetraceAllocatePages(std::size_t bytes) {
    void* memory = ::operator new(bytes, AlignmentOf(bytes));
#ifdef MADV_HUGEPAGE
    // A wish: where it is not granted, small pages do.
    if (bytes >= DyetraceLargePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return memory;
}

void DyetraceFreePages(void* memory, std::size_t bytes) {
    ::operator delete(memory, AlignmentOf(bytes));
}

}  // namespace ns3
