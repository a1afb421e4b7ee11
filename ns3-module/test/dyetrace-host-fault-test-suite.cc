// SPDX-License-Identifier: GPL-2.0-or-later
// Faults of hosts, alone and at one time.

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

/// Two guests that talk, each on a host with an EPPC, and whatever goes wrong with the hosts.
class HostFaultsTestCase : public TestCase {
  public:
    HostFaultsTestCase() : TestCase("hosts crash, EPPCs restart, clocks step, and sessions come back") {}

  private:
    static constexpr uint32_t Guest = 1;  ///< on host-1-0-0
    struct Outcome {
        uint64_t received = 0;  ///< by that guest
        uint64_t updates = 0;   ///< heard by the health service on host-0-0-0
        std::map<std::string, uint32_t> states;
        Time delayMin = Time::Max();
        Time delayMax = Time::Min();

        void NoteSession(const DyetraceSessionChange& change) { ++states[change.to]; }
        void NoteMetrics(const DyetracePathMetrics& metrics) {
            if (metrics.delayCount == 0) return;
            delayMin = std::min(delayMin, metrics.delayMin);
            delayMax = std::max(delayMax, metrics.delayMax);
        }
    };

    static Outcome Run(const std::vector<Attributes>& faults) {
        Outcome outcome;
        DyetraceHelper helper;
        helper.SetFabricAttribute("K", UintegerValue(2));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("ReportInterval", StringValue("2ms"));
        helper.SetHostAttribute("RetransmitFirst", StringValue("1ms"));
        helper.SetHostAttribute("RetransmitLast", StringValue("2ms"));
        helper.SetHostAttribute("Rate", StringValue("0.1"));
        helper.SetGuestAttribute("FlowRate", StringValue("100Mbps"));
        helper.SetTraffic({{10000, 0}, {20000, 1}}, 0.05);
        helper.SetHostAttribute("UpdateInterval", StringValue("5ms"));
        helper.SetNhmsAttribute("Insecure", BooleanValue(true));
        helper.SetNhmsHost("host-0-0-0");
        helper.Install();
        for (const Attributes& attributes : faults) {
            const Ptr<DyetraceFault> fault = DyetraceFault::Create(attributes[0].second);
            for (std::size_t i = 1; i < attributes.size(); ++i)
                fault->SetAttribute(attributes[i].first, StringValue(attributes[i].second));
            helper.GetFabric()->AddFault(fault);
        }
        for (const auto& host : helper.GetHosts()) {
            host->TraceConnectWithoutContext("Session", MakeCallback(&Outcome::NoteSession, &outcome));
            host->TraceConnectWithoutContext("Metrics", MakeCallback(&Outcome::NoteMetrics, &outcome));
        }
        Simulator::Stop(MilliSeconds(200));
        Simulator::Run();
        outcome.received = helper.GetSources()[Guest]->GetReceivedPackets();
        for (const auto& [counter, value] : helper.GetNhms()->GetCounters()) {
            if (counter == "updates") outcome.updates = value;
        }
        helper.Dispose();
        Simulator::Destroy();
        return outcome;
    }

    static Attributes Fault(const std::string& kind, const std::string& node, const std::string& at,
                            const std::string& until) {
        return {{"Kind", kind}, {"Node", node}, {"At", at}, {"Until", until}};
    }

    void DoRun() override {
        StrikeAlone();
        Overlap();
    }

    void StrikeAlone() {
        const Outcome well = Run({});
        NS_TEST_ASSERT_MSG_GT(well.received, 100, "traffic flows");
        const uint32_t opened = well.states.at("active");
        const Outcome crash = Run({Fault("host-crash", "host-1-0-0", "60ms", "120ms")});
        NS_TEST_EXPECT_MSG_LT(crash.received, well.received * 8 / 10,
                              "nothing arrives at a host that is down");
        NS_TEST_EXPECT_MSG_GT(crash.received, well.received / 2, "and it does before and after");
        NS_TEST_EXPECT_MSG_GT(crash.states.at("active"), opened, "sessions are opened anew");
        const Outcome restart = Run({{{"Kind", "eppc-restart"}, {"Node", "host-1-0-0"}, {"At", "60ms"}}});
        NS_TEST_EXPECT_MSG_EQ(restart.received, well.received, "guests do not notice a restart");
        NS_TEST_EXPECT_MSG_GT(restart.states.at("active"), opened, "sessions are opened anew");
        const Outcome stepped =
            Run({{{"Kind", "clock-change"}, {"Node", "host-1-0-0"}, {"At", "100ms"}, {"Step", "5ms"}}});
        NS_TEST_EXPECT_MSG_EQ(stepped.received, well.received, "a clock changes nothing for guests");
        NS_TEST_EXPECT_MSG_LT(stepped.delayMin, MilliSeconds(-4),
                              "raw delays are of two clocks: one way shorter");
        NS_TEST_EXPECT_MSG_GT(stepped.delayMax, MilliSeconds(5), "the other way longer");
    }

    /// What strikes one host twice is in force until both have ended.
    void Overlap() {
        const auto crash = [](const std::string& at, const std::string& until) {
            return Fault("host-crash", "host-1-0-0", at, until);
        };
        const Outcome crashed = Run({crash("60ms", "160ms")});
        const Outcome twice = Run({crash("60ms", "160ms"), crash("80ms", "100ms")});
        NS_TEST_EXPECT_MSG_EQ(twice.received, crashed.received, "a shorter crash ends no longer one");
        NS_TEST_EXPECT_MSG_EQ((twice.states == crashed.states), true, "and restarts nothing");

        const auto outage = [](const std::string& at, const std::string& until) {
            return Fault("nhms-outage", "host-0-0-0", at, until);
        };
        const Outcome silent = Run({outage("60ms", "160ms")});
        NS_TEST_ASSERT_MSG_LT(silent.updates, Run({}).updates, "an outage hears nothing");
        NS_TEST_EXPECT_MSG_EQ(Run({outage("60ms", "100ms"), outage("80ms", "160ms")}).updates, silent.updates,
                              "the first of two outages to end leaves the other");
        const Outcome gone =
            Run({outage("60ms", "160ms"), Fault("host-crash", "host-0-0-0", "80ms", "100ms")});
        NS_TEST_EXPECT_MSG_LT(gone.updates, silent.updates + 4, "nor does a crash end an outage");
    }
};

const Offer<HostFaultsTestCase> g_offer{"host-fault"};

}  // namespace
