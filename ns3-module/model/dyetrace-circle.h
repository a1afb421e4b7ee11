// SPDX-License-Identifier: GPL-2.0-or-later
// Members of a party in a random order that each can work out alone. Not installed.
#ifndef DYETRACE_CIRCLE_H
#define DYETRACE_CIRCLE_H

#include <cstdint>

#include "core/base/random.h"

namespace ns3 {

/**
 * The numbers below `count` in an order that the seed decides: a permutation that is never written down, so
 * that a question takes a few dozen multiplications however many members there are.
 *
 * A balanced Feistel network (Luby and Rackoff, "How to construct pseudorandom permutations", 1988) permutes
 * the next power of four; what it sends beyond `count` is sent on until it comes back (Black and Rogaway,
 * "Ciphers with arbitrary finite domains", 2002), after less than four steps on average.
 */
class DyetraceCircle {
  public:
    /// \param count 1 to 2^30
    DyetraceCircle(uint64_t seed, uint32_t count) : m_seed(seed), m_count(count), m_halfBits(1) {
        while (uint64_t{1} << (2 * m_halfBits) < count)
            ++m_halfBits;
    }

    /// Where a member stands.
    uint32_t PlaceOf(uint32_t member) const {
        uint32_t place = Forward(member);
        while (place >= m_count)
            place = Forward(place);
        return place;
    }
    /// Who stands there.
    uint32_t MemberAt(uint32_t place) const {
        uint32_t member = Back(place);
        while (member >= m_count)
            member = Back(member);
        return member;
    }

  private:
    /// Four suffice for large halves; on halves of two bits more make the order more even.
    static constexpr uint32_t kRounds = 8;

    uint32_t Mask() const { return (uint32_t{1} << m_halfBits) - 1; }
    uint32_t Scramble(uint32_t half, uint32_t round) const {
        return static_cast<uint32_t>(dyetrace::mix64(m_seed + (uint64_t{round} << 32 | half))) & Mask();
    }
    uint32_t Forward(uint32_t x) const {
        uint32_t left = x >> m_halfBits;
        uint32_t right = x & Mask();
        for (uint32_t round = 0; round < kRounds; ++round) {
            const uint32_t next = left ^ Scramble(right, round);
            left = right;
            right = next;
        }
        return left << m_halfBits | right;
    }
    uint32_t Back(uint32_t x) const {
        uint32_t left = x >> m_halfBits;
        uint32_t right = x & Mask();
        for (uint32_t round = kRounds; round-- > 0;) {
            const uint32_t before = right ^ Scramble(left, round);
            right = left;
            left = before;
        }
        return left << m_halfBits | right;
    }

    uint64_t m_seed;
    uint32_t m_count;
    uint32_t m_halfBits;
};

}  // namespace ns3

#endif  // DYETRACE_CIRCLE_H
