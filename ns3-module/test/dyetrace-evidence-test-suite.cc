// SPDX-License-Identifier: GPL-2.0-or-later
// What a health service takes as evidence beside EPPCs' updates: counters of switches, and what a service
// below it concludes.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/double.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-nhms.h>
#include <ns3/dyetrace-source-helper.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

const char* const kFrom = "agg-1-0";
const char* const kTo = "core-1";

/// A fat-tree of k = 4 whose guests send to each other, with a health service.
struct WatchedFabric {
    explicit WatchedFabric(uint64_t seed = 5) {
        helper.SetFabricAttribute("K", UintegerValue(4));
        helper.SetFabricAttribute("Seed", UintegerValue(seed));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("Rate", DoubleValue(0.05));
        helper.SetHostAttribute("ReportInterval", TimeValue(MilliSeconds(20)));
        helper.SetHostAttribute("UpdateInterval", TimeValue(MilliSeconds(20)));
        helper.SetNhmsAttribute("Insecure", BooleanValue(true));
        helper.SetNhmsHost("host-0-0-0");
    }
    ~WatchedFabric() {
        helper.Dispose();
        Simulator::Destroy();
    }
    void Install() {
        helper.Install();
        DyetraceSourceHelper sources("ns3::DyetracePoissonSource");
        sources.SetAttribute("Rate", StringValue("60Mbps"));
        sources.SetAttribute("Flows", UintegerValue(16));
        sources.Install(helper);
    }
    void AddFault(const std::string& kind, double probability) {
        const Ptr<DyetraceFault> fault = DyetraceFault::Create(kind);
        fault->SetAttribute("From", StringValue(kFrom));
        fault->SetAttribute("To", StringValue(kTo));
        fault->SetAttribute("At", TimeValue(MilliSeconds(200)));
        fault->SetAttribute("Probability", DoubleValue(probability));
        helper.GetFabric()->AddFault(fault);
    }

    DyetraceHelper helper;
};

std::map<std::string, uint64_t> CountersOf(const Ptr<DyetraceNhms>& nhms) {
    const auto counters = nhms->GetCounters();
    return {counters.begin(), counters.end()};
}

/// What a service says of the link that is at fault, and of others.
class Story {
  public:
    explicit Story(const Ptr<DyetraceNhms>& nhms) {
        nhms->TraceConnectWithoutContext("Incident", MakeCallback(&Story::Note, this));
    }
    std::size_t Count(const std::string& step) const {
        return static_cast<std::size_t>(std::count(m_steps.begin(), m_steps.end(), step));
    }
    std::string GetDetail(const std::string& step) const {
        const auto found = m_details.find(step);
        return found == m_details.end() ? "" : found->second;
    }
    std::size_t GetOthersConfirmed() const { return m_othersConfirmed; }

  private:
    void Note(const DyetraceIncidentStep& step) {
        if (step.GetSubject() != std::string(kFrom) + " > " + kTo) {
            m_othersConfirmed += step.step == "confirmed";
            return;
        }
        m_steps.push_back(step.step);
        m_details[step.step] = step.detail;
    }

    std::vector<std::string> m_steps;
    std::map<std::string, std::string> m_details;
    std::size_t m_othersConfirmed = 0;
};

class ReadCountersTestCase : public TestCase {
  public:
    ReadCountersTestCase() : TestCase("ports that count damaged frames have their link suspected by that") {}

  private:
    /// How often a service that no EPPC reports to suspects the link, and how many readings it took.
    std::pair<std::size_t, uint64_t> SuspectedByCounters(const std::string& kind) {
        WatchedFabric fabric;
        fabric.Install();
        const Ptr<DyetraceNhms> reader = CreateObject<DyetraceNhms>();
        reader->SetAttribute("Insecure", BooleanValue(true));
        reader->SetAttribute("ReadCounters", TimeValue(MilliSeconds(50)));
        reader->Start(fabric.helper.GetFabric(), fabric.helper.GetHost("host-3-0-0"));
        fabric.AddFault(kind, 0.02);
        const Story story(reader);
        Simulator::Stop(Seconds(1));
        Simulator::Run();
        NS_TEST_EXPECT_MSG_EQ(story.GetOthersConfirmed(), 0, "and nobody else is");
        const std::pair<std::size_t, uint64_t> seen{story.Count("opened"), CountersOf(reader)["readings"]};
        reader->Dispose();
        return seen;
    }

    void DoRun() override {
        const auto counted = SuspectedByCounters("frame-errors");
        NS_TEST_EXPECT_MSG_EQ(counted.first, 1, "what ports count is evidence");
        NS_TEST_EXPECT_MSG_GT(counted.second, 500, "of all links into switches");
        const auto silent = SuspectedByCounters("silent-drop");
        NS_TEST_EXPECT_MSG_EQ(silent.first, 0, "and what is lost silently no port counts");
        NS_TEST_EXPECT_MSG_GT(silent.second, 500, "though they are read");
    }
};

class FeedCountersTestCase : public TestCase {
  public:
    FeedCountersTestCase() : TestCase("counters from elsewhere are taken, and what cannot be is counted") {}

  private:
    void DoRun() override {
        WatchedFabric fabric;
        fabric.helper.Install();
        const Ptr<DyetraceNhms> nhms = fabric.helper.GetNhms();
        nhms->FeedCounters({{"agg-0-0", "core-0", 1000, 0}, {"agg-0-0", "nobody", 1, 0}, {kFrom, kTo, 1, 2}});
        auto counters = CountersOf(nhms);
        NS_TEST_EXPECT_MSG_EQ(counters["readings"], 1, "what can be");
        NS_TEST_EXPECT_MSG_EQ(counters["readings-unknown-link"], 1, "no such link");
        NS_TEST_EXPECT_MSG_EQ(counters["readings-impossible"], 1, "more lost than sent");
    }
};

class ParentTestCase : public TestCase {
  public:
    ParentTestCase()
        : TestCase("a service that no EPPC reports to confirms what the one below it concludes") {}

  private:
    void DoRun() override {
        WatchedFabric fabric;
        fabric.helper.SetNhmsAttribute("ConcludeInterval", TimeValue(MilliSeconds(200)));
        fabric.Install();
        const Ptr<DyetraceNhms> region = fabric.helper.GetNhms();
        const Ptr<DyetraceNhms> parent = CreateObject<DyetraceNhms>();
        parent->SetAttribute("Insecure", BooleanValue(true));
        parent->SetAttribute("Repath", StringValue("off"));
        parent->Start(fabric.helper.GetFabric(), fabric.helper.GetHost("host-3-0-0"));
        region->SetParent(parent, "region");
        fabric.AddFault("silent-drop", 0.05);
        const Story below(region);
        const Story above(parent);
        Simulator::Stop(Seconds(2));
        Simulator::Run();
        NS_TEST_EXPECT_MSG_EQ(below.Count("confirmed"), 1, "by the evidence of EPPCs");
        NS_TEST_EXPECT_MSG_EQ(above.Count("confirmed"), 1, "by the word of the one below");
        NS_TEST_EXPECT_MSG_EQ(above.GetDetail("confirmed").rfind("others name it again", 0), 0,
                              above.GetDetail("confirmed"));
        NS_TEST_EXPECT_MSG_EQ(above.GetOthersConfirmed(), 0, "and nobody else");
        auto counters = CountersOf(parent);
        NS_TEST_EXPECT_MSG_EQ(counters["updates"], 0, "no EPPC reports to it");
        NS_TEST_EXPECT_MSG_GT(counters["conclusions"], 0, "it was told");
        parent->Dispose();
    }
};

class CoverTestCase : public TestCase {
  public:
    CoverTestCase() : TestCase("links that no measured pair crosses are covered by others") {}

  private:
    /// Counters of the service where each host measures one of those that it sends to, and is asked for more
    /// or not.
    std::map<std::string, uint64_t> Run(Time coverInterval) {
        WatchedFabric fabric;
        fabric.helper.SetHostAttribute("TrafficSessions", UintegerValue(1));
        fabric.helper.SetHostAttribute("PathCount", UintegerValue(2));
        fabric.helper.SetHostAttribute("ChoiceInterval", TimeValue(MilliSeconds(500)));
        fabric.helper.SetNhmsAttribute("CoverInterval", TimeValue(coverInterval));
        fabric.Install();
        Simulator::Stop(Seconds(2));
        Simulator::Run();
        return CountersOf(fabric.helper.GetNhms());
    }

    void DoRun() override {
        auto once = Run(MilliSeconds(1900));
        NS_TEST_EXPECT_MSG_EQ(once["cover-pairs"], 0, "one look does not ask");
        NS_TEST_EXPECT_MSG_EQ(once["cover-links"], 96, "all links of the fabric are in reach");
        NS_TEST_EXPECT_MSG_LT(once["cover-links-crossed"], 82, "and many are crossed by no measured pair");
        auto often = Run(MilliSeconds(200));
        NS_TEST_EXPECT_MSG_GT(often["cover-pairs"], 0, "others are asked for");
        NS_TEST_EXPECT_MSG_GT(often["cover-links-crossed"], 90, "and cross what was missing");
        NS_TEST_EXPECT_MSG_GT(often["traffic"], 0, "hosts told to whom they send");
        NS_TEST_EXPECT_MSG_EQ(often["directives-unknown-eppc"], 0, "by hosts that report");
    }
};

const Offer<CoverTestCase, ReadCountersTestCase, FeedCountersTestCase, ParentTestCase> g_offer{"evidence"};

}  // namespace
