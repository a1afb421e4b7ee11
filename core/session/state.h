// SPDX-License-Identifier: GPL-2.0-or-later
// The life of a session, for both of its ends. docs/sessions.md holds the table.
#pragma once

#include <cstdint>
#include <string_view>

namespace dyetrace::session {

/// The requester tags packets; the acceptor measures them.
enum class Role : std::uint8_t { Requester = 1, Acceptor = 2 };

enum class State : std::uint8_t {
    Idle = 0,       ///< nothing asked yet
    Requested = 1,  ///< requester: waiting for the answer
    Active = 2,     ///< tagging, measuring
    Closing = 3,    ///< ENDs, final reports and the close are on their way
    Closed = 4,     ///< ended in order
    Rejected = 5,   ///< the acceptor said no
    Expired = 6,    ///< the duration passed without an orderly close
    PeerLost = 7,   ///< the other end fell silent or restarted
};
constexpr int kStateCount = 8;

std::string_view to_string(Role role);
std::string_view to_string(State state);

}  // namespace dyetrace::session
