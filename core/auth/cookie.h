// SPDX-License-Identifier: GPL-2.0-or-later
// The challenge of an acceptor that keeps nothing of a request it has not yet reason to believe. The nonce
// that it asks to see again is a keyed hash of what was asked, by whom and about when: only this boot of this
// acceptor can have made it, and only lately. A recorded request proves nothing, since the nonce in it is of
// its own time: of before the acceptor met another boot of that requester, too.
#pragma once

#include <cstdint>

#include "core/auth/keys.h"
#include "core/auth/secret.h"
#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/time.h"

namespace dyetrace::auth {

/// What a challenge is bound to.
struct CookieClaims {
    IpAddress requester;
    BootId requester_boot;
    std::uint64_t requester_nonce = 0;
    SessionId session;
    BootId known_boot;  ///< of the requester, as the acceptor knows it by then; zero: none
};

class CookieMaker {
  public:
    /// A cookie is good for at least one tick and for less than two.
    static constexpr Duration kTick = Duration::seconds(1);
    static constexpr Duration kLifeMost = kTick * 2;

    explicit CookieMaker(const Secret& secret);

    /// Never zero, which stands for "none yet".
    [[nodiscard]] std::uint64_t make(const CookieClaims& claims, Time now) const;
    [[nodiscard]] bool is_good(std::uint64_t cookie, const CookieClaims& claims, Time now) const;

  private:
    [[nodiscard]] std::uint64_t at_tick(const CookieClaims& claims, std::int64_t tick) const;

    TrackKey key_{};
};

}  // namespace dyetrace::auth
