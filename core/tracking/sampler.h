// SPDX-License-Identifier: GPL-2.0-or-later
// Decides which packets of a session carry a tag (RFC 5475).
#pragma once

#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/digest.h"
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/base/time.h"
#include "core/tracking/flow_filter.h"
#include "core/wire/sampling_spec.h"

namespace dyetrace::tracking {

/// A guest's packet as sampling looks at it.
struct Offered {
    Bytes frame;  ///< from its Ethernet header on, at least that
    Vni vni;
    Time now;
};

/// Tokens for tags, in integers: one accrues each 1 / rate seconds, up to `burst`. In any stretch of time t
/// at most burst + rate * t tags are given, and with enough packets no fewer than rate * t.
class TagBucket {
  public:
    TagBucket() = default;
    TagBucket(std::uint32_t tags_per_second, std::uint32_t burst) : rate_(tags_per_second), burst_(burst) {}

    bool take(Time now);
    void digest_into(StateDigest& digest) const;

  private:
    __extension__ using Wide = unsigned __int128;

    std::uint32_t rate_ = 1;
    std::uint32_t burst_ = 1;
    std::uint64_t credit_ = 0;  ///< in tokens / 10^9: one nanosecond accrues `rate_`
    Time filled_at_ = Time::earliest();
};

/// Systematic count-based sampling takes every Nth packet, from a random phase; probabilistic sampling takes
/// each with the same probability, independently: one compare, or one random number, a packet. The other
/// kinds and the filter read the packet. Nothing allocates.
class Sampler {
  public:
    /// `filter` outlives the sampler; none lets no packet pass where the specification asks for one.
    Sampler(wire::SamplingSpec spec, std::uint64_t seed, const FlowFilter* filter = nullptr)
        : random_(seed), filter_(filter) {
        set_spec(spec);
    }

    /// Another specification from the next packet on; the counts go on. A budget begins with its burst.
    void set_spec(wire::SamplingSpec spec);

    /// Whether to tag the next packet.
    bool sample(const Offered& packet) {
        ++offered_;
        const bool chosen = is_simple_ ? take_turn() : choose(packet);
        if (chosen) ++tagged_;
        return chosen;
    }

    [[nodiscard]] const wire::SamplingSpec& spec() const { return spec_; }
    [[nodiscard]] std::uint64_t offered() const { return offered_; }
    /// tagged / offered is the rate attained, whatever was asked for.
    [[nodiscard]] std::uint64_t tagged() const { return tagged_; }

    /// Its filter is another one, equal to the one that it had: it is part of a copy.
    void set_filter(const FlowFilter* filter) { filter_ = filter; }
    /// Without the counts, which decide nothing.
    void digest_into(StateDigest& digest) const;

  private:
    bool choose(Offered packet);
    bool take_turn() {
        if (until_next_ > 0) {
            --until_next_;
            return false;
        }
        until_next_ = spec_.value - 1;
        return true;
    }
    /// Whether a uniform number is inside the share. 2^32 - 1 stands for all, 0 for none: `<=` with zero
    /// excluded makes both ends exact.
    [[nodiscard]] bool is_inside(std::uint32_t number) const {
        return spec_.value != 0 && number <= spec_.value;
    }

    // Each packet asks for these, and they stand first.
    std::uint64_t offered_ = 0;
    std::uint32_t until_next_ = 0;
    bool is_simple_ = true;  ///< every Nth, unfiltered: the packet needs no look

    wire::SamplingSpec spec_;
    Random random_;
    const FlowFilter* filter_;
    TagBucket budget_;
    std::uint64_t tagged_ = 0;
};

}  // namespace dyetrace::tracking
