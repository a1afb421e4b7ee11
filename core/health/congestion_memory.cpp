// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/congestion_memory.h"

namespace dyetrace::health {
namespace {

constexpr std::int64_t kSliceNs = 500'000'000;
constexpr std::uint32_t kSlicesOfMemory = 10;
/// Below this others' loss says nothing.
constexpr float kPacketsLeast = 100;

/// Slices that passed, up to two.
int passed(std::uint32_t since, std::uint32_t slice) {
    return std::clamp(static_cast<std::int32_t>(slice - since), 0, 2);
}

template <class Count>
Count total(const std::array<Count, 2>& slices, int gone) {
    if (gone == 0) return slices[0] + slices[1];
    return gone == 1 ? slices[1] : Count{};
}

template <class Count>
void move_on(std::array<Count, 2>& slices, int gone) {
    if (gone == 0) return;
    slices = {gone == 1 ? slices[1] : Count{}, Count{}};
}

}  // namespace

std::uint32_t slice_of(Time now) {
    return static_cast<std::uint32_t>(now.ns / kSliceNs);
}

void add_recent(RecentLoss& recent, std::uint32_t slice, double sent, double lost) {
    const int gone = passed(recent.slice, slice);
    move_on(recent.sent, gone);
    move_on(recent.lost, gone);
    if (gone > 0) recent.slice = slice;
    recent.sent[1] += static_cast<float>(sent);
    recent.lost[1] += static_cast<float>(lost);
}

std::uint32_t CongestionMemory::group_of(IpAddress acceptor) {
    const auto it = index_.find(acceptor);
    if (it != index_.end()) return it->second;
    if (index_.size() >= most_) {
        ++over_limit_;
        return 0;
    }
    const auto group = static_cast<std::uint32_t>(groups_.size());
    groups_.emplace_back();
    index_.emplace(acceptor, group);
    return group;
}

void CongestionMemory::QueueShare::add(std::uint32_t now_slice, bool was_queued) {
    const int gone = passed(slice, now_slice);
    move_on(sampled, gone);
    move_on(queued, gone);
    if (gone > 0) slice = now_slice;
    ++sampled[1];
    queued[1] += was_queued ? 1 : 0;
}

double CongestionMemory::QueueShare::share(std::uint32_t now_slice, double weight, double prior) const {
    const int gone = passed(slice, now_slice);
    return (total(queued, gone) + weight * prior) / (total(sampled, gone) + weight);
}

void CongestionMemory::add(std::uint32_t group, std::uint32_t slice, double sent, double lost, bool sampled,
                           bool queued) {
    if (sampled || queued) {
        const std::uint32_t long_slice = slice / kSlicesOfMemory;
        fabric_.add(long_slice, queued && lost > 0);
        if (lost > 0) fabric_lossy_.add(long_slice, queued);
        if (lost > 0 && group != 0) groups_[group].lossy.add(long_slice, queued);
    }
    if (group != 0) add_recent(groups_[group].loss, slice, sent, lost);
}

double CongestionMemory::congested_share(std::uint32_t group, std::uint32_t slice, double unknown) const {
    const std::uint32_t long_slice = slice / kSlicesOfMemory;
    const double fabric = fabric_lossy_.share(long_slice, 1, fabric_.share(long_slice, 1, unknown));
    return group == 0 ? fabric : groups_[group].lossy.share(long_slice, 4, fabric);
}

double CongestionMemory::loss_of_others(std::uint32_t group, const RecentLoss& own,
                                        std::uint32_t slice) const {
    if (group == 0) return 0;
    const RecentLoss& all = groups_[group].loss;
    const float sent = total(all.sent, passed(all.slice, slice)) - total(own.sent, passed(own.slice, slice));
    const float lost = total(all.lost, passed(all.slice, slice)) - total(own.lost, passed(own.slice, slice));
    if (sent < kPacketsLeast) return 0;
    return std::clamp(static_cast<double>(lost) / static_cast<double>(sent), 0.0, 1.0);
}

}  // namespace dyetrace::health
