// SPDX-License-Identifier: GPL-2.0-or-later
// One frame, processed in place in a buffer with headroom.
//
//      data        begin                     end
//       | headroom  | head: bytes held here   |  . . . tail: payload held elsewhere . . .
//
// The engine reads and writes headers only. An owner may therefore keep the rest of a frame's payload
// elsewhere (a simulator that never stores it, an iovec) and just say how long it is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace dyetrace::wire {

struct FrameBuffer {
    std::uint8_t* data = nullptr;  ///< start of the memory; owned by the caller
    std::size_t begin = 0;         ///< offset of the frame's first byte: the headroom's length
    std::size_t end = 0;           ///< offset past the last byte held here
    std::size_t tail = 0;          ///< payload bytes that follow on the wire and are not held here

    [[nodiscard]] std::size_t head_size() const { return end - begin; }
    [[nodiscard]] std::size_t wire_size() const { return head_size() + tail; }
    [[nodiscard]] MutableBytes head() const { return {data + begin, head_size()}; }
    /// Moves the frame's start forward over `n` bytes of header. Precondition: n <= head_size().
    void strip(std::size_t n) {
        DYETRACE_ASSERT(n <= head_size());
        begin += n;
    }
    /// Opens `n` bytes in front of the frame for the caller to fill. Precondition: n <= begin.
    MutableBytes prepend(std::size_t n) {
        DYETRACE_ASSERT(n <= begin);
        begin -= n;
        return {data + begin, n};
    }
};

}  // namespace dyetrace::wire
