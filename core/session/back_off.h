// SPDX-License-Identifier: GPL-2.0-or-later
// How long a requester leaves a peer alone after a refusal or a loss: as long as the peer said, or as its own
// setting says; twice as long with each failure in a row.
#pragma once

#include <algorithm>

#include "core/base/digest.h"
#include "core/base/time.h"

namespace dyetrace::session {

class BackOff {
  public:
    static constexpr int kDoublingsMost = 6;
    /// What a peer says is believed up to here, and no wait is longer.
    static constexpr Duration kLongest = Duration::seconds(3600);

    /// Returns how long to wait.
    Duration after_failure(Duration least) {
        Duration wait = std::clamp(least, Duration{}, kLongest);
        for (int i = 0; i < failures_ && wait < kLongest; ++i)
            wait = wait * 2;
        failures_ = std::min(failures_ + 1, kDoublingsMost);
        return std::min(wait, kLongest);
    }
    void succeeded() { failures_ = 0; }
    void digest_into(StateDigest& digest) const { digest.add(failures_); }

  private:
    int failures_ = 0;  ///< in a row
};

}  // namespace dyetrace::session
