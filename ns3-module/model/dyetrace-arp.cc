// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-arp.h"

#include <algorithm>

namespace ns3 {

namespace {

/// Hardware type Ethernet, protocol type IPv4, and their sizes.
constexpr std::array<uint8_t, 6> kKind{0, 1, 8, 0, 6, 4};
constexpr std::size_t kSender = 8;
constexpr std::size_t kTarget = 18;

}  // namespace

std::optional<DyetraceArp> DyetraceArp::Parse(const uint8_t* bytes, std::size_t size) {
    if (size < Size || !std::equal(kKind.begin(), kKind.end(), bytes)) return std::nullopt;
    DyetraceArp arp;
    arp.operation = static_cast<uint16_t>(bytes[6] << 8 | bytes[7]);
    arp.senderMac.CopyFrom(bytes + kSender);
    arp.senderAddress = Ipv4Address::Deserialize(bytes + kSender + 6);
    arp.targetMac.CopyFrom(bytes + kTarget);
    arp.targetAddress = Ipv4Address::Deserialize(bytes + kTarget + 6);
    return arp;
}

std::array<uint8_t, DyetraceArp::Size> DyetraceArp::Encode() const {
    std::array<uint8_t, Size> bytes{};
    std::copy(kKind.begin(), kKind.end(), bytes.begin());
    bytes[6] = static_cast<uint8_t>(operation >> 8);
    bytes[7] = static_cast<uint8_t>(operation);
    senderMac.CopyTo(bytes.data() + kSender);
    senderAddress.Serialize(bytes.data() + kSender + 6);
    targetMac.CopyTo(bytes.data() + kTarget);
    targetAddress.Serialize(bytes.data() + kTarget + 6);
    return bytes;
}

}  // namespace ns3
