// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/flow_filter.h"

#include <algorithm>

namespace dyetrace::tracking {
namespace {

/// The first `bits` bits of 64.
constexpr std::uint64_t leading(int bits) {
    return bits <= 0 ? 0 : ~std::uint64_t{0} << (64 - std::min(bits, 64));
}

}  // namespace

bool IpPrefix::contains(const IpAddress& other) const {
    return ((address.high ^ other.high) & leading(length)) == 0 &&
           ((address.low ^ other.low) & leading(length - 64)) == 0;
}

bool FlowRule::matches(const wire::InnerPacket& packet, Vni of_packet) const {
    if (vni && *vni != of_packet) return false;
    const bool asks_for_ports = !source_ports.is_all() || !destination_ports.is_all();
    const bool asks_for_ip = source.length > 0 || destination.length > 0 || protocol || asks_for_ports;
    if (!asks_for_ip) return true;
    if (!packet.is_ip || (protocol && *protocol != packet.protocol)) return false;
    if (!source.contains(packet.source) || !destination.contains(packet.destination)) return false;
    if (!asks_for_ports) return true;
    return packet.has_ports && source_ports.contains(packet.source_port) &&
           destination_ports.contains(packet.destination_port);
}

std::string_view FlowRule::fault() const {
    if (source.length > 128 || destination.length > 128) return "a prefix has at most 128 bits";
    if (source_ports.first > source_ports.last || destination_ports.first > destination_ports.last)
        return "the last port is below the first";
    return {};
}

bool FlowFilter::matches(const wire::InnerPacket& packet, Vni vni) const {
    return std::any_of(rules.begin(), rules.end(),
                       [&](const FlowRule& rule) { return rule.matches(packet, vni); });
}

}  // namespace dyetrace::tracking
