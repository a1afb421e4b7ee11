// SPDX-License-Identifier: GPL-2.0-or-later
// Packets sent and lost per row (a link, a session) and time, so that any stretch of time is two look-ups
// away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gui/model/loss_scale.h"
#include "gui/model/time_mapping.h"

namespace dyetrace::viewer {

/// Time from 0 on in bins of equal width; each row holds running totals over its bins. Figures are exact for
/// stretches that begin and end at a bin's border.
class LossHistory {
  public:
    /// Bins of at least 1 ms, and wider where rows x bins would be more than `cells_max`.
    LossHistory(std::size_t rows, std::int64_t end_ns, std::size_t cells_max);

    void add(std::size_t row, std::int64_t t_ns, const Loss& loss);
    /// Adding ends here and looking up begins.
    void seal();

    [[nodiscard]] std::int64_t bin_ns() const { return bin_ns_; }
    [[nodiscard]] std::size_t bin_count() const { return bins_; }
    [[nodiscard]] std::size_t row_count() const { return rows_; }
    /// The stretch of whole bins that ends not after `t_ns` and is `length_ns` long, or shorter at the
    /// beginning. At the end of the run the last bin counts as over.
    [[nodiscard]] TimeRange bins_before(std::int64_t t_ns, std::int64_t length_ns) const;
    /// `range` begins and ends at borders of bins.
    [[nodiscard]] Loss over(std::size_t row, TimeRange range) const;

  private:
    std::size_t rows_ = 0;
    std::size_t bins_ = 1;
    std::int64_t end_ns_ = 0;
    std::int64_t bin_ns_ = 1;
    std::vector<Loss> cells_;  ///< row by row, bins_ + 1 each; sealed: total of all bins before
};

}  // namespace dyetrace::viewer
