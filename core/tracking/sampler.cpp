// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/sampler.h"

#include <algorithm>

#include "core/base/result.h"
#include "core/tracking/packet_hash.h"
#include "core/wire/inner_packet.h"

namespace dyetrace::tracking {

using Kind = wire::SamplingSpec::Kind;

bool TagBucket::take(Time now) {
    constexpr std::uint64_t kToken = 1'000'000'000;
    const Wide full = Wide{burst_} * kToken;
    if (filled_at_ == Time::earliest()) credit_ = static_cast<std::uint64_t>(full);
    // A clock that runs backwards accrues nothing.
    if (now > filled_at_) {
        const auto elapsed = static_cast<std::uint64_t>(now.ns) - static_cast<std::uint64_t>(filled_at_.ns);
        credit_ = static_cast<std::uint64_t>(std::min(full, credit_ + Wide{elapsed} * rate_));
        filled_at_ = now;
    }
    if (credit_ < kToken) return false;
    credit_ -= kToken;
    return true;
}

void Sampler::set_spec(wire::SamplingSpec spec) {
    spec_ = spec;
    is_simple_ = spec.kind == Kind::EveryNth && !spec.filtered;
    if (spec.kind == Kind::EveryNth) until_next_ = random_.below(spec.value);
    if (spec.kind == Kind::RateBudget) budget_ = TagBucket(spec.value, spec.parameter);
}

bool Sampler::choose(Offered packet) {
    wire::InnerPacket inner;
    if (spec_.filtered || spec_.kind == Kind::HashConsistent) inner = wire::InnerPacket::parse(packet.frame);
    if (spec_.filtered && (filter_ == nullptr || !filter_->matches(inner, packet.vni))) return false;
    switch (spec_.kind) {
        case Kind::EveryNth: return take_turn();
        case Kind::Probability: return is_inside(random_.next_u32());
        case Kind::HashConsistent: return is_inside(packet_hash(packet.frame, inner, spec_.parameter));
        case Kind::RateBudget: return budget_.take(packet.now);
    }
    DYETRACE_ASSERT(false);
    return false;
}

}  // namespace dyetrace::tracking
