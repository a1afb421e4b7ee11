// SPDX-License-Identifier: GPL-2.0-or-later
// One-way delays between two hosts of late, from sketches that each hold all delays since a session began.
#pragma once

#include <optional>

#include "core/base/quantile_sketch.h"
#include "core/health/pair_figures.h"
#include "core/wire/update.h"

namespace dyetrace::health {

class RecentDelays {
  public:
    /// `raw_are_good`: clocks are one, so delays that nobody corrected are delays.
    explicit RecentDelays(bool raw_are_good) : raw_are_good_(raw_are_good) {}

    /// Of what was measured between two entries of a session, `before` the earlier one; of all that `now` has
    /// where there was none before, or it was of other delays. Nothing where nothing new was measured, it is
    /// of raw delays between two clocks, or its sketch cannot be read.
    [[nodiscard]] std::optional<DelayFigures> between(const wire::TimingEntry* before,
                                                      const wire::TimingEntry& now);

  private:
    bool raw_are_good_;
    SketchPool pool_{3 * SketchPool::kNodesOfFullSketch};  ///< before, now, and what is between them
};

}  // namespace dyetrace::health
