// SPDX-License-Identifier: GPL-2.0-or-later
// Objects that are disposed of while the simulation goes on.

#include <cstdint>
#include <string>

#include <ns3/boolean.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-packet.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

/// Two hosts whose guests send to each other; the service is on the first.
class TwoHosts {
  public:
    explicit TwoHosts(const std::string& guestDelay = "0ns") {
        helper.SetFabricAttribute("K", UintegerValue(2));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("ReportInterval", StringValue("2ms"));
        helper.SetHostAttribute("UpdateInterval", StringValue("5ms"));
        helper.SetHostAttribute("GuestDelay", StringValue(guestDelay));
        helper.SetNhmsAttribute("Insecure", BooleanValue(true));
        helper.SetNhmsAttribute("ReadCounters", StringValue("5ms"));
        helper.SetNhmsHost("host-0-0-0");
        helper.SetTraffic({{10000, 0}, {20000, 1}}, 0.2);
        helper.Install();
    }
    ~TwoHosts() {
        helper.Dispose();
        Simulator::Destroy();
    }
    static void RunFor(Time time) {
        Simulator::Stop(time);
        Simulator::Run();
    }
    /// With its guest's source, which would send to a port that is no more.
    void DisposeHost(uint32_t host) {
        helper.GetSources()[host]->Dispose();
        helper.GetHosts()[host]->Dispose();
    }
    static uint64_t Updates(const DyetraceNhms& nhms) {
        for (const auto& [counter, value] : nhms.GetCounters()) {
            if (counter == "updates") return value;
        }
        return 0;
    }

    DyetraceHelper helper;
};

class ServiceGoesTestCase : public TestCase {
  public:
    ServiceGoesTestCase() : TestCase("a service that is disposed of hears nothing, and another may follow") {}

  private:
    void DoRun() override {
        TwoHosts two;
        TwoHosts::RunFor(MilliSeconds(50));
        NS_TEST_ASSERT_MSG_GT(TwoHosts::Updates(*two.helper.GetNhms()), 0, "there was a service");
        two.helper.GetNhms()->Dispose();
        TwoHosts::RunFor(MilliSeconds(50));
        const auto next = CreateObjectWithAttributes<DyetraceNhms>("Insecure", BooleanValue(true));
        next->Start(two.helper.GetFabric(), two.helper.GetHosts()[0]);
        TwoHosts::RunFor(MilliSeconds(50));
        NS_TEST_EXPECT_MSG_GT(TwoHosts::Updates(*next), 0, "the next one is heard from");
        next->Dispose();
    }
};

class HostGoesTestCase : public TestCase {
  public:
    HostGoesTestCase() : TestCase("a host takes its service along, and the frames of its guests") {}

  private:
    void DoRun() override {
        TwoHosts two("1ms");
        TwoHosts::RunFor(MilliSeconds(50));
        for (const uint32_t host : {1U, 0U}) {
            const uint64_t before = two.helper.GetFabric()->GetPool().GetInUse();
            two.DisposeHost(host);
            NS_TEST_EXPECT_MSG_LT(two.helper.GetFabric()->GetPool().GetInUse(), before,
                                  "what was on its way to or from a guest is free");
            TwoHosts::RunFor(MilliSeconds(50));
        }
        const Ptr<DyetraceNhms> nhms = two.helper.GetNhms();
        const auto host = CreateObjectWithAttributes<DyetraceHost>("Insecure", BooleanValue(true));
        host->Start(two.helper.GetFabric(), 0, two.helper.GetGuests(), nullptr);
        nhms->Start(two.helper.GetFabric(), host);
        NS_TEST_EXPECT_MSG_EQ(TwoHosts::Updates(*nhms), 0, "the service begins anew");
        nhms->Dispose();
        host->Dispose();
    }
};

const Offer<ServiceGoesTestCase, HostGoesTestCase> g_offer{"dispose"};

}  // namespace
