// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/ethernet.h"

#include <algorithm>

namespace dyetrace::wire {

Result<EthernetHeader, DropReason> EthernetHeader::parse(Bytes bytes) {
    if (bytes.size() < kSize) return Failure{DropReason::EthernetTruncated};
    EthernetHeader header;
    std::copy_n(bytes.begin(), 6, header.destination.octets.begin());
    std::copy_n(bytes.begin() + 6, 6, header.source.octets.begin());
    header.ether_type = load_u16(&bytes[12]);
    return header;
}

void EthernetHeader::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.bytes(destination.octets);
    out.bytes(source.octets);
    out.u16(ether_type);
}

}  // namespace dyetrace::wire
