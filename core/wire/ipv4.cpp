// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/ipv4.h"

#include "core/wire/checksum.h"

namespace dyetrace::wire {
namespace {
constexpr std::uint16_t kFlagDontFragment = 0x4000;
constexpr std::uint16_t kFlagMoreFragments = 0x2000;
constexpr std::uint16_t kFragmentOffsetMask = 0x1fff;
}  // namespace

Result<Ipv4Header, DropReason> Ipv4Header::parse(Bytes bytes, std::size_t wire_size) {
    if (bytes.size() < kSize) return Failure{DropReason::Ipv4Truncated};
    if (bytes[0] >> 4 != 4) return Failure{DropReason::Ipv4BadVersion};
    const std::size_t header_bytes = static_cast<std::size_t>(bytes[0] & 0xf) * 4;
    if (header_bytes < kSize) return Failure{DropReason::Ipv4BadHeaderLength};
    if (bytes.size() < header_bytes) return Failure{DropReason::Ipv4Truncated};
    Ipv4Header header;
    header.total_length = load_u16(&bytes[2]);
    if (header.total_length < header_bytes || header.total_length > wire_size) {
        return Failure{DropReason::Ipv4BadTotalLength};
    }
    if (checksum_finish(checksum_add(bytes.first(header_bytes))) != 0)
        return Failure{DropReason::Ipv4BadChecksum};
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
    header.header_length = static_cast<std::uint8_t>(header_bytes);
    return header;
}

void Ipv4Header::encode_into(MutableBytes bytes) const {
    DYETRACE_ASSERT(bytes.size() >= kSize);
    bytes[0] = 0x45;
    bytes[1] = static_cast<std::uint8_t>(dscp << 2 | static_cast<std::uint8_t>(ecn));
    store_u16(&bytes[2], total_length);
    store_u16(&bytes[4], identification);
    store_u16(&bytes[6], static_cast<std::uint16_t>((dont_fragment ? kFlagDontFragment : 0) |
                                                    (more_fragments ? kFlagMoreFragments : 0) |
                                                    (fragment_offset & kFragmentOffsetMask)));
    bytes[8] = ttl;
    bytes[9] = protocol;
    store_u16(&bytes[10], 0);
    store_u32(&bytes[12], source.value);
    store_u32(&bytes[16], destination.value);
    store_u16(&bytes[10], checksum_finish(checksum_add(bytes.first(kSize))));
}

void set_ipv4_ecn(MutableBytes bytes, Ecn ecn) {
    DYETRACE_ASSERT(bytes.size() >= Ipv4Header::kSize);
    const std::uint16_t before = load_u16(&bytes[0]);
    const auto after = static_cast<std::uint16_t>((before & ~3U) | static_cast<std::uint8_t>(ecn));
    store_u16(&bytes[0], after);
    store_u16(&bytes[10], checksum_update(load_u16(&bytes[10]), before, after));
}

}  // namespace dyetrace::wire
