// SPDX-License-Identifier: GPL-2.0-or-later
// Records of reports that ride in data packets, instead of in a packet of their own.
#include <algorithm>

#include "core/eppc/engine.h"
#include "core/wire/report_option.h"

namespace dyetrace::eppc {

using wire::DropReason;
using wire::ReportOption;

namespace {
constexpr std::size_t kFields = ReportOption::kTagOffset - ReportOption::kTaggedOffset;
}  // namespace

void Eppc::Engine::note_rides(Peer& peer) {
    peer.rides_from = Time::never();
    for (const session::AcceptorSession& session : peer.accepted)
        peer.rides_from = std::min(peer.rides_from, session.rides_from());
}

std::size_t Eppc::Engine::prepend_report_option(wire::FrameBuffer& frame, std::uint32_t index,
                                                OuterFields fields, Time now) {
    Peer& peer = peers_[index];
    // Only where it fits beside a track option, whether there is one or not: which packets carry a record
    // then does not depend on which are measured. What does not fit is reported by itself.
    const std::size_t size = frame.wire_size() - fields.options_length + peer.outer.options_most();
    if (peer.outer.is_vxlan() || size + ReportOption::kSize + peer.outer.size_in_mtu() > config.underlay_mtu)
        return 0;
    std::size_t length = 0;
    for (session::AcceptorSession& session : peer.accepted) {
        if (session.rides_from() > now) continue;
        const auto option = session.take_ride(now);
        if (!option) continue;
        const MutableBytes bytes = frame.prepend(ReportOption::kSize);
        option->encode_into(bytes, config.option_class);
        store_u64(&bytes[ReportOption::kTagOffset],
                  auth::track_tag(session.ride_key(), bytes.subspan(ReportOption::kTaggedOffset, kFields),
                                  {fields.source_port, fields.vni}));
        length = ReportOption::kSize;
        ++counters.reports_ridden;
        timers_.set(index, std::min(session.next_deadline(), timers_.wanted(index)));
        plan();
        break;
    }
    note_rides(peer);
    return length;
}

void Eppc::Engine::take_report_option(const UnderlayPacket& packet, Bytes data, Vni vni, Time now) {
    if (packet.peer == nullptr) return drops.add(DropReason::ReportUnknownSession);
    Peer& peer = *packet.peer;
    const auto option = ReportOption::parse(data);
    DYETRACE_ASSERT(option.ok());  // its length is right, and that is all it asks
    session::RequesterSession* const session = find_requested(peer, option->session);
    if (session == nullptr || !session->is_accepted()) return drops.add(DropReason::ReportUnknownSession);
    const std::uint64_t expected =
        auth::track_tag(session->channel().keys().ride, data.first(kFields), {packet.udp.source_port, vni});
    if (expected != option->tag) return drops.add(DropReason::ReportBadTag);
    // RFC 8926 §4.6: where a long packet was cut, each segment carries its options. They come to one record.
    if (!session->channel().hear(option->number, now)) return drops.add(DropReason::ReportReplayed);
    ++counters.rides_received;
    session->on_ride(option->number, option->record, now, peer.paths, outbox_);
    service_peer(packet.peer_index, now);
}

}  // namespace dyetrace::eppc
