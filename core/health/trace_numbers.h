// SPDX-License-Identifier: GPL-2.0-or-later
// The numbers that EPPCs know traces by.
//
// An EPPC that follows a flow goes on with it when it is asked for the same number again, whatever is asked
// under that number by then. So none comes back within a run of the service, and each start of a service
// begins elsewhere, in case EPPCs still follow what was asked of them before it.
#pragma once

#include <cstdint>

#include "core/base/random.h"

namespace dyetrace::health {

class TraceNumbers {
  public:
    enum class Of : std::uint32_t {
        Flows = 0,             ///< that somebody has followed
        Probes = 0x8000'0000,  ///< the bit that tells them apart
    };

    /// `seed`: another at each start of the service.
    TraceNumbers(Of of, std::uint64_t seed)
        : of_(of), newest_(static_cast<std::uint32_t>(mix64(seed ^ 0x7472616365)) & kMost) {}

    /// Never zero. One comes back once all 2^31 - 1 others were taken.
    std::uint32_t take() {
        newest_ = newest_ % kMost + 1;
        return static_cast<std::uint32_t>(of_) | newest_;
    }
    [[nodiscard]] static bool is_of_probe(std::uint32_t trace) {
        return (trace & static_cast<std::uint32_t>(Of::Probes)) != 0;
    }

  private:
    static constexpr std::uint32_t kMost = 0x7fff'ffff;

    Of of_;
    std::uint32_t newest_;
};

}  // namespace dyetrace::health
