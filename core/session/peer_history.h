// SPDX-License-Identifier: GPL-2.0-or-later
// What an acceptor remembers of one peer, so that no request of it counts twice: its newest boot, the session
// ids that this boot has used up, and the boots before.
//
// A request is judged only when a fresh cookie has shown that its sender was alive a moment ago. A boot that
// was replaced stays refused for as long as a cookie that it may have earned is good; after that only a live
// engine could earn one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/replay_window.h"
#include "core/base/time.h"
#include "core/wire/session_messages.h"

namespace dyetrace::session {

class PeerHistory {
  public:
    /// Boots before the newest that are remembered; a peer that restarts more often waits.
    static constexpr std::size_t kOldBootsMost = 4;
    /// Requests that were refused, so that their repeats hear the same.
    static constexpr std::size_t kRefusedMost = 8;

    /// `old_for`: how long a replaced boot stays refused.
    explicit PeerHistory(Duration old_for) : old_for_(old_for) {}

    enum class Verdict : std::uint8_t {
        Fresh,
        Used,     ///< this boot has used the id before, or it lies too far behind
        OldBoot,  ///< a boot before the newest, or one more than is remembered
    };
    [[nodiscard]] Verdict judge(BootId boot, SessionId id, Time now) const;
    /// Whether `boot` may speak at all.
    [[nodiscard]] bool is_refused(BootId boot, Time now) const;

    /// `boot` has proved to be alive. Returns the boot that it replaced. Precondition: !is_refused(boot,
    /// now).
    std::optional<BootId> meet(BootId boot, Time now);
    /// Uses up the id. Precondition: `boot()` was met, and the verdict is Fresh.
    void use(SessionId id);

    /// Zero: none was met yet.
    [[nodiscard]] BootId boot() const { return boot_; }

    /// The request of session `id` was refused; its repeats within `old_for` hear the same.
    void note_refusal(SessionId id, wire::RejectReason reason, Time now);
    [[nodiscard]] std::optional<wire::RejectReason> refusal_of(SessionId id, Time now) const;

    void digest_into(StateDigest& digest) const;

    [[nodiscard]] static constexpr heap::Need memory_bound() {
        return heap::grown_vector<OldBoot>(kOldBootsMost) + heap::grown_vector<Refusal>(kRefusedMost);
    }

  private:
    struct OldBoot {
        BootId boot;
        Time until;
    };
    struct Refusal {
        SessionId id;
        wire::RejectReason reason{};
        Time until;
    };

    Duration old_for_;
    BootId boot_;
    ReplayWindow ids_;
    std::vector<OldBoot> old_;      ///< oldest first
    std::vector<Refusal> refused_;  ///< of the newest boot, oldest first
};

}  // namespace dyetrace::session
