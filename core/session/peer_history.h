// SPDX-License-Identifier: GPL-2.0-or-later
// What an acceptor remembers of one peer, so that no request of it counts twice: its newest boot, and the
// session ids that this boot has used up.
//
// A request is judged only when a fresh cookie has shown that its sender was alive a moment ago, and since
// the boot that is known here was met. So a boot that another one has replaced is never met again, and need
// not be remembered.
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
    /// Requests that were refused, so that their repeats hear the same.
    static constexpr std::size_t kRefusedMost = 8;

    /// `refused_for`: how long the repeats of a refused request may come.
    explicit PeerHistory(Duration refused_for) : refused_for_(refused_for) {}

    /// Whether the id is news: of another boot, or not used by this one, nor too far behind what it has used.
    [[nodiscard]] bool is_fresh(BootId boot, SessionId id) const {
        return boot != boot_ || ids_.look(id.value) == ReplayWindow::Verdict::New;
    }

    /// `boot` has proved to be alive since the one known here was met. Returns the boot that it replaced.
    std::optional<BootId> meet(BootId boot);
    /// Uses up the id. Precondition: the boot was met, and the id is fresh.
    void use(SessionId id);

    /// Zero: none was met yet.
    [[nodiscard]] BootId boot() const { return boot_; }

    /// The request of session `id` was refused; its repeats hear the same.
    void note_refusal(SessionId id, wire::RejectReason reason, Time now);
    [[nodiscard]] std::optional<wire::RejectReason> refusal_of(SessionId id, Time now) const;

    void digest_into(StateDigest& digest) const;

    [[nodiscard]] static constexpr heap::Need memory_bound() {
        return heap::grown_vector<Refusal>(kRefusedMost);
    }

  private:
    struct Refusal {
        SessionId id;
        wire::RejectReason reason{};
        Time until;
    };

    Duration refused_for_;
    BootId boot_;
    ReplayWindow ids_;
    std::vector<Refusal> refused_;  ///< of the newest boot, oldest first
};

}  // namespace dyetrace::session
