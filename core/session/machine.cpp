// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/machine.h"

#include "core/base/result.h"

namespace dyetrace::session {
namespace {

constexpr Transition stay(State state) {
    return {state, Action::None, false};
}

Transition requester(State from, Event event) {
    switch (from) {
        case State::Idle:
            if (event == Event::OpenAsked) return {State::Requested, Action::SendRequest};
            return stay(from);
        case State::Requested:
            switch (event) {
                case Event::ChallengeReceived: return {State::Requested, Action::SendRequest};
                case Event::AcceptReceived: return {State::Active, Action::SendKeepAlive};
                case Event::RejectReceived: return {State::Rejected};
                // An acceptor that has accepted meanwhile never hears of its session, and lets it expire.
                case Event::CloseAsked: return {State::Closed};
                case Event::DurationOver: return {State::Expired};
                case Event::PeerSilent: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::RequestReceived:
                case Event::CloseReceived:
                case Event::Flushed:
                case Event::CloseAckReceived:
                case Event::Unconfirmed:
                case Event::PeerRestarted: return stay(from);  // the new boot is asked as the old one was
            }
            break;
        case State::Active:
            switch (event) {
                case Event::CloseAsked:
                case Event::DurationOver: return {State::Closing, Action::EndPaths};
                case Event::CloseReceived: return {State::Closing, Action::AckAndEndPaths};
                case Event::PeerSilent:
                case Event::PeerRestarted: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::ChallengeReceived:
                case Event::RequestReceived:
                case Event::AcceptReceived:  // a repeat of the accept
                case Event::RejectReceived:
                case Event::Flushed:
                case Event::CloseAckReceived:
                case Event::Unconfirmed: return stay(from);
            }
            break;
        case State::Closing:
            switch (event) {
                case Event::CloseAckReceived: return {State::Closed};
                case Event::CloseReceived: return {State::Closing, Action::SendCloseAck};
                case Event::PeerSilent:
                case Event::PeerRestarted: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::ChallengeReceived:
                case Event::RequestReceived:
                case Event::AcceptReceived:
                case Event::RejectReceived:
                case Event::CloseAsked:
                case Event::DurationOver:
                case Event::Flushed:
                case Event::Unconfirmed: return stay(from);
            }
            break;
        case State::Closed:
        case State::Rejected:
        case State::Expired:
        case State::PeerLost: return stay(from);
    }
    DYETRACE_ASSERT(false);
    return stay(from);
}

Transition acceptor(State from, Event event) {
    switch (from) {
        case State::Idle:
            if (event == Event::RequestReceived) return {State::Active, Action::SendAccept};
            return stay(from);
        case State::Active:
            switch (event) {
                case Event::RequestReceived:
                    return {State::Active, Action::SendAccept};  // our accept was lost
                case Event::CloseAsked: return {State::Closing, Action::SendClose};
                case Event::CloseReceived: return {State::Closing, Action::SendReport};
                // The requester's close stayed away; what was measured goes to it once more.
                case Event::DurationOver: return {State::Expired, Action::SendReport};
                case Event::Unconfirmed: return {State::Expired};
                case Event::PeerSilent:
                case Event::PeerRestarted: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::ChallengeReceived:
                case Event::AcceptReceived:
                case Event::RejectReceived:
                case Event::Flushed:
                case Event::CloseAckReceived: return stay(from);
            }
            break;
        case State::Closing:
            switch (event) {
                // It must have the accept to understand our close.
                case Event::RequestReceived: return {State::Closing, Action::SendAccept};
                case Event::CloseReceived: return {State::Closing, Action::SendReport};
                case Event::CloseAckReceived: return {State::Closing};  // and its own close will follow
                case Event::Flushed: return {State::Closed, Action::SendCloseAck};
                case Event::DurationOver: return {State::Expired, Action::SendReport};
                case Event::Unconfirmed: return {State::Expired};
                case Event::PeerSilent:
                case Event::PeerRestarted: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::ChallengeReceived:
                case Event::AcceptReceived:
                case Event::RejectReceived:
                case Event::CloseAsked: return stay(from);
            }
            break;
        case State::Closed:
            // Our close-ack was lost, and is all that the requester waits for.
            if (event == Event::CloseReceived) return {State::Closed, Action::SendCloseAck};
            return stay(from);
        case State::Requested:  // the acceptor answers at once and never waits here
        case State::Rejected:
        case State::Expired:
        case State::PeerLost: return stay(from);
    }
    DYETRACE_ASSERT(false);
    return stay(from);
}

}  // namespace

std::string_view to_string(Role role) {
    switch (role) {
        case Role::Requester: return "requester";
        case Role::Acceptor: return "acceptor";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(State state) {
    switch (state) {
        case State::Idle: return "idle";
        case State::Requested: return "requested";
        case State::Active: return "active";
        case State::Closing: return "closing";
        case State::Closed: return "closed";
        case State::Rejected: return "rejected";
        case State::Expired: return "expired";
        case State::PeerLost: return "peer-lost";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(Event event) {
    switch (event) {
        case Event::OpenAsked: return "open-asked";
        case Event::ChallengeReceived: return "challenge-received";
        case Event::RequestReceived: return "request-received";
        case Event::AcceptReceived: return "accept-received";
        case Event::RejectReceived: return "reject-received";
        case Event::CloseAsked: return "close-asked";
        case Event::DurationOver: return "duration-over";
        case Event::CloseReceived: return "close-received";
        case Event::Flushed: return "flushed";
        case Event::CloseAckReceived: return "close-ack-received";
        case Event::Unconfirmed: return "unconfirmed";
        case Event::PeerSilent: return "peer-silent";
        case Event::PeerRestarted: return "peer-restarted";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(Action action) {
    switch (action) {
        case Action::None: return "none";
        case Action::SendRequest: return "send-request";
        case Action::SendAccept: return "send-accept";
        case Action::SendKeepAlive: return "send-keep-alive";
        case Action::EndPaths: return "end-paths";
        case Action::AckAndEndPaths: return "ack-and-end-paths";
        case Action::SendReport: return "send-report";
        case Action::SendClose: return "send-close";
        case Action::SendCloseAck: return "send-close-ack";
    }
    DYETRACE_ASSERT(false);
    return {};
}

Transition transition(Role role, State from, Event event) {
    switch (role) {
        case Role::Requester: return requester(from, event);
        case Role::Acceptor: return acceptor(from, event);
    }
    DYETRACE_ASSERT(false);
    return stay(from);
}

}  // namespace dyetrace::session
