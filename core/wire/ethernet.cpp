// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/ethernet.h"

namespace dyetrace::wire {

void EthernetHeader::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.bytes(destination.octets);
    out.bytes(source.octets);
    out.u16(ether_type);
}

}  // namespace dyetrace::wire
