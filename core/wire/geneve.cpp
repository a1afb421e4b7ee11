// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/geneve.h"

namespace dyetrace::wire {

void GeneveHeader::encode_into(MutableBytes bytes) const {
    DYETRACE_ASSERT(options_length % 4 == 0 && options_length <= 252);
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(options_length / 4));
    out.u8(static_cast<std::uint8_t>((control ? 0x80 : 0) | (critical ? 0x40 : 0)));
    out.u16(protocol_type);
    out.u32(vni.value << 8);
}

}  // namespace dyetrace::wire
