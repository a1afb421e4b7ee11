// SPDX-License-Identifier: GPL-2.0-or-later
// ARP for IPv4 over Ethernet (RFC 826). Not installed.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |       Hardware type (1)       |     Protocol type (0x0800)    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Hw. size (6) | Pr. size (4)  |           Operation           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |      Sender hardware address, sender protocol address,        |
//   |      target hardware address, target protocol address         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#ifndef DYETRACE_ARP_H
#define DYETRACE_ARP_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <ns3/ipv4-address.h>
#include <ns3/mac48-address.h>

namespace ns3 {

struct DyetraceArp {
    static constexpr uint16_t EtherType = 0x0806;
    static constexpr std::size_t Size = 28;
    static constexpr uint16_t Request = 1;
    static constexpr uint16_t Reply = 2;

    uint16_t operation = Request;
    Mac48Address senderMac;
    Ipv4Address senderAddress;
    Mac48Address targetMac;
    Ipv4Address targetAddress;

    /// Nothing where the bytes are cut, or of other hardware or another protocol. Padding may follow.
    static std::optional<DyetraceArp> Parse(const uint8_t* bytes, std::size_t size);
    std::array<uint8_t, Size> Encode() const;
};

}  // namespace ns3

#endif  // DYETRACE_ARP_H
