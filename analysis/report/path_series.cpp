// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/path_series.h"

#include <algorithm>
#include <cstddef>
#include <map>

#include "analysis/report/fabric_names.h"
#include "analysis/report/seconds.h"

namespace dyetrace::report {
namespace {

/// Of 1, 2, 5, 10, ... the smallest that cuts the time into at most 100 slices: 20 ms of the usual 1.5 s,
/// which is also the usual report interval, so that each slice has a report of every path.
std::int64_t choose_slice_ns(std::int64_t duration_ns) {
    constexpr std::int64_t most_slices = 100;
    std::int64_t slice_ns = 1;
    for (int step = 0; slice_ns * most_slices < duration_ns; ++step) {
        slice_ns = step % 3 == 1 ? slice_ns / 2 * 5 : slice_ns * 2;  // 1 2 5 10 20 50
    }
    return slice_ns;
}

using GroupIndices = std::vector<std::size_t>;

/// Which groups each path belongs to; paths that were never learned are in none and count as others.
std::map<PathKey, GroupIndices> group_paths(const store::RunReader& run,
                                            const std::vector<store::SuspectRow>& suspects) {
    std::map<PathKey, GroupIndices> groups;
    for (const auto& path : run.paths()) {
        GroupIndices& of_path = groups[{path.session, path.path_index, path.generation}];
        for (std::size_t i = 0; i < suspects.size(); ++i) {
            if (crosses(path.hops, suspects[i])) of_path.push_back(i);
        }
    }
    return groups;
}

/// The difference of a path's cumulative totals to the record before.
Slice difference(const store::PathRecordRow& now, const store::PathRecordRow& before) {
    Slice slice;
    slice.sent = now.sent - before.sent;
    slice.lost =
        static_cast<std::int64_t>(slice.sent) - static_cast<std::int64_t>(now.received - before.received);
    slice.delay_ns_sum = now.delay_ns_sum - before.delay_ns_sum;
    slice.delay_count = now.delay_count - before.delay_count;
    return slice;
}

void add(Slice& total, const Slice& part) {
    total.sent += part.sent;
    total.lost += part.lost;
    total.delay_ns_sum += part.delay_ns_sum;
    total.delay_count += part.delay_count;
}

double middle(std::size_t slice, double slice_s) {
    return (static_cast<double>(slice) + 0.5) * slice_s;
}

}  // namespace

std::vector<Point> PathGroup::loss_percent(double slice_s) const {
    std::vector<Point> points;
    for (std::size_t i = 0; i < slices.size(); ++i) {
        if (slices[i].sent == 0) continue;
        points.push_back({middle(i, slice_s),
                          100.0 * static_cast<double>(slices[i].lost) / static_cast<double>(slices[i].sent)});
    }
    return points;
}

std::vector<Point> PathGroup::delay_us_mean(double slice_s) const {
    std::vector<Point> points;
    for (std::size_t i = 0; i < slices.size(); ++i) {
        if (slices[i].delay_count == 0) continue;
        points.push_back({middle(i, slice_s), static_cast<double>(slices[i].delay_ns_sum) * 1e-3 /
                                                  static_cast<double>(slices[i].delay_count)});
    }
    return points;
}

PathSeries make_path_series(const store::RunReader& run, const std::vector<store::SuspectRow>& suspects,
                            const std::vector<std::string>& suspect_names, std::int64_t duration_ns) {
    const std::int64_t slice_ns = choose_slice_ns(duration_ns);
    const std::int64_t slice_count = std::max<std::int64_t>(1, (duration_ns + slice_ns - 1) / slice_ns);
    PathSeries series;
    series.slice_s = seconds(slice_ns);
    for (const auto& name : suspect_names)
        series.groups.push_back({"paths through " + name, {}});
    series.groups.push_back({suspects.empty() ? "all paths" : "all other paths", {}});
    for (auto& group : series.groups)
        group.slices.resize(static_cast<std::size_t>(slice_count));

    const auto groups = group_paths(run, suspects);
    const std::size_t others = suspects.size();
    std::map<PathKey, store::PathRecordRow> latest;
    run.for_each_path_record([&](const store::PathRecordRow& record) {
        const PathKey key{record.session, record.path_index, record.generation};
        store::PathRecordRow& before = latest[key];
        // Totals only grow; a record that says less is older and came late.
        if (record.sent < before.sent || record.received < before.received ||
            record.delay_count < before.delay_count)
            return;
        const Slice news = difference(record, before);
        before = record;
        const auto index =
            static_cast<std::size_t>(std::clamp<std::int64_t>(record.t_ns / slice_ns, 0, slice_count - 1));
        const auto found = groups.find(key);
        if (found == groups.end() || found->second.empty()) {
            add(series.groups[others].slices[index], news);
        } else {
            for (const std::size_t group : found->second)
                add(series.groups[group].slices[index], news);
        }
    });
    return series;
}

}  // namespace dyetrace::report
