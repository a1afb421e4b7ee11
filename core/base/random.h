// SPDX-License-Identifier: GPL-2.0-or-later
// Repeatable random numbers from a seed that the caller passes in.
#pragma once

#include <cstdint>

namespace dyetrace {

/// The finaliser of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
constexpr std::uint64_t mix64(std::uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

/// For hash tables: every bit of `x` reaches the low half, by one multiplication (Knuth, "Sorting and
/// Searching", §6.4: the golden ratio). Half as long as mix64; nothing to draw numbers with.
constexpr std::uint64_t table_hash(std::uint64_t x) {
    x *= 0x9e3779b97f4a7c15ULL;
    return x ^ x >> 32;
}

/// splitmix64: one addition and one mix a number. Not for keys or nonces that must resist an attacker.
class Random {
  public:
    explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t next() { return mix64(state_ += 0x9e3779b97f4a7c15ULL); }
    constexpr std::uint32_t next_u32() { return static_cast<std::uint32_t>(next() >> 32); }
    /// Uniform in [0, bound), bound > 0, by the multiply-shift method (bias below bound / 2^32).
    constexpr std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(next_u32()) * bound >> 32);
    }
    /// Uniform in [0, 1): the 53 bits that a double holds.
    constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

    /// All that decides the numbers to come.
    [[nodiscard]] constexpr std::uint64_t state() const { return state_; }

  private:
    std::uint64_t state_;
};

}  // namespace dyetrace
