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
                case Event::AcceptReceived: return {State::Active};
                case Event::RejectReceived: return {State::Rejected};
                // The accept may be on its way: the acceptor is told, so that it keeps no half-open session.
                case Event::CloseAsked: return {State::Closed, Action::AbandonClose};
                case Event::DurationOver: return {State::Expired, Action::AbandonClose};
                case Event::CloseReceived: return {State::Closed, Action::SendCloseAck};
                case Event::PeerSilent: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::RequestReceived:
                case Event::Flushed:
                case Event::CloseAckReceived: return stay(from);
            }
            break;
        case State::Active:
            switch (event) {
                case Event::CloseAsked:
                case Event::DurationOver: return {State::Closing, Action::EndPaths};
                case Event::CloseReceived: return {State::Closed, Action::SendCloseAck};
                case Event::PeerSilent: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::RequestReceived:
                case Event::AcceptReceived:  // a repeat of the accept
                case Event::RejectReceived:
                case Event::Flushed:
                case Event::CloseAckReceived: return stay(from);
            }
            break;
        case State::Closing:
            switch (event) {
                case Event::CloseAckReceived: return {State::Closed};
                case Event::CloseReceived: return {State::Closed, Action::SendCloseAck};
                case Event::PeerSilent: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::RequestReceived:
                case Event::AcceptReceived:
                case Event::RejectReceived:
                case Event::CloseAsked:
                case Event::DurationOver:
                case Event::Flushed: return stay(from);
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
                case Event::CloseReceived: return {State::Closing, Action::SendReport};
                case Event::DurationOver: return {State::Expired};  // and the requester's close stayed away
                case Event::PeerSilent: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::AcceptReceived:
                case Event::RejectReceived:
                case Event::CloseAsked:
                case Event::Flushed:
                case Event::CloseAckReceived: return stay(from);
            }
            break;
        case State::Closing:
            switch (event) {
                case Event::CloseReceived: return {State::Closing, Action::SendReport};
                case Event::Flushed: return {State::Closed, Action::SendCloseAck};
                case Event::DurationOver: return {State::Expired};
                case Event::PeerSilent: return {State::PeerLost};
                case Event::OpenAsked:
                case Event::RequestReceived:
                case Event::AcceptReceived:
                case Event::RejectReceived:
                case Event::CloseAsked:
                case Event::CloseAckReceived: return stay(from);
            }
            break;
        case State::Requested:  // the acceptor answers at once and never waits here
        case State::Closed:
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
        case Event::RequestReceived: return "request-received";
        case Event::AcceptReceived: return "accept-received";
        case Event::RejectReceived: return "reject-received";
        case Event::CloseAsked: return "close-asked";
        case Event::DurationOver: return "duration-over";
        case Event::CloseReceived: return "close-received";
        case Event::Flushed: return "flushed";
        case Event::CloseAckReceived: return "close-ack-received";
        case Event::PeerSilent: return "peer-silent";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(Action action) {
    switch (action) {
        case Action::None: return "none";
        case Action::SendRequest: return "send-request";
        case Action::SendAccept: return "send-accept";
        case Action::EndPaths: return "end-paths";
        case Action::SendReport: return "send-report";
        case Action::SendCloseAck: return "send-close-ack";
        case Action::AbandonClose: return "abandon-close";
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
