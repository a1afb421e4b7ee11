// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/path_table.h"

#include <algorithm>

namespace dyetrace::tracking {

std::string_view to_string(RepathRefusal refusal) {
    switch (refusal) {
        case RepathRefusal::UnknownPath: return "no such path index";
        case RepathRefusal::NotSettled: return "the path was moved before, and that is not settled yet";
        case RepathRefusal::NoSparePort: return "no spare port is free";
    }
    DYETRACE_ASSERT(false);
    return {};
}

PathTable::PathTable(std::uint16_t path_count, std::uint16_t port_count)
    : paths_(path_count), untouched_(path_count), port_count_(port_count) {
    DYETRACE_ASSERT(path_count <= port_count);
    for (std::uint16_t i = 0; i < path_count; ++i)
        paths_[i].port = i;
}

const PathCount* PathTable::find(PathIndex path, PathGeneration generation) const {
    if (path.value >= paths_.size()) return nullptr;
    if (paths_[path.value].generation == generation) return &paths_[path.value];
    const auto left = std::find_if(retired_.begin(), retired_.end(), [&](const RetiredPath& r) {
        return r.path == path && r.count.generation == generation;
    });
    return left == retired_.end() ? nullptr : &left->count;
}

Result<PathGeneration, RepathRefusal> PathTable::repath(PathIndex path, Time now, Duration rest) {
    if (path.value >= paths_.size()) return Failure{RepathRefusal::UnknownPath};
    const auto same = [&](const RetiredPath& r) { return r.path == path; };
    if (std::any_of(retired_.begin(), retired_.end(), same)) return Failure{RepathRefusal::NotSettled};
    PathCount next;
    if (untouched_ < port_count_) {
        next.port = untouched_++;
    } else if (!spare_.empty() && now >= spare_.front().since + rest) {
        next.port = spare_.front().port;
        spare_.erase(spare_.begin());
    } else {
        return Failure{RepathRefusal::NoSparePort};
    }
    PathCount& current = paths_[path.value];
    // Wraps: a generation is told from the one before it, and 256 moves lie between two equal ones.
    next.generation = PathGeneration{static_cast<std::uint8_t>(current.generation.value + 1)};
    retired_.push_back({path, current});
    current = next;
    return next.generation;
}

void PathTable::settle(PathIndex path, Time now) {
    const auto left =
        std::find_if(retired_.begin(), retired_.end(), [&](const RetiredPath& r) { return r.path == path; });
    if (left == retired_.end()) return;
    spare_.push_back({left->count.port, now});
    retired_.erase(left);
}

}  // namespace dyetrace::tracking
