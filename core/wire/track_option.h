// SPDX-License-Identifier: GPL-2.0-or-later
// The track option: what makes an encapsulation packet a tracked packet. A Geneve option (RFC 8926 §3.5) of
// an experimental class (§7: 0xff00 to 0xffff), not critical, of fixed length.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Option Class         |0|  Type (1)   |R|R|R| Len(10) |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                           Session id                          |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |           Path index          |  Generation   |    Flags    |C|
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                        Sequence number                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                 Transmit timestamp (nanoseconds,              |
//   |                      sender's own clock)                      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |             Cumulative count of all data packets of           |
//   |          this path generation, this packet included           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Inner length         |         Inner checksum        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    SipHash-2-4 tag (64 bits)                  |
//   |                                                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// C: the outer ECN field was CE already when the packet was sent, so a CE that arrives is not the fabric's.
//
// Inner length and checksum (RFC 1071, over the guest's frame from its Ethernet header on, as it was
// encapsulated) are the *own check*, which tells a packet that was damaged from one that was lost. UDP over
// IPv4 has none (RFC 8926 §3.3).
//
// The tag covers every field above it from the session id on, the outer source port and the VNI, under a key
// of this session and its two addresses alone (core/auth).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

struct TrackOption {
    static constexpr std::uint16_t kClassDefault = 0xff44;
    static constexpr std::uint8_t kType = 0x01;
    static constexpr std::size_t kDataSize = 40;
    static constexpr std::size_t kSize = 4 + kDataSize;  ///< with the option header
    static constexpr std::size_t kTagOffset = kSize - 8;
    static constexpr std::size_t kTaggedOffset = 4;  ///< the tag covers [kTaggedOffset, kTagOffset)

    static constexpr std::uint8_t kFlagSentCe = 0x01;  ///< sent with CE in the outer ECN field

    SessionId session;
    PathIndex path;
    PathGeneration generation;
    std::uint8_t flags = 0;  ///< kFlag...; others are written as zero and ignored on receipt
    std::uint32_t sequence = 0;
    std::int64_t transmit_ns = 0;
    std::uint64_t count = 0;
    std::uint16_t inner_length = 0;    ///< bytes of the guest's frame
    std::uint16_t inner_checksum = 0;  ///< of them, RFC 1071
    std::uint64_t tag = 0;

    bool operator==(const TrackOption&) const = default;

    /// `data` is the option's data, without its header.
    static Result<TrackOption, DropReason> parse(Bytes data);
    /// The same of what has the right length, and so cannot fail.
    static TrackOption read(std::span<const std::uint8_t, kDataSize> data);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Writes header and data. Precondition: bytes.size() >= kSize.
    void encode_into(MutableBytes bytes, std::uint16_t option_class) const;
};

// Read and written by whole words, which is also how the tag takes them.
inline TrackOption TrackOption::read(std::span<const std::uint8_t, kDataSize> data) {
    ByteReader in(data);
    TrackOption option;
    const std::uint64_t names = in.u64();
    option.session = SessionId{static_cast<std::uint32_t>(names >> 32)};
    option.path = PathIndex{static_cast<std::uint16_t>(names >> 16)};
    option.generation = PathGeneration{static_cast<std::uint8_t>(names >> 8)};
    option.flags = static_cast<std::uint8_t>(names);
    const std::uint64_t first = in.u64();
    const std::uint64_t second = in.u64();
    const std::uint64_t third = in.u64();
    option.sequence = static_cast<std::uint32_t>(first >> 32);
    option.transmit_ns = static_cast<std::int64_t>(first << 32 | second >> 32);
    option.count = second << 32 | third >> 32;
    option.inner_length = static_cast<std::uint16_t>(third >> 16);
    option.inner_checksum = static_cast<std::uint16_t>(third);
    option.tag = in.u64();
    return option;
}

inline Result<TrackOption, DropReason> TrackOption::parse(Bytes data) {
    if (data.size() != kDataSize) return Failure{DropReason::TrackBadLength};
    return read(data.first<kDataSize>());
}

inline void TrackOption::encode_into(MutableBytes bytes, std::uint16_t option_class) const {
    const auto transmit = static_cast<std::uint64_t>(transmit_ns);
    ByteWriter out(bytes);
    out.u32(std::uint32_t{option_class} << 16 | std::uint32_t{kType} << 8 | kDataSize / 4);
    out.u64(std::uint64_t{session.value} << 32 | std::uint64_t{path.value} << 16 |
            std::uint64_t{generation.value} << 8 | flags);
    out.u64(std::uint64_t{sequence} << 32 | transmit >> 32);
    out.u64(transmit << 32 | count >> 32);
    out.u64(count << 32 | std::uint64_t{inner_length} << 16 | inner_checksum);
    out.u64(tag);
}

}  // namespace dyetrace::wire
