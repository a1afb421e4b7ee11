// SPDX-License-Identifier: GPL-2.0-or-later
// One frame, processed in place in a buffer with headroom.
//
//      data        begin                     end
//       | headroom  | head: bytes held here   |  . . . tail: payload held elsewhere . . .
//
// The engine reads and writes headers only. An owner may therefore keep the rest of a frame's payload
// elsewhere (a simulator that never stores it, an iovec) and just say how long it is, and what it sums to:
// with that, checksums over the whole frame are made and verified without it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"
#include "core/wire/checksum.h"

namespace dyetrace::wire {

/// Bytes of which only the first are held here.
struct PartlyHeld {
    Bytes head;
    std::size_t tail = 0;
    std::uint16_t tail_sum = 0;  ///< as in FrameBuffer

    [[nodiscard]] std::size_t size() const { return head.size() + tail; }
};

/// Adds the 16-bit words of head and tail to `sum`, unfolded.
inline std::uint64_t checksum_add(const PartlyHeld& bytes, std::uint64_t sum = 0) {
    return checksum_add(bytes.head, sum) + checksum_at(bytes.tail_sum, bytes.head.size());
}

struct FrameBuffer {
    std::uint8_t* data = nullptr;  ///< start of the memory; owned by the caller
    std::size_t begin = 0;         ///< offset of the frame's first byte: the headroom's length
    std::size_t end = 0;           ///< offset past the last byte held here
    std::size_t tail = 0;          ///< payload bytes that follow on the wire and are not held here
    /// Folded sum (RFC 1071) of the tail's 16-bit words as if it began at an even offset; tails of zeros have
    /// 0. Padding of the link, if it is in the tail, is zeros.
    std::uint16_t tail_sum = 0;

    [[nodiscard]] std::size_t head_size() const { return end - begin; }
    [[nodiscard]] std::size_t wire_size() const { return head_size() + tail; }
    [[nodiscard]] MutableBytes head() const { return {data + begin, head_size()}; }
    /// The frame from `offset` on. Precondition: offset <= head_size().
    [[nodiscard]] PartlyHeld from(std::size_t offset) const {
        return {head().subspan(offset), tail, tail_sum};
    }
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

/// The Internet checksum of a whole frame, tail included: what a checksum field over it would hold. Every
/// tracked packet waits for it at both ends, so it is folded once, in few steps.
inline std::uint16_t inner_checksum(const PartlyHeld& frame) {
    const std::uint8_t* p = frame.head.data();
    std::size_t left = frame.head.size();
    std::uint64_t native = 0;  // in the machine's own byte order, as in checksum_add
    if (left >= kChecksumBlock) {
        native = native_sum_of_blocks(p, left / kChecksumBlock);
        p += left - left % kChecksumBlock;
        left %= kChecksumBlock;
    }
    std::uint32_t word = 0;
    for (; left >= sizeof word; left -= sizeof word, p += sizeof word) {
        std::memcpy(&word, p, sizeof word);
        native += word;
    }
    if (left > 0) {  // padded with zeros behind
        word = 0;
        std::memcpy(&word, p, left);
        native += word;
    }
    std::uint16_t folded = checksum_fold(native);
    if constexpr (std::endian::native == std::endian::little)
        folded = static_cast<std::uint16_t>(folded << 8 | folded >> 8);
    const std::uint32_t sum = std::uint32_t{folded} + checksum_at(frame.tail_sum, frame.head.size());
    return static_cast<std::uint16_t>(~((sum & 0xffff) + (sum >> 16)));
}
inline std::uint16_t inner_checksum(const FrameBuffer& frame) {
    return inner_checksum(frame.from(0));
}

}  // namespace dyetrace::wire
