// SPDX-License-Identifier: GPL-2.0-or-later
// The state machine of both ends of a session. A transition says what to do; it does nothing itself.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/session/state.h"

namespace dyetrace::session {

enum class Event : std::uint8_t {
    OpenAsked,          ///< requester: traffic, an operator or the NHMS wants a session
    ChallengeReceived,  ///< requester: the acceptor wants its nonce back
    RequestReceived,    ///< acceptor: with a good nonce, and it fits its bounds
    AcceptReceived,     ///< requester
    RejectReceived,     ///< requester
    CloseAsked,         ///< this end wants to end it
    DurationOver,       ///< the duration that was asked for has passed
    CloseReceived,      ///< the other end wants to end it
    Flushed,            ///< acceptor: every metric is with the requester, who has closed
    CloseAckReceived,
    Unconfirmed,    ///< acceptor: no message under the session's key ever came
    PeerSilent,     ///< retransmissions ran out, or keep-alives stayed away
    PeerRestarted,  ///< the peer has proved to be alive under another boot id
};
constexpr int kEventCount = 13;
std::string_view to_string(Event event);

/// What the owner of the machine is to do.
enum class Action : std::uint8_t {
    None,
    SendRequest,
    SendAccept,
    SendKeepAlive,   ///< requester: at once, so that the acceptor knows that its accept arrived
    EndPaths,        ///< requester: close every measured interval, then send the close
    AckAndEndPaths,  ///< the same, and acknowledge the acceptor's close first
    SendReport,      ///< acceptor: the last metrics, at once
    SendClose,       ///< acceptor: ask the requester to end it
    SendCloseAck,
};
constexpr int kActionCount = 9;
std::string_view to_string(Action action);

struct Transition {
    State to;
    Action action = Action::None;
    bool allowed = true;  ///< false: the event does not belong here; the state stays
};

/// Total over all roles, states and events.
Transition transition(Role role, State from, Event event);

/// Whether nothing leads out of `state`. A closed acceptor still answers repeated closes.
constexpr bool is_final(State state) {
    return state == State::Closed || state == State::Rejected || state == State::Expired ||
           state == State::PeerLost;
}

}  // namespace dyetrace::session
