// SPDX-License-Identifier: GPL-2.0-or-later
// Input files: read whole, within a bound, with words for whatever is wrong.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "scenarios/reader/diagnostics.h"

namespace dyetrace::scenario {

/// A mebibyte: the largest scenarios and distributions have some kilobytes.
constexpr std::size_t input_bytes_most = 1 << 20;

/// The bytes of a file; where it does not exist, suggests a file beside it whose name is alike.
[[nodiscard]] Result<std::string, Problem> read_input(const std::filesystem::path& path);

/// Where the distribution `name` lies: in the folder `beside`, in `beside`/distributions, or in
/// `share`/distributions, as it is or with ".cdf" after it. An absolute path is taken as it is.
[[nodiscard]] Result<std::filesystem::path, Problem> find_distribution(const std::string& name,
                                                                       const std::filesystem::path& beside,
                                                                       const std::filesystem::path& share);

}  // namespace dyetrace::scenario
