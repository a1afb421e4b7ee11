// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/eppc_table.h"

#include <algorithm>

#include "core/base/random.h"
#include "core/health/give_way.h"

namespace dyetrace::health {

const KnownEppc* EppcTable::find(IpAddress address) const {
    const auto it = eppcs_.find(address);
    return it == eppcs_.end() ? nullptr : &it->second;
}

KnownEppc* EppcTable::find(IpAddress address) {
    const auto it = eppcs_.find(address);
    return it == eppcs_.end() ? nullptr : &it->second;
}

BootId EppcTable::shown(std::uint32_t epoch, BootId its_boot) const {
    return BootId{mix64(own_boot_.value ^ mix64(its_boot.value + mix64(epoch))) | 1};  // zero: "not known"
}

BootId EppcTable::shown_boot(IpAddress address, BootId its_boot) const {
    const KnownEppc* known = find(address);
    if (known == nullptr) return shown(epoch_of_forgotten_ + 1, its_boot);
    return is_current(*known, its_boot) ? known->shown_boot : shown(known->epoch + 1, its_boot);
}

bool EppcTable::forget_one(Time now) {
    const auto silent = take_stale(eppcs_, looked_at_, forget_after_, now);
    if (silent.empty()) return false;
    epoch_of_forgotten_ = std::max(epoch_of_forgotten_, silent.mapped().epoch);
    ++forgotten_;
    return true;
}

EppcTable::Taken EppcTable::take(const Endpoint& from, BootId its_boot, std::uint32_t number, Time now) {
    KnownEppc* eppc = find(from.address);
    if (eppc == nullptr) {
        if (eppcs_.size() >= most_ && !forget_one(now)) return {};
        eppc = &eppcs_[from.address];
        eppc->epoch = epoch_of_forgotten_;
    }
    if (!is_current(*eppc, its_boot)) {
        eppc->shown_boot = shown(++eppc->epoch, its_boot);
        eppc->boot = its_boot;
        eppc->updates = {};
        eppc->updates_left = updates_per_boot_;
    }
    const ReplayWindow::Verdict verdict = eppc->updates.take(number);
    if (verdict == ReplayWindow::Verdict::New) {
        eppc->endpoint = from;
        eppc->heard = now;
        --eppc->updates_left;
    }
    return {eppc, verdict};
}

}  // namespace dyetrace::health
