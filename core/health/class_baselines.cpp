// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/class_baselines.h"

#include <algorithm>
#include <cmath>

namespace dyetrace::health {
namespace {

/// A step moves the median by 2% once many windows were seen, by half at first: 1/n would never forget.
constexpr double kStepLeast = 0.02;
constexpr double kStepFirst = 0.5;
constexpr double kHighKept = 1 - 1.0 / 4096;
/// Trials that a share is learned from; the older half weighs half.
constexpr double kTrialsMost = 1 << 20;
/// The least usual share stands until about so many hits were to be expected of it: a fault in a class that
/// was seen little would else teach it.
constexpr double kHitsKnown = 10;

}  // namespace

void ClassBaselines::learn_delay(std::size_t path_class, Duration above_floor) {
    Class& one = classes_[path_class];
    const auto value = static_cast<double>(std::max<std::int64_t>(above_floor.ns, 1));
    if (one.windows == 0) {
        one.delay_ns = value;
    } else {
        const double step = 1 + std::max(kStepLeast, kStepFirst / std::sqrt(one.windows));
        one.delay_ns = std::clamp(value, one.delay_ns / step, one.delay_ns * step);
    }
    one.high_ns = std::max(one.high_ns * kHighKept, value);
    if (one.windows < UINT32_MAX) ++one.windows;
}

void ClassBaselines::learn_share(std::size_t path_class, ShareTest test, std::uint32_t hits,
                                 std::uint32_t trials) {
    Share& share = classes_[path_class].shares[static_cast<std::size_t>(test)];
    share.hits += hits > 0 ? 1 : 0;
    share.trials += trials;
    if (share.trials <= kTrialsMost) return;
    share.hits /= 2;
    share.trials /= 2;
}

Duration ClassBaselines::delay(std::size_t path_class) const {
    const Class& one = classes_[path_class];
    if (one.windows == 0) return {};
    return {static_cast<std::int64_t>(one.delay_ns)};
}

Duration ClassBaselines::high_delay(std::size_t path_class) const {
    return {static_cast<std::int64_t>(classes_[path_class].high_ns)};
}

double ClassBaselines::share(std::size_t path_class, ShareTest test, const ShareLimits& limits) const {
    const Share& share = classes_[path_class].shares[static_cast<std::size_t>(test)];
    const double known = kHitsKnown / limits.usual_least;
    return std::clamp((share.hits + kHitsKnown) / (share.trials + known), limits.usual_least,
                      limits.usual_most);
}

}  // namespace dyetrace::health
