// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/ip.h"

#include <algorithm>

#include "core/wire/ipv6.h"

namespace dyetrace::wire {

Refusal IpHeader::read_ipv6(Bytes bytes, std::size_t wire_size) {
    const auto v6 = Ipv6Header::parse(bytes, wire_size);
    if (!v6) return v6.error();
    const Bytes behind = bytes.subspan(Ipv6Header::kSize);
    const auto found =
        find_ipv6_upper_layer(*v6, behind.first(std::min<std::size_t>(behind.size(), v6->payload_length)));
    // A chain that is cut short says nothing of what the packet is; its first link is all that is known.
    const Ipv6UpperLayer upper = found ? *found : Ipv6UpperLayer{v6->next_header, 0, true, false};
    source = v6->source;
    destination = v6->destination;
    dscp = v6->dscp;
    ecn = v6->ecn;
    ttl = v6->hop_limit;
    protocol = upper.protocol;
    is_fragment = upper.is_fragment;
    is_extended = upper.is_extended;
    flow_label = v6->flow_label;
    identification = 0;
    header_length = Ipv6Header::kSize + upper.offset;
    payload_length = v6->payload_length - upper.offset;
    return std::nullopt;
}

}  // namespace dyetrace::wire
