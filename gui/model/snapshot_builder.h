// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a run database into a snapshot. Takes as long as the file is big: call it off the window's thread.
#pragma once

#include <filesystem>
#include <functional>

#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

/// Says what is being read; returns false to give up, whereupon the builder returns nullptr.
using LoadProgress = std::function<bool(const QString& what)>;

/// Throws `store::Error` where the file is not a run, is damaged, or refers to what is not there.
[[nodiscard]] SnapshotPtr load_snapshot(const std::filesystem::path& file, const LoadProgress& progress = {});

}  // namespace dyetrace::viewer
