// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/ip.h"

#include <algorithm>

#include "core/wire/ipv6.h"

namespace dyetrace::wire {

Result<IpHeader, DropReason> IpHeader::parse_ipv6(Bytes bytes, std::size_t wire_size) {
    const auto v6 = Ipv6Header::parse(bytes, wire_size);
    if (!v6) return Failure{v6.error()};
    const Bytes behind = bytes.subspan(Ipv6Header::kSize);
    const auto found =
        find_ipv6_upper_layer(*v6, behind.first(std::min<std::size_t>(behind.size(), v6->payload_length)));
    // A chain that is cut short says nothing of what the packet is; its first link is all that is known.
    const Ipv6UpperLayer upper = found ? *found : Ipv6UpperLayer{v6->next_header, 0, true, false};
    IpHeader header;
    header.source = v6->source;
    header.destination = v6->destination;
    header.dscp = v6->dscp;
    header.ecn = v6->ecn;
    header.ttl = v6->hop_limit;
    header.protocol = upper.protocol;
    header.is_fragment = upper.is_fragment;
    header.is_extended = upper.is_extended;
    header.flow_label = v6->flow_label;
    header.header_length = Ipv6Header::kSize + upper.offset;
    header.payload_length = v6->payload_length - upper.offset;
    return header;
}

}  // namespace dyetrace::wire
