// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/ipv4.h"

#include "core/wire/checksum.h"

namespace dyetrace::wire {
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
