// SPDX-License-Identifier: GPL-2.0-or-later
// One end of a session's authenticated messages: its keys, the numbers that it gives, those that it has seen.
#pragma once

#include <cstdint>
#include <limits>

#include "core/auth/keys.h"
#include "core/base/digest.h"
#include "core/base/ids.h"
#include "core/base/replay_window.h"
#include "core/base/time.h"

namespace dyetrace::session {

class Channel {
  public:
    /// Wide enough for the markers of all paths at once, spread over paths of different lengths.
    using Window = WideReplayWindow<1024>;

    Channel() = default;
    Channel(KeyId key_id, const auth::SessionKeys& keys, Time now)
        : key_id_(key_id), keys_(keys), last_heard_(now) {}

    /// The number of the next message out; each transmission has its own.
    std::uint32_t next_number() { return ++sent_; }
    /// Numbers do not wrap: a session that has used up most of them ends, and another one begins.
    [[nodiscard]] bool is_nearly_spent() const { return sent_ >= kSentMost || window_.newest() >= kSentMost; }

    /// An authentic message with this number has come; false where it is a repeat, and means nothing.
    bool hear(std::uint32_t number, Time now) {
        if (number == 0 || window_.take(number) != Window::Verdict::New) return false;
        last_heard_ = now;
        confirmed_ = true;
        return true;
    }
    /// Something else that shows the peer alive: a tracked packet seen for the first time.
    void hear(Time now) {
        last_heard_ = now;
        confirmed_ = true;
    }

    [[nodiscard]] KeyId key_id() const { return key_id_; }
    [[nodiscard]] const auth::SessionKeys& keys() const { return keys_; }
    [[nodiscard]] Time last_heard() const { return last_heard_; }
    /// Whether the peer has ever said something under the session's key.
    [[nodiscard]] bool is_confirmed() const { return confirmed_; }
    void digest_into(StateDigest& digest) const;

  private:
    static constexpr std::uint32_t kSentMost = std::numeric_limits<std::uint32_t>::max() / 4 * 3;

    KeyId key_id_;
    bool confirmed_ = false;
    std::uint32_t sent_ = 0;
    auth::SessionKeys keys_;
    Time last_heard_{};
    Window window_;
};

}  // namespace dyetrace::session
