// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/geneve.h"

namespace dyetrace::wire {

Result<GeneveHeader, DropReason> GeneveHeader::parse(Bytes bytes) {
    if (bytes.size() < kSize) return Failure{DropReason::GeneveTruncated};
    if (bytes[0] >> 6 != 0)
        return Failure{DropReason::GeneveBadVersion};  // §3.4: unknown version MUST be dropped
    GeneveHeader header;
    header.options_length = static_cast<std::size_t>(bytes[0] & 0x3f) * 4;
    if (bytes.size() < kSize + header.options_length) return Failure{DropReason::GeneveTruncated};
    header.control = (bytes[1] & 0x80) != 0;
    header.critical = (bytes[1] & 0x40) != 0;
    header.protocol_type = load_u16(&bytes[2]);
    header.vni = Vni{load_u32(&bytes[4]) >> 8};
    return header;
}

void GeneveHeader::encode_into(MutableBytes bytes) const {
    DYETRACE_ASSERT(options_length % 4 == 0 && options_length <= 252);
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(options_length / 4));
    out.u8(static_cast<std::uint8_t>((control ? 0x80 : 0) | (critical ? 0x40 : 0)));
    out.u16(protocol_type);
    out.u32(vni.value << 8);
}

Result<GeneveOption, DropReason> GeneveOptionIterator::next() {
    if (rest_.size() < GeneveOption::kHeaderSize) return Failure{DropReason::GeneveOptionsOverrun};
    const std::size_t length = static_cast<std::size_t>(rest_[3] & 0x1f) * 4;
    if (rest_.size() < GeneveOption::kHeaderSize + length) return Failure{DropReason::GeneveOptionsOverrun};
    GeneveOption option;
    option.option_class = load_u16(&rest_[0]);
    option.type = rest_[2];
    option.data = rest_.subspan(GeneveOption::kHeaderSize, length);
    rest_ = rest_.subspan(GeneveOption::kHeaderSize + length);
    return option;
}

}  // namespace dyetrace::wire
