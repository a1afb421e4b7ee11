// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a record tells of something wrong that an earlier one did not.
#pragma once

#include <cstdint>

#include "core/wire/report.h"

namespace dyetrace::session {

/// Packets lost, as the record has it.
inline std::uint64_t lost_of(const wire::PathRecord& record) {
    return record.sent > record.received ? record.sent - record.received : 0;
}

/// Compares two records of one path generation, the later one first: more packets lost, damaged, marked CE,
/// or dropped for their ECN; or more received than sent, which is never in order. Tracked packets that are
/// missing are no trouble of their own: they may be on their way, and those lost are in the net loss.
inline bool shows_trouble(const wire::PathRecord& now, const wire::PathRecord& before) {
    return (now.flags & wire::PathRecord::kFlagExcess) != 0 || lost_of(now) > lost_of(before) ||
           now.corrupted > before.corrupted || now.ce > before.ce || now.ecn_invalid > before.ecn_invalid;
}

}  // namespace dyetrace::session
