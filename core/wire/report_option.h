// SPDX-License-Identifier: GPL-2.0-or-later
// The report option: one record of a report, which rides in a data packet from the acceptor of a session to
// its requester. A Geneve option (RFC 8926 §3.5) of the track option's class, not critical, of fixed length.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Option Class         |0|  Type (2)   |R|R|R| Len(30) |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                           Session id                          |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                         Message number                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   ~                    Record (104 bytes, report.h)               ~
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    SipHash-2-4 tag (64 bits)                  |
//   |                                                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// The number is one of the acceptor's messages of this session, so that a repeat is known as one whichever
// way it comes. The tag is made like the track option's, under the session's ride key (core/auth).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"
#include "core/wire/report.h"

namespace dyetrace::wire {

struct ReportOption {
    static constexpr std::uint8_t kType = 0x02;
    static constexpr std::size_t kDataSize = 4 + 4 + PathRecord::kSize + 8;
    static constexpr std::size_t kSize = 4 + kDataSize;  ///< with the option header
    static constexpr std::size_t kTaggedOffset = 4;      ///< the tag covers [kTaggedOffset, kTagOffset)
    static constexpr std::size_t kTagOffset = kSize - 8;
    static_assert((kTagOffset - kTaggedOffset) % 8 == 0, "SipHash takes whole words");
    static_assert(kDataSize / 4 <= 31, "RFC 8926 §3.5: five bits");

    SessionId session;
    std::uint32_t number = 0;  ///< of the message, among the acceptor's of this session
    PathRecord record;
    std::uint64_t tag = 0;

    bool operator==(const ReportOption&) const = default;

    /// `data` is the option's data, without its header.
    static Result<ReportOption, DropReason> parse(Bytes data);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Writes header and data. Precondition: bytes.size() >= kSize.
    void encode_into(MutableBytes bytes, std::uint16_t option_class) const;
};

}  // namespace dyetrace::wire
