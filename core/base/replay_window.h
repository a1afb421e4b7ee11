// SPDX-License-Identifier: GPL-2.0-or-later
// Which numbers of a sender were seen, so that nothing recorded is taken twice (RFC 4303 §3.4.3).
#pragma once

#include <cstdint>

#include "core/base/sequence.h"

namespace dyetrace {

/// The newest number and the 63 before it. Numbers wrap (RFC 1982): whoever may send more than 2^31 of them
/// under one key has to change something else that the key covers meanwhile.
class ReplayWindow {
  public:
    static constexpr std::uint32_t kWidth = 64;

    enum class Verdict : std::uint8_t {
        New,       ///< never seen
        Repeated,  ///< seen before
        TooOld,    ///< behind the window: nobody remembers
    };

    /// What `number` would be, without taking it.
    [[nodiscard]] Verdict look(std::uint32_t number) const {
        if (seen_ == 0) return Verdict::New;
        const std::int32_t ahead = sequence_distance(newest_, number);
        if (ahead > 0) return Verdict::New;
        if (ahead <= -static_cast<std::int32_t>(kWidth)) return Verdict::TooOld;
        return (seen_ >> -ahead & 1) != 0 ? Verdict::Repeated : Verdict::New;
    }

    /// Takes `number` if it is new.
    Verdict take(std::uint32_t number) {
        const Verdict verdict = look(number);
        if (verdict != Verdict::New) return verdict;
        const std::int32_t ahead = seen_ == 0 ? 0 : sequence_distance(newest_, number);
        if (ahead > 0) {
            seen_ = static_cast<std::uint32_t>(ahead) < kWidth ? seen_ << ahead | 1 : 1;
            newest_ = number;
        } else if (seen_ == 0) {
            seen_ = 1;
            newest_ = number;
        } else {
            seen_ |= std::uint64_t{1} << -ahead;
        }
        return verdict;
    }

    /// Nothing was taken yet.
    [[nodiscard]] bool is_empty() const { return seen_ == 0; }
    /// Precondition: !is_empty().
    [[nodiscard]] std::uint32_t newest() const { return newest_; }

  private:
    std::uint32_t newest_ = 0;
    std::uint64_t seen_ = 0;  ///< bit i: newest_ - i was seen; zero: none yet
};

}  // namespace dyetrace
