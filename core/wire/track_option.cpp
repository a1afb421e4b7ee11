// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/track_option.h"

namespace dyetrace::wire {

Result<TrackOption, DropReason> TrackOption::parse(Bytes data) {
    if (data.size() != kDataSize) return Failure{DropReason::TrackBadLength};
    ByteReader in(data);
    TrackOption option;
    option.session = SessionId{in.u32()};
    option.path = PathIndex{in.u16()};
    option.generation = PathGeneration{in.u8()};
    option.flags = in.u8();
    option.sequence = in.u32();
    option.transmit_ns = in.i64();
    option.count = in.u64();
    option.inner_length = in.u16();
    option.inner_checksum = in.u16();
    option.tag = in.u64();
    return option;
}

void TrackOption::encode_into(MutableBytes bytes, std::uint16_t option_class) const {
    ByteWriter out(bytes);
    out.u16(option_class);
    out.u8(kType);
    out.u8(kDataSize / 4);
    out.u32(session.value);
    out.u16(path.value);
    out.u8(generation.value);
    out.u8(flags);
    out.u32(sequence);
    out.i64(transmit_ns);
    out.u64(count);
    out.u16(inner_length);
    out.u16(inner_checksum);
    out.u64(tag);
}

}  // namespace dyetrace::wire
