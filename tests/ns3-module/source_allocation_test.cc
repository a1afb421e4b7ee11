// SPDX-License-Identifier: GPL-2.0-or-later
// Lean sources ask for no memory while they send. A program of its own: its operator new counts.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <ns3/dyetrace-flow-sizes.h>
#include <ns3/dyetrace-flow-source.h>
#include <ns3/dyetrace-incast-source.h>
#include <ns3/dyetrace-stream-sources.h>
#include <ns3/object-factory.h>

#include "ns3-module/test/dyetrace-source-bench.h"
#include "tests/core/base/counted_heap.h"

using namespace ns3;
using namespace ns3::dyetrace_test;
using dyetrace::test::CountedHeap;

namespace {

/// Allocations from the third second on, when as much is on its way as ever will be.
template <class Source>
std::size_t AllocationsOf(const Attributes& attributes, std::shared_ptr<const DyetraceFlowSizes> sizes = {}) {
    ObjectFactory scheduler;
    scheduler.SetTypeId("ns3::PriorityQueueScheduler");
    Simulator::SetScheduler(scheduler);
    Bench bench;
    bench.notes = false;
    for (uint32_t guest = 0; guest < kGuests; ++guest)
        bench.Add<Source>(guest, attributes, nullptr, sizes);
    bench.Run(Seconds(2));
    const uint64_t sentBefore = bench.sent;
    const std::size_t before = CountedHeap::allocations();
    bench.Run(MilliSeconds(200));
    const std::size_t allocations = CountedHeap::allocations() - before;
    const std::string name = Source::GetTypeId().GetName();
    std::printf("%s: %zu allocations, %llu packets\n", name.c_str(), allocations,
                static_cast<unsigned long long>(bench.sent - sentBefore));
    return bench.sent - sentBefore > 1000 ? allocations : 1000000;
}

}  // namespace

int main() {
    const auto sizes = std::make_shared<const DyetraceFlowSizes>(
        std::vector<std::pair<double, double>>{{2000, 0}, {3000, 1}});
    // Simulator::Stop and Run take a few of their own.
    constexpr std::size_t kOfTheSimulator = 2;
    const bool isGood =
        AllocationsOf<DyetraceConstantSource>({{"Flows", "3"}}) <= kOfTheSimulator &&
        AllocationsOf<DyetracePoissonSource>({}) <= kOfTheSimulator &&
        AllocationsOf<DyetraceOnOffSource>({}) <= kOfTheSimulator &&
        AllocationsOf<DyetraceIncastSource>({{"Interval", "1ms"}, {"FlowRate", "1Gbps"}}) <=
            kOfTheSimulator &&
        AllocationsOf<DyetraceFlowSource>({{"ArrivalRate", "1000"}}, sizes) <= kOfTheSimulator;
    return isGood ? 0 : 1;
}
