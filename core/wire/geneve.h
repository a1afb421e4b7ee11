// SPDX-License-Identifier: GPL-2.0-or-later
// Geneve header and options (RFC 8926 §3.4, §3.5).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Ver|  Opt Len  |O|C|    Rsvd.  |          Protocol Type        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |        Virtual Network Identifier (VNI)       |    Reserved   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Variable-length options                    ~
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// and each option:
//
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Option Class         |C|    Type     |R|R|R| Length  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                  Variable-length option data                  ~
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

constexpr std::uint16_t kGenevePort = 6081;

struct GeneveHeader {
    static constexpr std::size_t kSize = 8;

    std::size_t options_length = 0;  ///< bytes, a multiple of 4, at most 252
    bool control = false;            ///< O bit: a control packet, never forwarded to a guest (§3.4)
    bool critical = false;           ///< C bit: some option is critical
    std::uint16_t protocol_type = 0;
    Vni vni;

    bool operator==(const GeneveHeader&) const = default;

    /// Reads the fixed header and checks that the options are there. Reserved bits are ignored (§3.4).
    static Result<GeneveHeader, DropReason> parse(Bytes bytes);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Precondition: bytes.size() >= kSize. Reserved bits are written as zero (§3.4).
    void encode_into(MutableBytes bytes) const;
};

inline Result<GeneveHeader, DropReason> GeneveHeader::parse(Bytes bytes) {
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

/// One option as it lies in the packet.
struct GeneveOption {
    static constexpr std::size_t kHeaderSize = 4;

    std::uint16_t option_class = 0;
    std::uint8_t type = 0;  ///< with the critical bit (0x80)
    Bytes data;             ///< at most 124 bytes

    [[nodiscard]] bool is_critical() const { return (type & 0x80) != 0; }
};

/// Walks the options of a packet. Lengths that do not sum to the options' length are an error (§3.5).
class GeneveOptionIterator {
  public:
    explicit GeneveOptionIterator(Bytes options) : rest_(options) {}

    [[nodiscard]] bool done() const { return rest_.empty(); }
    /// The next option. Precondition: !done().
    Result<GeneveOption, DropReason> next();

  private:
    Bytes rest_;
};

inline Result<GeneveOption, DropReason> GeneveOptionIterator::next() {
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
