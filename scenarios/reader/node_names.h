// SPDX-License-Identifier: GPL-2.0-or-later
// Words for names that are not in the fabric.
#pragma once

#include <string>
#include <string_view>

#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/fat_tree_names.h"

namespace dyetrace::scenario {

/// Says that `name` is no node of the fat-tree of `k`, and which one may have been meant.
[[nodiscard]] Problem unknown_node(std::string_view name, const FatTreeNames& names, int k);
/// Says that the two are not joined, and what `from` is joined with.
[[nodiscard]] Problem no_link(const FatTreeNode& from, const FatTreeNode& to, const FatTreeNames& names);

}  // namespace dyetrace::scenario
