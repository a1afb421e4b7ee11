// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/report_option.h"

namespace dyetrace::wire {

Result<ReportOption, DropReason> ReportOption::parse(Bytes data) {
    if (data.size() != kDataSize) return Failure{DropReason::ReportBadLength};
    ByteReader in(data);
    ReportOption option;
    option.session = SessionId{in.u32()};
    option.number = in.u32();
    option.record = PathRecord::parse(in);
    option.tag = in.u64();
    return option;
}

void ReportOption::encode_into(MutableBytes bytes, std::uint16_t option_class) const {
    ByteWriter out(bytes);
    out.u16(option_class);
    out.u8(kType);
    out.u8(kDataSize / 4);
    out.u32(session.value);
    out.u32(number);
    record.encode_into(out);
    out.u64(tag);
}

}  // namespace dyetrace::wire
