// SPDX-License-Identifier: GPL-2.0-or-later
// What a session wants said and known. Its owner wraps messages into packets and passes events on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/auth/keys.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/session/state.h"
#include "core/wire/control.h"
#include "core/wire/report.h"

namespace dyetrace::session {

/// A control message to the session's peer, still without addresses, boot ids and tag.
struct OutgoingMessage {
    wire::ControlType type{};
    SessionId session;
    bool from_acceptor = false;
    std::uint32_t message_number = 0;
    BootId receiver_boot;                 ///< zero before the peer's is known
    KeyId key_id;                         ///< of the shared key behind
    std::optional<auth::ControlKey> key;  ///< the session's; none: a handshake, under the pair's
    /// Offset of the source port that it must leave from; none: any path will do.
    std::optional<std::uint16_t> port;
    std::vector<std::uint8_t> body;
};

struct StateChange {
    Role role{};
    SessionId session;
    State from{};
    State to{};
    std::string_view reason;  ///< static text
};

/// The latest record of one path of a requested session.
struct NewRecord {
    SessionId session;
    wire::PathRecord record;
    bool troubled = false;  ///< it shows trouble that the ones before did not, or that nobody was told
    bool lossy = false;     ///< of that, loss
};

struct Outbox {
    std::vector<OutgoingMessage> messages;
    std::vector<StateChange> changes;
    std::vector<NewRecord> records;
    std::vector<PathIndex> paths_started;  ///< paths whose START was acknowledged

    void clear() {
        messages.clear();
        changes.clear();
        records.clear();
        paths_started.clear();
    }
    /// Adds a message whose body has `encode_into` and a fixed `kSize`.
    template <class Body>
    void say(OutgoingMessage message, const Body& body) {
        message.body.resize(Body::kSize);
        body.encode_into(message.body);
        messages.push_back(std::move(message));
    }
};

/// When to retransmit and when to give up (both sides, every message that wants an answer).
struct RetransmitPolicy {
    Duration first;  ///< after the first transmission
    Duration last;   ///< the doubling stops here
    int most = 12;   ///< transmissions in all, then the peer is silent

    /// How long to wait after the `attempts`th transmission, attempts >= 1.
    [[nodiscard]] Duration wait_after(int attempts) const {
        Duration wait = first;
        for (int i = 1; i < attempts && wait < last; ++i)
            wait = wait * 2;
        return wait < last ? wait : last;
    }
    /// From the first transmission until the peer counts as silent.
    [[nodiscard]] Duration span() const {
        Duration total;
        for (int i = 1; i <= most; ++i)
            total = total + wait_after(i);
        return total;
    }
};

}  // namespace dyetrace::session
