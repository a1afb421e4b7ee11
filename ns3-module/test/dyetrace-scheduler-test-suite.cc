// SPDX-License-Identifier: GPL-2.0-or-later
// DyetraceScheduler takes events as ns-3's own schedulers do, and what it has fetched ahead changes nothing.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-source-helper.h>
#include <ns3/event-impl.h>
#include <ns3/scheduler.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

#include "core/base/random.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

Ptr<Scheduler> Make(const std::string& kind) {
    ObjectFactory factory;
    factory.SetTypeId(kind);
    return factory.Create<Scheduler>();
}

/// The order in which a scheduler gives out what comes and goes at random, as a simulation's events would:
/// none before the last that was taken.
std::vector<uint32_t> OrderBy(const std::string& kind, uint64_t seed) {
    // From the very same time to far beyond what a ring of slots holds.
    const std::vector<uint32_t> spans{1, 40, 1000, 20000, 3000000, 4000000000};
    dyetrace::Random random(seed);
    const Ptr<Scheduler> scheduler = Make(kind);
    std::vector<Scheduler::Event> inside;
    std::vector<uint32_t> order;
    uint64_t nowNs = 0;
    uint32_t uid = 0;
    const auto forget = [&inside](uint32_t which) {
        for (auto& event : inside) {
            if (event.key.m_uid == which) std::swap(event, inside.back());
        }
        inside.pop_back();
    };
    for (uint32_t step = 0; step < 20000; ++step) {
        const uint32_t what = random.below(step % 4000 < 2000 ? 12 : 20);
        if (what < 8 || inside.empty()) {
            const uint64_t atNs =
                nowNs + random.below(spans[random.below(static_cast<uint32_t>(spans.size()))]);
            inside.push_back({nullptr, {atNs, uid, uid}});
            ++uid;
            scheduler->Insert(inside.back());
        } else if (what == 8) {
            const Scheduler::Event gone = inside[random.below(static_cast<uint32_t>(inside.size()))];
            scheduler->Remove(gone);
            forget(gone.key.m_uid);
        } else {
            const uint32_t peeked = scheduler->PeekNext().key.m_uid;
            const Scheduler::Event next = scheduler->RemoveNext();
            nowNs = next.key.m_ts;
            order.push_back(next.key.m_uid == peeked ? peeked : UINT32_MAX);
            forget(next.key.m_uid);
        }
    }
    while (!scheduler->IsEmpty())
        order.push_back(scheduler->RemoveNext().key.m_uid);
    return order;
}

class OrderTestCase : public TestCase {
  public:
    OrderTestCase() : TestCase("events are taken in the order of ns-3's own schedulers, near and far ones") {}

  private:
    void DoRun() override {
        for (uint64_t seed = 1; seed <= 10; ++seed) {
            const auto expected = OrderBy("ns3::MapScheduler", seed);
            NS_TEST_ASSERT_MSG_GT(expected.size(), 5000, "events were taken");
            NS_TEST_EXPECT_MSG_EQ((OrderBy("ns3::DyetraceScheduler", seed) == expected), true,
                                  "seed " << seed);
        }
    }
};

/// What the hosts of a fabric counted, which is large enough that the next events' memory is fetched ahead.
std::vector<std::pair<std::string, uint64_t>> CountsUnder(const std::string& scheduler) {
    ObjectFactory factory;
    factory.SetTypeId(scheduler);
    Simulator::SetScheduler(factory);
    DyetraceHelper helper;
    helper.SetTopology(DyetraceTopology::LeafSpine(8, 2, 64));
    helper.SetFabricAttribute("LinkRate", StringValue("10Gbps"));
    helper.SetFabricAttribute("QueueBytes", UintegerValue(20000));
    helper.SetFabricAttribute("Seed", UintegerValue(3));
    helper.SetHostAttribute("Insecure", BooleanValue(true));
    helper.Install();
    DyetraceSourceHelper sources("ns3::DyetracePoissonSource");
    sources.SetAttribute("Rate", StringValue("1Gbps"));
    sources.Install(helper);
    Simulator::Stop(MicroSeconds(300));
    Simulator::Run();
    std::vector<std::pair<std::string, uint64_t>> counts;
    for (const auto& host : helper.GetHosts()) {
        for (const auto& count : host->GetCounters())
            counts.push_back(count);
    }
    counts.emplace_back("hops", helper.GetFabric()->GetPacketHops());
    helper.Dispose();
    Simulator::Destroy();
    return counts;
}

class ForesightTestCase : public TestCase {
  public:
    ForesightTestCase() : TestCase("fetching ahead changes nothing of what a large fabric does") {}

  private:
    void DoRun() override {
        const auto expected = CountsUnder("ns3::MapScheduler");
        NS_TEST_ASSERT_MSG_GT(expected.back().second, 10000, "packets were on their way");
        NS_TEST_EXPECT_MSG_EQ((CountsUnder("ns3::DyetraceScheduler") == expected), true,
                              "counters of all hosts");
    }
};

const Offer<OrderTestCase, ForesightTestCase> g_offer{"scheduler"};

}  // namespace
