// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/control.h"

#include <algorithm>

namespace dyetrace::wire {
namespace {

bool is_known(std::uint8_t type) {
    return (type >= static_cast<std::uint8_t>(ControlType::Request) &&
            type <= static_cast<std::uint8_t>(ControlType::DelaySketch)) ||
           (type >= static_cast<std::uint8_t>(ControlType::Update) &&
            type <= static_cast<std::uint8_t>(ControlType::NhmsHello));
}

}  // namespace

std::string_view to_string(ControlType type) {
    switch (type) {
        case ControlType::Request: return "request";
        case ControlType::Accept: return "accept";
        case ControlType::Reject: return "reject";
        case ControlType::Marker: return "marker";
        case ControlType::MarkerAck: return "marker-ack";
        case ControlType::Report: return "report";
        case ControlType::ReportAck: return "report-ack";
        case ControlType::Close: return "close";
        case ControlType::CloseAck: return "close-ack";
        case ControlType::PathTrace: return "path-trace";
        case ControlType::PathTraceReply: return "path-trace-reply";
        case ControlType::KeepAlive: return "keep-alive";
        case ControlType::Challenge: return "challenge";
        case ControlType::DelaySketch: return "delay-sketch";
        case ControlType::Update: return "update";
        case ControlType::UpdateAck: return "update-ack";
        case ControlType::Directive: return "directive";
        case ControlType::DirectiveResult: return "directive-result";
        case ControlType::NhmsHello: return "nhms-hello";
    }
    DYETRACE_ASSERT(false);
    return {};
}

void ControlHeader::encode_into(MutableBytes bytes, std::size_t length) const {
    ByteWriter out(bytes);
    out.u8(kVersion);
    out.u8(static_cast<std::uint8_t>(type));
    out.u8(key_id.value);
    out.u8(from_acceptor ? kFlagFromAcceptor : 0);
    out.u16(static_cast<std::uint16_t>(length));
    out.u16(0);
    out.u32(session.value);
    out.u32(message_number);
    out.u64(sender_boot.value);
    out.u64(receiver_boot.value);
}

Result<ControlMessage, DropReason> ControlMessage::parse(Bytes bytes) {
    if (bytes.empty()) return Failure{DropReason::ControlTruncated};
    // The version comes before the length: another version may well have another header.
    if (bytes[0] != ControlHeader::kVersion) return Failure{DropReason::ControlBadVersion};
    constexpr std::size_t kLeast = ControlHeader::kSize + ControlHeader::kTagSize;
    if (bytes.size() < kLeast) return Failure{DropReason::ControlTruncated};
    const std::size_t length = load_u16(&bytes[4]);
    if (length < kLeast) return Failure{DropReason::ControlBadLength};
    if (length > bytes.size()) return Failure{DropReason::ControlTruncated};
    if (!is_known(bytes[1])) return Failure{DropReason::ControlUnknownType};

    ControlMessage message;
    message.header.type = static_cast<ControlType>(bytes[1]);
    message.header.key_id = KeyId{bytes[2]};
    message.header.from_acceptor = (bytes[3] & ControlHeader::kFlagFromAcceptor) != 0;
    message.header.session = SessionId{load_u32(&bytes[8])};
    message.header.message_number = load_u32(&bytes[12]);
    message.header.sender_boot = BootId{load_u64(&bytes[16])};
    message.header.receiver_boot = BootId{load_u64(&bytes[24])};
    message.tagged = bytes.first(length - ControlHeader::kTagSize);
    message.body = message.tagged.subspan(ControlHeader::kSize);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(message.tagged.size()), ControlHeader::kTagSize,
                message.tag.begin());
    return message;
}

}  // namespace dyetrace::wire
