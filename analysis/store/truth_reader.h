// SPDX-License-Identifier: GPL-2.0-or-later
// Reads what the simulator knows really happened. For scoring and for showing, never for measuring or
// deciding.
#pragma once

#include <vector>

#include "analysis/store/rows.h"
#include "analysis/store/run_reader.h"

namespace dyetrace::store {

/// The truth tables of an open run, which must outlive this. A run on real hosts has none: the lists are
/// empty.
class TruthReader {
  public:
    explicit TruthReader(const RunReader& run) : run_(run) {}

    [[nodiscard]] std::vector<TruthFaultRow> faults() const;  ///< in the order they begin
    [[nodiscard]] std::vector<TruthDropRow> drops() const;    ///< by link, then cause
    [[nodiscard]] std::vector<TruthPathRow> paths() const;    ///< by their key, from requester to interval

  private:
    const RunReader& run_;
};

}  // namespace dyetrace::store
