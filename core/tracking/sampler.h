// SPDX-License-Identifier: GPL-2.0-or-later
// Decides which packets of a session carry a tag (RFC 5475 §5).
#pragma once

#include <cstdint>

#include "core/base/random.h"
#include "core/wire/sampling_spec.h"

namespace dyetrace::tracking {

/// Systematic count-based sampling takes every Nth packet, from a random phase; probabilistic sampling takes
/// each with the same probability, independently. One addition and compare, or one random number, a packet.
class Sampler {
  public:
    Sampler(wire::SamplingSpec spec, std::uint64_t seed) : random_(seed) { set_spec(spec); }

    /// Changes the share from the next packet on; the counts go on.
    void set_spec(wire::SamplingSpec spec) {
        spec_ = spec;
        if (spec.kind == wire::SamplingSpec::Kind::EveryNth) until_next_ = random_.below(spec.value);
    }

    /// Whether to tag the next packet.
    bool sample() {
        ++offered_;
        const bool chosen = spec_.kind == wire::SamplingSpec::Kind::EveryNth ? take_turn() : toss();
        if (chosen) ++tagged_;
        return chosen;
    }

    [[nodiscard]] const wire::SamplingSpec& spec() const { return spec_; }
    [[nodiscard]] std::uint64_t offered() const { return offered_; }
    [[nodiscard]] std::uint64_t tagged() const { return tagged_; }

  private:
    bool take_turn() {
        if (until_next_ > 0) {
            --until_next_;
            return false;
        }
        until_next_ = spec_.value - 1;
        return true;
    }
    /// A value of 2^32 - 1 stands for probability 1: `<=` with zero excluded makes both ends exact.
    bool toss() { return spec_.value != 0 && random_.next_u32() <= spec_.value; }

    wire::SamplingSpec spec_;
    Random random_;
    std::uint32_t until_next_ = 0;
    std::uint64_t offered_ = 0;
    std::uint64_t tagged_ = 0;
};

}  // namespace dyetrace::tracking
