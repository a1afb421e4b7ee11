// SPDX-License-Identifier: GPL-2.0-or-later
// What an engine must be able to keep from its peers: its boot id, nonces and keys of its own, all drawn from
// 32 bytes by HMAC-SHA-256, so that whoever sees one learns nothing of the next.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/auth/hmac.h"

namespace dyetrace::auth {

/// Where strangers are met it comes from the system's source of randomness, fresh at every start.
using Seed = std::array<std::uint8_t, 32>;

/// A seed for simulations and tests, where runs repeat and nobody is kept out.
Seed seed_from(std::uint64_t number);

class Secret {
  public:
    explicit Secret(const Seed& seed) : seed_(seed) {}

    /// A key for one purpose, the same at each call.
    [[nodiscard]] Digest key_for(std::string_view purpose) const;
    /// The next number of an unpredictable sequence.
    std::uint64_t next();
    /// How many numbers were drawn.
    [[nodiscard]] std::uint64_t drawn() const { return drawn_; }

  private:
    Seed seed_;
    std::uint64_t drawn_ = 0;
};

}  // namespace dyetrace::auth
