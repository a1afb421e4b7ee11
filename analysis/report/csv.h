// SPDX-License-Identifier: GPL-2.0-or-later
// A run as CSV files (RFC 4180), one a table.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analysis/store/run_reader.h"

namespace dyetrace::report {

/// One cell. Quoted where a separator, a quote or a line break is inside (RFC 4180 §2 (6), (7)). A missing
/// value is nothing at all, an empty text is "".
[[nodiscard]] std::string csv_cell(const std::optional<std::string>& value);

struct CsvOptions {
    bool force = false;  ///< replace files of an earlier export
    bool truth = false;  ///< also what the simulator knows
};

/// Writes `TABLE.csv` for each measured table and provenance.csv into `folder`, which is made where missing.
/// The same run gives the same bytes. Returns the files. Throws `store::OutputExists` before anything is
/// written; with `force`, files of an earlier export are replaced and those of tables that are not written
/// now are removed, once all is written: the folder never holds a mixture of two runs, and an export that
/// fails leaves it as it was.
std::vector<std::filesystem::path> export_csv(const store::RunReader& run,
                                              const std::filesystem::path& folder, const CsvOptions& options);

}  // namespace dyetrace::report
