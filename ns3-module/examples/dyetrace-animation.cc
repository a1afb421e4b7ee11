// SPDX-License-Identifier: GPL-2.0-or-later
// ns-3 modules: netanim
// A fat-tree to look at in NetAnim: every packet between hosts and switches, and in red the switches or hosts
// at the ends of the link that the health service names.
//
//   dyetrace-animation --file=dyetrace.xml && NetAnim dyetrace.xml

#include <iostream>
#include <map>
#include <string>

#include <ns3/animation-interface.h>
#include <ns3/boolean.h>
#include <ns3/command-line.h>
#include <ns3/double.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

using namespace ns3;

/// Nodes of one tier in a row, hosts at the bottom; a row is as wide as another.
static void Place(const DyetraceFabric& fabric) {
    constexpr double width = 160;
    const DyetraceTopology& topology = fabric.GetTopology();
    std::map<DyetraceTopology::Tier, uint32_t> inTier;
    for (uint32_t node = 0; node < topology.GetNNodes(); ++node)
        ++inTier[topology.GetNode(node).tier];
    std::map<DyetraceTopology::Tier, uint32_t> placed;
    for (uint32_t node = 0; node < topology.GetNNodes(); ++node) {
        const DyetraceTopology::Tier tier = topology.GetNode(node).tier;
        const double x = width * (placed[tier]++ + 0.5) / inTier[tier];
        const double y = 25.0 * (3 - static_cast<int>(tier));
        AnimationInterface::SetConstantPosition(fabric.GetNode(node), x, y);
    }
}

static void Label(const DyetraceFabric& fabric, AnimationInterface& animation) {
    for (uint32_t node = 0; node < fabric.GetTopology().GetNNodes(); ++node) {
        animation.UpdateNodeDescription(fabric.GetNode(node), fabric.GetTopology().GetNode(node).name);
        animation.UpdateNodeColor(fabric.GetNode(node), 60, 120, 200);
        animation.UpdateNodeSize(fabric.GetNode(node)->GetId(), 2, 2);
    }
}

/// What the trace sources' sinks need.
struct Scene {
    Ptr<DyetraceFabric> fabric;
    AnimationInterface* animation;
};
static Scene g_scene;

static void Paint(const std::string& name, uint8_t red, uint8_t green, uint8_t blue) {
    const uint32_t node = g_scene.fabric->GetTopology().FindNode(name);
    g_scene.animation->UpdateNodeColor(g_scene.fabric->GetNode(node), red, green, blue);
}

static void Named(uint32_t incident, const std::vector<DyetraceSuspect>& suspects) {
    if (suspects.empty()) return;
    const DyetraceSuspect& first = suspects.front();
    std::cout << Simulator::Now().As(Time::MS) << "  incident " << incident << ": "
              << (first.isDevice ? first.device : first.from + " > " + first.to) << std::endl;
    if (first.isDevice) return Paint(first.device, 220, 30, 30);
    Paint(first.from, 220, 30, 30);
    Paint(first.to, 220, 30, 30);
}

int main(int argc, char** argv) {
    std::string file = "dyetrace.xml";
    std::string duration = "500ms";
    std::string shown = "2ms";
    CommandLine command(__FILE__);
    command.AddValue("file", "What NetAnim is to open", file);
    command.AddValue("duration", "Simulated time", duration);
    command.AddValue("shown", "How long packets are shown: there are many", shown);
    command.Parse(argc, argv);

    DyetraceHelper dyetrace;
    dyetrace.SetFabricAttribute("K", UintegerValue(4));
    dyetrace.SetFabricAttribute("Grade", StringValue("stock"));  // only ns-3's own nodes are NetAnim's
    dyetrace.SetFabricAttribute("LinkRate", StringValue("1Gbps"));
    dyetrace.SetHostAttribute("Insecure", BooleanValue(true));
    dyetrace.SetHostAttribute("Rate", DoubleValue(0.1));
    dyetrace.SetHostAttribute("PathCount", UintegerValue(8));
    dyetrace.SetHostAttribute("ReportInterval", StringValue("10ms"));
    dyetrace.SetHostAttribute("PathIdle", StringValue("5ms"));
    dyetrace.SetHostAttribute("UpdateInterval", StringValue("10ms"));
    dyetrace.SetNhmsAttribute("Insecure", BooleanValue(true));
    dyetrace.SetNhmsAttribute("EvaluateInterval", StringValue("10ms"));
    dyetrace.SetNhmsAttribute("Investigation", StringValue("60ms"));
    dyetrace.SetNhmsHost("host-0-0-0");
    dyetrace.SetGuestAttribute("FlowRate", StringValue("250Mbps"));
    dyetrace.SetTraffic({{0, 0}, {5000, 0.5}, {50000, 1}}, 0.08);
    dyetrace.Install();
    dyetrace.AddSilentDrop("agg-1-0", "core-1", MilliSeconds(20), 0.2);

    Place(*dyetrace.GetFabric());  // before NetAnim's writer asks where the nodes are
    {
        AnimationInterface animation(file);
        animation.SetMaxPktsPerTraceFile(10000000);  // one file, whatever is in it
        g_scene = {dyetrace.GetFabric(), &animation};
        Label(*dyetrace.GetFabric(), animation);
        dyetrace.GetNhms()->TraceConnectWithoutContext("Suspects", MakeCallback(&Named));
        Simulator::Schedule(Time(shown), &AnimationInterface::SkipPacketTracing, &animation);
        Simulator::Stop(Time(duration));
        Simulator::Run();
    }
    std::cout << "NetAnim opens " << file << std::endl;
    dyetrace.Dispose();
    g_scene = {};
    Simulator::Destroy();
}
