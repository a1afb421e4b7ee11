// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/peer_history.h"

namespace dyetrace::session {

std::optional<BootId> PeerHistory::meet(BootId boot) {
    if (boot == boot_) return std::nullopt;
    const BootId before = boot_;
    boot_ = boot;
    ids_ = {};
    refused_.clear();
    if (before.value == 0) return std::nullopt;
    return before;
}

void PeerHistory::use(SessionId id) {
    const auto verdict = ids_.take(id.value);
    DYETRACE_ASSERT(verdict == ReplayWindow::Verdict::New);
}

void PeerHistory::note_refusal(SessionId id, wire::RejectReason reason, Time now) {
    std::erase_if(refused_, [&](const Refusal& refusal) { return now >= refusal.until; });
    if (refused_.size() >= kRefusedMost) refused_.erase(refused_.begin());
    refused_.push_back({id, reason, now + refused_for_});
}

std::optional<wire::RejectReason> PeerHistory::refusal_of(SessionId id, Time now) const {
    for (const Refusal& refusal : refused_) {
        if (refusal.id == id && now < refusal.until) return refusal.reason;
    }
    return std::nullopt;
}

}  // namespace dyetrace::session
