// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/false_discovery.h"

#include <algorithm>
#include <cmath>

#include "core/base/result.h"

namespace dyetrace::health {
namespace {

double lower_edge(std::size_t bin) {
    return std::exp2(static_cast<double>(bin) / 2);
}

}  // namespace

FalseDiscovery::FalseDiscovery(double share, double level_most)
    : share_(share), level_most_(level_most), first_(bin_of(1 / share)) {}

std::uint8_t FalseDiscovery::bin_of(double e_value) {
    if (!(e_value >= 1)) return 0;
    int exponent = 0;
    const double mantissa = std::frexp(e_value, &exponent);  // within [1/2, 1)
    const int bin = 2 * (exponent - 1) + (mantissa * mantissa >= 0.5 ? 1 : 0);
    return static_cast<std::uint8_t>(std::min<int>(bin, kBins - 1));
}

void FalseDiscovery::enter(std::uint8_t bin) {
    ++counts_[bin];
    ++tests_;
    stale_ = true;
}

void FalseDiscovery::move(std::uint8_t from, std::uint8_t to) {
    if (from == to) return;
    DYETRACE_ASSERT(counts_[from] > 0);
    --counts_[from];
    ++counts_[to];
    if (std::max(from, to) >= first_) stale_ = true;
}

void FalseDiscovery::leave(std::uint8_t bin) {
    DYETRACE_ASSERT(counts_[bin] > 0);
    --counts_[bin];
    --tests_;
    stale_ = true;
}

std::size_t FalseDiscovery::discoveries() const {
    if (stale_) (void)level();
    return discoveries_;
}

double FalseDiscovery::level() const {
    if (!stale_) return level_;
    const double tests = static_cast<double>(std::max<std::size_t>(tests_, 1));
    double best = 1;  // even one discovery alone would be one at K / q
    std::size_t found = 0;
    discoveries_ = 0;
    for (std::size_t bin = kBins; bin-- > first_;) {
        found += counts_[bin];
        if (found == 0) continue;
        const double k = static_cast<double>(found);
        if (lower_edge(bin) < tests / (share_ * k)) continue;
        discoveries_ = found;
        best = k;
    }
    level_ = std::min(level_most_, share_ * best / tests);
    stale_ = false;
    return level_;
}

}  // namespace dyetrace::health
