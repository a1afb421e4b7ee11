// SPDX-License-Identifier: GPL-2.0-or-later
// What a user writes into a scratch file: all of the module's public headers, beside ns-3's own, in ns-3's
// language (C++17 up to ns-3.40). It succeeds when packets crossed the fabric.

#include <iostream>

#include <ns3/core-module.h>
#include <ns3/dyetrace-module.h>
#include <ns3/internet-module.h>
#include <ns3/network-module.h>

using namespace ns3;

int main() {
    DyetraceHelper dyetrace;
    dyetrace.SetFabricAttribute("K", UintegerValue(4));
    dyetrace.SetHostAttribute("Insecure", BooleanValue(true));
    dyetrace.SetNhmsAttribute("Insecure", BooleanValue(true));
    dyetrace.SetNhmsHost("host-0-0-0");
    dyetrace.SetTraffic({{0, 0}, {10000, 1}}, 0.1);
    dyetrace.Install();

    Simulator::Stop(MilliSeconds(10));
    Simulator::Run();

    const uint64_t sent = dyetrace.GetTruth()->GetDataSent();
    const uint64_t dropped = dyetrace.GetTruth()->GetDataDropped();
    std::cout << sent << " data packets, " << dropped << " dropped, C++ " << __cplusplus / 100 << std::endl;
    dyetrace.Dispose();
    Simulator::Destroy();
    return sent > 0 && dropped == 0 ? 0 : 1;
}
