// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a file that is to be written may take the place of what is there.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace dyetrace::store {

/// What dyetrace writes there, and may therefore replace where it is told to.
struct OutputKind {
    std::string name;  ///< "a report of dyetrace"
    /// Whether a regular file that is not empty is one.
    std::function<bool(const std::filesystem::path&)> is_one;
};

/// Throws `NotReplaced` where something is at `path` that is neither of that kind nor an empty file, and
/// `OutputExists` where what is there could be replaced but `force` was not said.
void refuse_existing(const std::filesystem::path& path, bool force, const OutputKind& kind);

/// The first bytes of a file: as many as there are, up to `count`.
[[nodiscard]] std::string first_bytes(const std::filesystem::path& path, std::size_t count);

}  // namespace dyetrace::store
