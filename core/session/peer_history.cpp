// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/peer_history.h"

#include <algorithm>

namespace dyetrace::session {

bool PeerHistory::is_refused(BootId boot, Time now) const {
    if (boot == boot_) return false;
    const auto remembered = [&](const OldBoot& old) { return now < old.until; };
    const auto it = std::find_if(old_.begin(), old_.end(), [&](const auto& old) { return old.boot == boot; });
    if (it != old_.end() && remembered(*it)) return true;
    // One boot more would push out one whose cookies may still be good.
    return old_.size() >= kOldBootsMost && remembered(old_.front());
}

PeerHistory::Verdict PeerHistory::judge(BootId boot, SessionId id, Time now) const {
    if (is_refused(boot, now)) return Verdict::OldBoot;
    if (boot == boot_ && ids_.look(id.value) != ReplayWindow::Verdict::New) return Verdict::Used;
    return Verdict::Fresh;
}

std::optional<BootId> PeerHistory::meet(BootId boot, Time now) {
    DYETRACE_ASSERT(!is_refused(boot, now));
    if (boot == boot_) return std::nullopt;
    const BootId before = boot_;
    boot_ = boot;
    ids_ = {};
    refused_.clear();
    std::erase_if(old_, [&](const OldBoot& old) { return old.boot == boot || now >= old.until; });
    if (before.value == 0) return std::nullopt;
    old_.push_back({before, now + old_for_});
    return before;
}

void PeerHistory::use(SessionId id) {
    const auto verdict = ids_.take(id.value);
    DYETRACE_ASSERT(verdict == ReplayWindow::Verdict::New);
}

void PeerHistory::note_refusal(SessionId id, wire::RejectReason reason, Time now) {
    std::erase_if(refused_, [&](const Refusal& refusal) { return now >= refusal.until; });
    if (refused_.size() >= kRefusedMost) refused_.erase(refused_.begin());
    refused_.push_back({id, reason, now + old_for_});
}

std::optional<wire::RejectReason> PeerHistory::refusal_of(SessionId id, Time now) const {
    for (const Refusal& refusal : refused_) {
        if (refusal.id == id && now < refusal.until) return refusal.reason;
    }
    return std::nullopt;
}

}  // namespace dyetrace::session
