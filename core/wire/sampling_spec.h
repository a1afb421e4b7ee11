// SPDX-License-Identifier: GPL-2.0-or-later
// Which of a session's packets are tagged, as it travels in control messages and directives.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |F|    Kind     |                   Parameter                   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                             Value                             |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//   kind                 parameter (24 bits)    value (32 bits)
//   1 every Nth          reserved               N >= 1
//   2 probability        reserved               p * (2^32 - 1)
//   3 hash-consistent    seed                   share * (2^32 - 1)
//   4 rate budget        burst, tags >= 1       tags a second >= 1
//
// F: of the packets that pass the requester's flow filter only (RFC 5475 §6.1). The filter is its own matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"

namespace dyetrace::wire {

struct SamplingSpec {
    static constexpr std::size_t kSize = 8;
    static constexpr std::uint8_t kFlagFiltered = 0x80;
    static constexpr std::uint32_t kParameterMost = 0xff'ffff;

    enum class Kind : std::uint8_t {
        EveryNth = 1,        ///< systematic count-based (RFC 5475 §5.1)
        Probability = 2,     ///< uniform probabilistic (§5.2.2.1)
        HashConsistent = 3,  ///< by a hash of what no router changes (§6.2): all points pick the same
        RateBudget = 4,      ///< as many as a token bucket has tokens for
    };

    Kind kind = Kind::EveryNth;
    std::uint32_t value = 100;
    std::uint32_t parameter = 0;  ///< 24 bits
    bool filtered = false;        ///< only packets that pass the requester's flow filter

    bool operator==(const SamplingSpec&) const = default;

    static constexpr SamplingSpec every_nth(std::uint32_t n) { return {Kind::EveryNth, n}; }
    /// `probability` in [0, 1].
    static SamplingSpec probability(double probability);
    /// `share` in [0, 1]. Of two shares under one seed the smaller one picks a part of the greater one.
    static SamplingSpec hash_consistent(double share, std::uint32_t seed);
    static constexpr SamplingSpec rate_budget(std::uint32_t tags_per_second, std::uint32_t burst) {
        return {Kind::RateBudget, tags_per_second, burst};
    }
    [[nodiscard]] constexpr SamplingSpec of_filtered() const { return {kind, value, parameter, true}; }

    /// The share of packets that is asked for, in [0, 1], of those that pass the filter where there is one.
    /// Nothing for a budget: that depends on how many there are.
    [[nodiscard]] std::optional<double> share() const;

    /// What is wrong with it, in words; empty where nothing is.
    [[nodiscard]] std::string_view fault() const;

    [[nodiscard]] bool is_known() const { return kind >= Kind::EveryNth && kind <= Kind::RateBudget; }

    /// Nothing where the kind is not known or a field is out of range. Precondition: in.has(kSize).
    static std::optional<SamplingSpec> parse(ByteReader& in) {
        const auto spec = parse_any(in);
        return spec && spec->is_known() ? spec : std::nullopt;
    }
    /// The same, but a kind that is not known passes as it is, for whoever wants to refuse it in words.
    static std::optional<SamplingSpec> parse_any(ByteReader& in);
    void encode_into(ByteWriter& out) const;
};

/// "every-nth", "probability", "hash-consistent", "rate-budget". Precondition: the kind is known.
std::string_view to_string(SamplingSpec::Kind kind);

}  // namespace dyetrace::wire
