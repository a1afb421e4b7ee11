// SPDX-License-Identifier: GPL-2.0-or-later
// Reads any table of a run as text, for exports.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "analysis/store/run_reader.h"
#include "analysis/store/schema.h"

namespace dyetrace::store {

/// The tables of an open run, which must outlive this.
class TableReader {
  public:
    explicit TableReader(const RunReader& run) : run_(run) {}

    /// Calls `visit` with the cells of each row, in the table's order; a NULL is an empty optional. Numbers
    /// are written in as few digits as give the same number back.
    void for_each_row(const Table& table,
                      const std::function<void(std::span<const std::optional<std::string>>)>& visit) const;

  private:
    const RunReader& run_;
};

}  // namespace dyetrace::store
