// SPDX-License-Identifier: GPL-2.0-or-later
// Which numbers of a sender were seen, so that nothing recorded is taken twice (RFC 4303 §3.4.3).
#pragma once

#include <array>
#include <cstdint>

#include "core/base/digest.h"
#include "core/base/sequence.h"

namespace dyetrace {

/// The newest number and the `kWidth - 1` before it. Numbers wrap (RFC 1982): whoever may send more than 2^31
/// of them under one key has to change something else that the key covers meanwhile.
///
/// The bits stand in a ring, so that moving on costs the distance moved (RFC 6479 §2).
template <std::uint32_t kBits>
class WideReplayWindow {
    static_assert(kBits % 64 == 0 && (kBits & (kBits - 1)) == 0,
                  "a power of two, so that the ring wraps too");

  public:
    static constexpr std::uint32_t kWidth = kBits;

    enum class Verdict : std::uint8_t {
        New,       ///< never seen
        Repeated,  ///< seen before
        TooOld,    ///< behind the window: nobody remembers
    };

    /// What `number` would be, without taking it.
    [[nodiscard]] Verdict look(std::uint32_t number) const {
        if (empty_) return Verdict::New;
        const std::int32_t ahead = sequence_distance(newest_, number);
        if (ahead > 0) return Verdict::New;
        if (ahead <= -static_cast<std::int32_t>(kWidth)) return Verdict::TooOld;
        return has(number) ? Verdict::Repeated : Verdict::New;
    }

    /// Takes `number` if it is new.
    Verdict take(std::uint32_t number) {
        const Verdict verdict = look(number);
        if (verdict != Verdict::New) return verdict;
        const std::int32_t ahead = empty_ ? 0 : sequence_distance(newest_, number);
        if (ahead >= static_cast<std::int32_t>(kWidth)) {
            bits_ = {};
        } else if (ahead > 0) {
            for (std::uint32_t skipped = newest_ + 1; skipped != number; ++skipped)
                word(skipped) &= ~bit(skipped);
        }
        if (empty_ || ahead > 0) newest_ = number;
        empty_ = false;
        word(number) |= bit(number);
        return verdict;
    }

    /// Nothing was taken yet.
    [[nodiscard]] bool is_empty() const { return empty_; }
    /// Precondition: !is_empty().
    [[nodiscard]] std::uint32_t newest() const { return newest_; }
    /// Bit i: `newest() - 64 * at - i` was seen. Precondition: !is_empty().
    [[nodiscard]] std::uint64_t seen(std::uint32_t at = 0) const {
        std::uint64_t packed = 0;
        for (std::uint32_t i = 0; i < 64; ++i)
            packed |= static_cast<std::uint64_t>(has(newest_ - at * 64 - i)) << i;
        return packed;
    }

    void digest_into(StateDigest& digest) const {
        digest.add(empty_);
        digest.add(newest_);
        for (const std::uint64_t word : bits_)
            digest.add(word);
    }

  private:
    static constexpr std::uint64_t bit(std::uint32_t number) { return std::uint64_t{1} << number % 64; }
    std::uint64_t& word(std::uint32_t number) { return bits_[number % kWidth / 64]; }
    [[nodiscard]] bool has(std::uint32_t number) const {
        return (bits_[number % kWidth / 64] & bit(number)) != 0;
    }

    std::uint32_t newest_ = 0;
    bool empty_ = true;
    std::array<std::uint64_t, kBits / 64> bits_{};
};

using ReplayWindow = WideReplayWindow<64>;

}  // namespace dyetrace
