// SPDX-License-Identifier: GPL-2.0-or-later
// VXLAN header (RFC 7348 §5).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |R|R|R|R|I|R|R|R|                    Reserved                   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |        VXLAN Network Identifier (VNI)         |    Reserved   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

constexpr std::uint16_t kVxlanPort = 4789;

struct VxlanHeader {
    static constexpr std::size_t kSize = 8;

    Vni vni;

    bool operator==(const VxlanHeader&) const = default;

    /// A header without the I flag has no VNI and is refused. Reserved fields are ignored (§5).
    static Result<VxlanHeader, DropReason> parse(Bytes bytes);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Precondition: bytes.size() >= kSize. Reserved fields are written as zero (§5).
    void encode_into(MutableBytes bytes) const;
};

}  // namespace dyetrace::wire
