// SPDX-License-Identifier: GPL-2.0-or-later
// A leaf-spine fabric in which something breaks: any kind of fault, on links or nodes chosen by pattern and
// seed. What the health service makes of it is told beside the truth.
//
//   dyetrace-faults --kind=silent-drop --from=spine-* --to=leaf-* --count=1 --seed=3 --probability=0.02
//   dyetrace-faults --kind=switch-down --node=spine-* --count=1 --detection=20ms
//   dyetrace-faults --kind=host-crash --node=host-1-0

#include <cstdlib>
#include <iostream>
#include <string>

#include <ns3/boolean.h>
#include <ns3/command-line.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/simulator.h>
#include <ns3/string.h>

using namespace ns3;

static void FaultSwitched(Ptr<const DyetraceFault> fault, bool begins) {
    std::cout << Simulator::Now().As(Time::MS) << "  truth: " << fault->Describe()
              << (begins ? " begins" : " ends") << std::endl;
}

static void IncidentStep(const DyetraceIncidentStep& step) {
    std::cout << Simulator::Now().As(Time::MS) << "  incident " << step.incident << " " << step.step << ": "
              << step.GetSubject() << "  " << step.detail << std::endl;
}

static void Set(Ptr<DyetraceFault> fault, const std::string& name, const std::string& value) {
    if (!value.empty() && !fault->SetAttributeFailSafe(name, StringValue(value))) {
        std::cerr << "a fault of kind " << fault->GetKind() << " has no " << name << " of " << value
                  << std::endl;
        std::exit(2);
    }
}

int main(int argc, char** argv) {
    std::string kind = "silent-drop";
    std::string from = "spine-*";
    std::string to = "leaf-*";
    std::string node;
    std::string count = "1";
    std::string seed = "1";
    std::string probability;
    std::string detection = "50ms";
    CommandLine command(__FILE__);
    command.AddValue("kind", "Kind of fault", kind);
    command.AddValue("from", "Node, or pattern, that links start at", from);
    command.AddValue("to", "Node, or pattern, that links lead to", to);
    command.AddValue("node", "Node, or pattern, of a fault of nodes", node);
    command.AddValue("count", "How many of those that match are struck; 0: all", count);
    command.AddValue("seed", "By which they are chosen", seed);
    command.AddValue("probability", "Of each packet to be struck", probability);
    command.AddValue("detection", "From a failure to routes around it", detection);
    command.Parse(argc, argv);

    DyetraceHelper dyetrace;
    dyetrace.SetTopology(DyetraceTopology::LeafSpine(6, 3, 4));
    dyetrace.SetFabricAttribute("DetectionDelay", StringValue(detection));
    dyetrace.SetHostAttribute("Insecure", BooleanValue(true));
    dyetrace.SetHostAttribute("ReportInterval", StringValue("20ms"));
    dyetrace.SetHostAttribute("PathIdle", StringValue("20ms"));
    dyetrace.SetHostAttribute("UpdateInterval", StringValue("20ms"));
    dyetrace.SetNhmsAttribute("Insecure", BooleanValue(true));
    dyetrace.SetNhmsHost("host-0-0");
    dyetrace.SetTraffic({{0, 0}, {10000, 0.5}, {1000000, 1}}, 0.25);
    dyetrace.Install();

    Ptr<DyetraceFault> fault = DyetraceFault::Create(kind);
    Set(fault, "At", "300ms");
    Set(fault, "Count", count);
    Set(fault, "ChoiceSeed", seed);
    Set(fault, "Probability", probability);
    Set(fault, "Node", node);
    if (node.empty()) Set(fault, "From", from);
    if (node.empty()) Set(fault, "To", to);
    dyetrace.GetFabric()->AddFault(fault);
    const DyetraceTopology& topology = dyetrace.GetFabric()->GetTopology();
    for (const uint32_t link : fault->GetLinks())
        std::cout << "to be struck: " << topology.DescribeLink(link) << std::endl;
    for (const uint32_t struck : fault->GetNodes())
        std::cout << "to be struck: " << topology.GetNode(struck).name << std::endl;
    dyetrace.GetFabric()->TraceConnectWithoutContext("Fault", MakeCallback(&FaultSwitched));
    dyetrace.GetNhms()->TraceConnectWithoutContext("Incident", MakeCallback(&IncidentStep));

    Simulator::Stop(Seconds(1.2));
    Simulator::Run();
    std::cout << "truth: " << dyetrace.GetTruth()->GetDataDropped() << " of "
              << dyetrace.GetTruth()->GetDataSent() << " data packets were dropped" << std::endl;
    dyetrace.Dispose();
    Simulator::Destroy();
}
