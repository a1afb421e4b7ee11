// SPDX-License-Identifier: GPL-2.0-or-later
// The envelope of every control message, update and directive.
//
// Between EPPCs it is the payload of a Geneve packet with the O bit set and the local-experimental EtherType
// as its protocol type; between an EPPC and the NHMS it is the payload of a UDP datagram.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Version (1)  |     Type      |    Key id     |     Flags   |A|
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |        Length (tag included)  |          Reserved (0)         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                           Session id                          |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                         Message number                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                       Sender's boot id                        |
//   |                                                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |              Receiver's boot id (zero: not known yet)         |
//   |                                                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                        Body of the type                       ~
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |              HMAC-SHA-256 truncated to 16 bytes               |
//   |    over the outer addresses, UDP ports and all bytes above    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// A: set by the acceptor of the session, clear from its requester. Session ids are the requester's choice, so
// two hosts may use one id for two sessions, one in each direction.
//
// Versioning: a receiver drops a version it does not speak and counts it (`ControlBadVersion`); flags and
// reserved fields are written as zero and ignored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

enum class ControlType : std::uint8_t {
    // between EPPCs
    Request = 1,
    Accept = 2,
    Reject = 3,
    Marker = 4,
    MarkerAck = 5,
    Report = 6,
    ReportAck = 7,
    Close = 8,
    CloseAck = 9,
    PathTrace = 10,
    PathTraceReply = 11,
    KeepAlive = 12,
    Challenge = 13,
    DelaySketch = 14,
    // between an EPPC and the NHMS
    Update = 32,
    UpdateAck = 33,
    Directive = 34,
    DirectiveResult = 35,
    NhmsHello = 36,
};

/// Whether it belongs to a session's opening: under the pair's key, since the session has none yet.
constexpr bool is_handshake(ControlType type) {
    return type == ControlType::Request || type == ControlType::Challenge || type == ControlType::Accept ||
           type == ControlType::Reject;
}

/// "request", "update-ack", ...
std::string_view to_string(ControlType type);

using ControlTag = std::array<std::uint8_t, 16>;

struct ControlHeader {
    static constexpr std::uint8_t kVersion = 1;
    static constexpr std::size_t kSize = 32;
    static constexpr std::size_t kTagSize = 16;
    static constexpr std::uint8_t kFlagFromAcceptor = 0x01;

    ControlType type = ControlType::Request;
    KeyId key_id;
    bool from_acceptor = false;
    SessionId session;
    std::uint32_t message_number = 0;  ///< of the sender's sequence in this session; zero in a handshake
    BootId sender_boot;
    BootId receiver_boot;

    bool operator==(const ControlHeader&) const = default;

    /// Precondition: bytes.size() >= kSize. `length` is the whole message's, tag included.
    void encode_into(MutableBytes bytes, std::size_t length) const;
};

/// A message taken apart but not yet authenticated.
struct ControlMessage {
    ControlHeader header;
    Bytes body;
    Bytes tagged;  ///< what the tag covers besides the outer addresses: header and body
    ControlTag tag{};

    /// Checks version, type and length. Bytes behind the message's own length are padding and are ignored.
    static Result<ControlMessage, DropReason> parse(Bytes bytes);
};

}  // namespace dyetrace::wire
