// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's frame as far as it tells what flow it belongs to: VLAN tags are looked through, IPv4
// (RFC 791) and IPv6 (RFC 8200) are read, everything else is named by its EtherType alone.
//
// Nothing is refused here: a guest may send what it likes. What is cut or malformed counts as no IP packet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/bytes.h"

namespace dyetrace::wire {

struct InnerPacket {
    std::uint16_t ether_type = 0;    ///< behind the tags
    std::size_t network_offset = 0;  ///< of the network header, or of what else is behind the EtherType
    bool is_ip = false;              ///< with a whole header; the fields below are there
    IpAddress source;
    IpAddress destination;
    std::uint8_t protocol = 0;  ///< IPv6: the first next header; extension headers are not walked
    bool has_ports = false;     ///< of a transport that has them, and no fragment
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::size_t payload_offset = 0;  ///< behind the IP header

    /// Precondition: frame.size() >= 14.
    static InnerPacket parse(Bytes frame);
};

}  // namespace dyetrace::wire
