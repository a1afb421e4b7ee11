// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/vlan.h"

namespace dyetrace::wire {

VlanTag VlanTag::parse(Bytes bytes) {
    const std::uint16_t control = load_u16(&bytes[2]);
    VlanTag tag;
    tag.protocol = load_u16(&bytes[0]);
    tag.priority = static_cast<std::uint8_t>(control >> 13);
    tag.drop_eligible = (control & 0x1000) != 0;
    tag.id = control & 0xfff;
    return tag;
}

void VlanTag::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u16(protocol);
    out.u16(static_cast<std::uint16_t>(priority << 13 | (drop_eligible ? 0x1000 : 0) | (id & 0xfff)));
}

}  // namespace dyetrace::wire
