// SPDX-License-Identifier: GPL-2.0-or-later
// IPv4 header (RFC 791 §3.1; DSCP RFC 2474; ECN RFC 3168).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version|  IHL  |   DSCP    |ECN|          Total length         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Identification        |Flags|     Fragment offset     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |      TTL      |    Protocol   |        Header checksum        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                         Source address                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                      Destination address                      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/checksum.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kProtocolTcp = 6;
constexpr std::uint8_t kProtocolUdp = 17;

/// ECN codepoints, RFC 3168 §5.
enum class Ecn : std::uint8_t { NotEct = 0, Ect1 = 1, Ect0 = 2, Ce = 3 };

struct Ipv4Header {
    static constexpr std::size_t kSize = 20;  ///< as encoded: without options
    static constexpr std::uint8_t kTtlDefault = 64;
    static constexpr std::uint16_t kFlagDontFragment = 0x4000;
    static constexpr std::uint16_t kFlagMoreFragments = 0x2000;
    static constexpr std::uint16_t kFragmentOffsetMask = 0x1fff;

    std::uint8_t dscp = 0;  ///< 6 bits
    Ecn ecn = Ecn::NotEct;
    std::uint16_t total_length = 0;  ///< bytes, header included
    std::uint16_t identification = 0;
    bool dont_fragment = true;
    bool more_fragments = false;
    std::uint16_t fragment_offset = 0;  ///< in units of 8 bytes
    std::uint8_t ttl = kTtlDefault;
    std::uint8_t protocol = 0;
    Ipv4Address source;
    Ipv4Address destination;
    std::uint8_t header_length = kSize;  ///< bytes; above kSize when the packet read has options

    bool operator==(const Ipv4Header&) const = default;

    /// Reads and checks a header. `wire_size` is the packet's length on the wire from this header on, which
    /// may exceed `bytes` where the payload is held elsewhere. Padding behind the total length is allowed
    /// (Ethernet).
    static Result<Ipv4Header, DropReason> parse(Bytes bytes, std::size_t wire_size);
    /// Why `parse` refuses it, for whoever then reads single fields in place.
    static Refusal refusal(Bytes bytes, std::size_t wire_size);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Writes the header without options and with its checksum. Precondition: bytes.size() >= kSize.
    void encode_into(MutableBytes bytes) const;
};

inline Refusal Ipv4Header::refusal(Bytes bytes, std::size_t wire_size) {
    if (bytes.size() < kSize) return DropReason::Ipv4Truncated;
    const std::uint8_t* const p = bytes.data();
    if (p[0] >> 4 != 4) return DropReason::Ipv4BadVersion;
    const std::size_t header_bytes = static_cast<std::size_t>(p[0] & 0xf) * 4;
    if (header_bytes < kSize) return DropReason::Ipv4BadHeaderLength;
    if (bytes.size() < header_bytes) return DropReason::Ipv4Truncated;
    const std::size_t total_length = load_u16(p + 2);
    if (total_length < header_bytes || total_length > wire_size) return DropReason::Ipv4BadTotalLength;
    const bool is_sound = header_bytes == kSize
                              ? is_ipv4_sum_right(p)
                              : checksum_finish(checksum_add(bytes.first(header_bytes))) == 0;
    if (!is_sound) return DropReason::Ipv4BadChecksum;
    return std::nullopt;
}

inline Result<Ipv4Header, DropReason> Ipv4Header::parse(Bytes bytes, std::size_t wire_size) {
    if (const auto refused = refusal(bytes, wire_size)) return Failure{*refused};
    Ipv4Header header;
    header.total_length = load_u16(&bytes[2]);
    header.dscp = bytes[1] >> 2;
    header.ecn = static_cast<Ecn>(bytes[1] & 3);
    header.identification = load_u16(&bytes[4]);
    const std::uint16_t fragment = load_u16(&bytes[6]);
    header.dont_fragment = (fragment & kFlagDontFragment) != 0;
    header.more_fragments = (fragment & kFlagMoreFragments) != 0;
    header.fragment_offset = fragment & kFragmentOffsetMask;
    header.ttl = bytes[8];
    header.protocol = bytes[9];
    header.source = Ipv4Address{load_u32(&bytes[12])};
    header.destination = Ipv4Address{load_u32(&bytes[16])};
    header.header_length = static_cast<std::uint8_t>((bytes[0] & 0xf) * 4);
    return header;
}

/// Sets the ECN field of an encoded IPv4 header and mends its checksum. Precondition: bytes.size() >= 20.
void set_ipv4_ecn(MutableBytes bytes, Ecn ecn);
/// Sets the TTL, likewise.
inline void set_ipv4_ttl(MutableBytes bytes, std::uint8_t ttl) {
    DYETRACE_ASSERT(bytes.size() >= Ipv4Header::kSize);
    const std::uint16_t before = load_u16(&bytes[8]);
    bytes[8] = ttl;
    store_u16(&bytes[10], checksum_update(load_u16(&bytes[10]), before, load_u16(&bytes[8])));
}

}  // namespace dyetrace::wire
