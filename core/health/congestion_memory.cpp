// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/congestion_memory.h"

namespace dyetrace::health {
namespace {

constexpr std::int64_t kSliceNs = 500'000'000;
/// Below this others' loss says nothing.
constexpr float kPacketsLeast = 100;

/// Slices that passed since `recent` was last touched, up to two.
int passed(const RecentLoss& recent, std::uint32_t slice) {
    return std::clamp(static_cast<std::int32_t>(slice - recent.slice), 0, 2);
}

float total(const std::array<float, 2>& slices, int gone) {
    if (gone == 0) return slices[0] + slices[1];
    return gone == 1 ? slices[1] : 0;
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
    const int gone = passed(recent, slice);
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

void CongestionMemory::add(std::uint32_t group, std::uint32_t slice, double sent, double lost, bool sampled,
                           bool queued) {
    if (group == 0) return;
    Group& one = groups_[group];
    const int gone = passed(one.loss, slice);
    move_on(one.sampled, gone);
    move_on(one.queued, gone);
    add_recent(one.loss, slice, sent, lost);
    one.sampled[1] += sampled ? 1 : 0;
    one.queued[1] += queued ? 1 : 0;
}

bool CongestionMemory::is_congested(std::uint32_t group, std::uint32_t slice) const {
    if (group == 0) return false;
    const Group& one = groups_[group];
    const int gone = passed(one.loss, slice);
    const auto sum = [gone](const std::array<std::uint32_t, 2>& slices) {
        if (gone == 0) return slices[0] + slices[1];
        return gone == 1 ? slices[1] : 0;
    };
    const std::uint32_t queued = sum(one.queued);
    return queued > 0 && queued * 10 >= sum(one.sampled);
}

double CongestionMemory::loss_of_others(std::uint32_t group, const RecentLoss& own, std::uint32_t slice) const {
    if (group == 0) return 0;
    const RecentLoss& all = groups_[group].loss;
    const float sent = total(all.sent, passed(all, slice)) - total(own.sent, passed(own, slice));
    const float lost = total(all.lost, passed(all, slice)) - total(own.lost, passed(own, slice));
    if (sent < kPacketsLeast) return 0;
    return std::clamp(static_cast<double>(lost) / static_cast<double>(sent), 0.0, 1.0);
}

}  // namespace dyetrace::health
