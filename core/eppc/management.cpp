// SPDX-License-Identifier: GPL-2.0-or-later
// The control path between this EPPC and the health service: updates out, acknowledgements and directives in.
#include <algorithm>
#include <array>

#include "core/auth/seal.h"
#include "core/eppc/engine.h"
#include "core/eppc/packet_builder.h"
#include "core/wire/session_messages.h"
#include "core/wire/update.h"

namespace dyetrace::eppc {

using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

bool Eppc::Engine::tell_nhms(const wire::UpdateEntry& entry, Time now) {
    if (!config.nhms || updates_.add(entry, now)) return true;
    ++counters.update_entries_dropped;
    return false;
}

void Eppc::Engine::service_updates(Time now) {
    std::vector<UpdateSender::Transmission> transmissions;
    updates_.service(now, transmissions);
    for (const auto& transmission : transmissions) {
        if (transmission.first) ++counters.updates_sent;
        send_to_nhms(ControlType::Update, transmission.number, *transmission.body);
    }
}

void Eppc::Engine::send_to_nhms(ControlType type, std::uint32_t number, Bytes body) {
    wire::ControlHeader header;
    header.type = type;
    header.key_id = config.key_id;
    header.message_number = number;
    header.sender_boot = boot_;
    header.receiver_boot = nhms_boot_;
    const std::vector<std::uint8_t> bytes =
        auth::seal(header, body, nhms_key_, config.address, config.nhms->address);
    ControlRoute route;
    route.source_mac = config.mac;
    route.next_hop_mac = config.gateway_mac;
    route.source = {config.address, config.management_port};
    route.destination = *config.nhms;
    route.identification = ++control_identification_;
    emit_frame(build_datagram(route, bytes));
}

void Eppc::Engine::handle_management(const UnderlayPacket& packet, Bytes payload, Time now) {
    if (packet.ip.source != config.nhms->address) return drops.add(DropReason::ControlUnexpected);
    const auto message = ControlMessage::parse(payload);
    if (!message) return drops.add(message.error());
    if (message->header.key_id != config.key_id ||
        !auth::control_tag_ok(nhms_key_, packet.ip.source, packet.ip.destination, *message)) {
        return drops.add(DropReason::ControlBadTag);
    }
    // What the NHMS says answers what this boot of ours has said.
    if (message->header.receiver_boot != boot_) return drops.add(DropReason::ControlWrongBoot);
    ++counters.control_received;
    switch (message->header.type) {
        case ControlType::UpdateAck:
            if (const auto body = wire::parse_empty_body(message->body); !body)
                return drops.add(body.error());
            nhms_boot_ = message->header.sender_boot;
            if (updates_.on_ack(message->header.message_number)) ++counters.updates_acked;
            return;
        case ControlType::Directive: return handle_directive(*message, now);
        default: return drops.add(DropReason::ControlUnexpected);
    }
}

void Eppc::Engine::handle_directive(const ControlMessage& message, Time now) {
    const auto directive = wire::DirectiveBody::parse(message.body);
    if (!directive) return drops.add(directive.error());
    wire::DirectiveResultBody result;
    result.status = wire::DirectiveStatus::NoSession;
    const auto index = find_peer(directive->peer);
    if (index && peers_[*index].requested && peers_[*index].requested->state() == session::State::Active) {
        Peer& peer = peers_[*index];
        result.status = wire::DirectiveStatus::Done;
        result.sessions = 1;
        peer.requested->raise_sampling(directive->sampling, now + directive->duration);
        const std::pair directive_id{message.header.sender_boot, message.header.message_number};
        const bool repeat = last_directive_ == directive_id;
        const auto paths = peer.requested->markers().paths();
        for (std::size_t i = 0; i < paths.size(); ++i) {
            if (paths[i].interval == 0) continue;  // never used: nothing of it to investigate
            ++result.paths;
            if (repeat) continue;  // our result was lost: what was asked is being done
            peer.routers[i] = Peer::Routers::NotAsked;
            trace_path(*index, PathIndex{static_cast<std::uint16_t>(i)}, now);
        }
        last_directive_ = directive_id;
        service_peer(*index, now);
    }
    std::array<std::uint8_t, wire::DirectiveResultBody::kSize> body{};
    result.encode_into(body);
    send_to_nhms(ControlType::DirectiveResult, message.header.message_number, body);
}

}  // namespace dyetrace::eppc
