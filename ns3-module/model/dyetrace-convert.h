// SPDX-License-Identifier: GPL-2.0-or-later
// Between ns-3's types and core's. Not installed.
#ifndef DYETRACE_CONVERT_H
#define DYETRACE_CONVERT_H

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ns3/ipv4-address.h>
#include <ns3/mac48-address.h>
#include <ns3/nstime.h>

#include "core/auth/keys.h"
#include "core/base/addresses.h"
#include "core/base/time.h"
#include "core/wire/drop_reason.h"

namespace ns3 {

inline dyetrace::Duration DyetraceToDuration(Time time) {
    return {time.GetNanoSeconds()};
}

inline Time DyetraceFromDuration(dyetrace::Duration duration) {
    return NanoSeconds(static_cast<uint64_t>(duration.ns));
}

inline dyetrace::Ipv4Address DyetraceToAddress(Ipv4Address address) {
    return dyetrace::Ipv4Address{address.Get()};
}

/// What a node of the fabric is reached at over the underlay: its address, or over IPv6 that in fd00::/96
/// (DyetraceTopology::GetAddress6).
inline dyetrace::IpAddress DyetraceToUnderlay(Ipv4Address address, bool isIpv6) {
    if (!isIpv6) return DyetraceToAddress(address);
    return {0xfd00000000000000, address.Get()};
}

/// A node's address in the fabric, whichever of its two the underlay knows it by.
inline Ipv4Address DyetraceFromAddress(const dyetrace::IpAddress& address) {
    return Ipv4Address(static_cast<uint32_t>(address.low));
}

inline dyetrace::MacAddress DyetraceToMac(Mac48Address from) {
    dyetrace::MacAddress mac;
    from.CopyTo(mac.octets.data());
    return mac;
}

/// Reads 64 hexadecimal digits. Aborts, naming `owner`, where it is anything else.
dyetrace::auth::SharedKey DyetraceParseKey(const std::string& owner, const std::string& hex);

/// An engine's counters that are not zero, by the names that databases and reports have for them.
class DyetraceCounterList {
  public:
    void Add(std::string_view name, uint64_t value) {
        if (value != 0) m_counters.emplace_back(name, value);
    }
    void Add(const dyetrace::wire::DropCounters& drops) {
        drops.for_each([this](dyetrace::wire::DropReason reason, uint64_t count) {
            Add("dropped-" + std::string(to_string(reason)), count);
        });
    }
    std::vector<std::pair<std::string, uint64_t>> Take() { return std::move(m_counters); }

  private:
    std::vector<std::pair<std::string, uint64_t>> m_counters;
};

}  // namespace ns3

#endif  // DYETRACE_CONVERT_H
