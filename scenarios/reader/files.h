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

/// A mebibyte: the largest scenarios and distributions have some kilobytes, topologies some hundred.
constexpr std::size_t input_bytes_most = 1 << 20;

/// The bytes of a file; where it does not exist, suggests a file beside it whose name is alike.
[[nodiscard]] Result<std::string, Problem> read_input(const std::filesystem::path& path);

/// Files of one kind that scenarios name.
struct Shelf {
    std::string what;       ///< "distribution"
    std::string folder;     ///< "distributions"
    std::string extension;  ///< ".cdf"
};

/// Where the file `name` lies: in the folder `beside`, in the shelf's folder there, or in that of `share`, as
/// it is or with the extension after it. An absolute path is taken as it is.
[[nodiscard]] Result<std::filesystem::path, Problem> find_file(const Shelf& shelf, const std::string& name,
                                                               const std::filesystem::path& beside,
                                                               const std::filesystem::path& share);

/// The same of a flow-size distribution.
[[nodiscard]] Result<std::filesystem::path, Problem> find_distribution(const std::string& name,
                                                                       const std::filesystem::path& beside,
                                                                       const std::filesystem::path& share);

}  // namespace dyetrace::scenario
