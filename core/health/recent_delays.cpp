// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/recent_delays.h"

#include <utility>

namespace dyetrace::health {
namespace {

DelayFigures figures_of(const QuantileSketch& sketch) {
    const auto at = [&](double q) { return Duration{sketch.quantile(q).value_or(0)}; };
    return {sketch.count(), {static_cast<std::int64_t>(sketch.mean().value_or(0))},
            at(0.5),        at(0.9),
            at(0.99),       {sketch.max().value_or(0)}};
}

}  // namespace

std::optional<DelayFigures> RecentDelays::between(const wire::TimingEntry* before,
                                                  const wire::TimingEntry& now) {
    if (now.sketch.empty() || !(now.sketch_corrected || raw_are_good_)) return std::nullopt;
    QuantileSketch all(pool_);
    if (!QuantileSketch::parse(now.sketch, all).ok()) return std::nullopt;
    // A sketch begins anew where its delays begin to be corrected, and where the far end has restarted.
    if (before != nullptr && before->sketch_corrected == now.sketch_corrected) {
        QuantileSketch earlier(pool_);
        if (QuantileSketch::parse(before->sketch, earlier).ok()) {
            if (const auto recent = all.since(earlier))
                return recent->count() == 0 ? std::nullopt : std::optional(figures_of(*recent));
        }
    }
    return all.count() == 0 ? std::nullopt : std::optional(figures_of(all));
}

}  // namespace dyetrace::health
