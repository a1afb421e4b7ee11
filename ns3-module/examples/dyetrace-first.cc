// SPDX-License-Identifier: GPL-2.0-or-later
// A fabric of 16 hosts whose guests talk to each other; one link begins to lose packets, and the health
// service says which. Every packet is real bytes: Ethernet, IPv4, UDP, Geneve, and the guest's frame.

#include <iostream>

#include <ns3/boolean.h>
#include <ns3/command-line.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

using namespace ns3;

static void Told(const DyetraceIncidentStep& step) {
    std::cout << Simulator::Now().As(Time::MS) << "  incident " << step.incident << " " << step.step << ": "
              << step.GetSubject() << "  " << step.detail << std::endl;
}

int main(int argc, char** argv) {
    CommandLine command(__FILE__);
    command.Parse(argc, argv);  // --PrintHelp, --PrintAttributes=ns3::DyetraceFabric

    DyetraceHelper dyetrace;
    dyetrace.SetFabricAttribute("K", UintegerValue(4));
    dyetrace.SetFabricAttribute("LinkRate", StringValue("1Gbps"));
    dyetrace.SetHostAttribute("Insecure", BooleanValue(true));  // no secret is needed in a simulation
    dyetrace.SetHostAttribute("ReportInterval", StringValue("20ms"));
    dyetrace.SetHostAttribute("PathIdle", StringValue("20ms"));
    dyetrace.SetHostAttribute("UpdateInterval", StringValue("20ms"));
    dyetrace.SetNhmsAttribute("Insecure", BooleanValue(true));
    dyetrace.SetNhmsHost("host-0-0-0");
    dyetrace.SetTraffic({{0, 0}, {10000, 0.5}, {1000000, 1}},
                        0.25);  // half of the flows up to 10 kB, all up to 1 MB
    dyetrace.Install();
    dyetrace.GetNhms()->TraceConnectWithoutContext("Incident", MakeCallback(&Told));
    dyetrace.AddSilentDrop("agg-1-0", "core-1", MilliSeconds(300), 0.02);

    Simulator::Stop(Seconds(1));
    Simulator::Run();

    std::cout << "The fabric carried " << dyetrace.GetFabric()->GetPacketHops()
              << " packet-hops; truth: " << dyetrace.GetTruth()->GetDataDropped() << " of "
              << dyetrace.GetTruth()->GetDataSent() << " data packets were dropped" << std::endl;
    dyetrace.Dispose();
    Simulator::Destroy();
}
