// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/vxlan.h"

namespace dyetrace::wire {
namespace {
constexpr std::uint8_t kFlagVni = 0x08;
}  // namespace

Result<VxlanHeader, DropReason> VxlanHeader::parse(Bytes bytes) {
    if (bytes.size() < kSize) return Failure{DropReason::VxlanTruncated};
    if ((bytes[0] & kFlagVni) == 0) return Failure{DropReason::VxlanNoVni};
    return VxlanHeader{Vni{load_u32(&bytes[4]) >> 8}};
}

void VxlanHeader::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u8(kFlagVni);
    out.zeros(3);
    out.u32(vni.value << 8);
}

}  // namespace dyetrace::wire
