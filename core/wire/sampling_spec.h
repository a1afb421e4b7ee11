// SPDX-License-Identifier: GPL-2.0-or-later
// Which share of a session's packets is tagged, as it travels in control messages and directives.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     Kind      |                  Reserved (0)                 |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |       every-Nth: N            probability: p * (2^32 - 1)     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"

namespace dyetrace::wire {

struct SamplingSpec {
    static constexpr std::size_t kSize = 8;

    /// RFC 5475 §5: systematic count-based, and uniform probabilistic.
    enum class Kind : std::uint8_t { EveryNth = 1, Probability = 2 };

    Kind kind = Kind::EveryNth;
    std::uint32_t value = 100;  ///< N >= 1, or the probability in units of 1 / (2^32 - 1)

    bool operator==(const SamplingSpec&) const = default;

    static constexpr SamplingSpec every_nth(std::uint32_t n) { return {Kind::EveryNth, n}; }
    /// `probability` in [0, 1].
    static SamplingSpec probability(double probability) {
        return {Kind::Probability, static_cast<std::uint32_t>(std::llround(probability * 4294967295.0))};
    }
    /// The share of packets that the specification asks for, in [0, 1].
    [[nodiscard]] double rate() const {
        return kind == Kind::EveryNth ? 1.0 / value : static_cast<double>(value) / 4294967295.0;
    }

    [[nodiscard]] bool is_known() const { return kind == Kind::EveryNth || kind == Kind::Probability; }

    /// Nothing where the kind is not known or a field is out of range. Precondition: in.has(kSize).
    static std::optional<SamplingSpec> parse(ByteReader& in) {
        const auto spec = parse_any(in);
        return spec && spec->is_known() ? spec : std::nullopt;
    }
    /// The same, but a kind that is not known passes as it is, for whoever wants to refuse it in words.
    static std::optional<SamplingSpec> parse_any(ByteReader& in) {
        SamplingSpec spec;
        spec.kind = static_cast<Kind>(in.u8());
        in.skip(3);
        spec.value = in.u32();
        if (spec.kind == Kind::EveryNth && spec.value == 0) return std::nullopt;
        return spec;
    }
    void encode_into(ByteWriter& out) const {
        out.u8(static_cast<std::uint8_t>(kind));
        out.zeros(3);
        out.u32(value);
    }
};

}  // namespace dyetrace::wire
