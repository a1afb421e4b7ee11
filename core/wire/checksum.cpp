// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/checksum.h"

namespace dyetrace::wire {

std::uint64_t checksum_add(Bytes bytes, std::uint64_t sum) {
    std::size_t i = 0;
    for (; i + 2 <= bytes.size(); i += 2)
        sum += load_u16(&bytes[i]);
    if (i < bytes.size()) sum += static_cast<std::uint64_t>(bytes[i]) << 8;
    return sum;
}

}  // namespace dyetrace::wire
