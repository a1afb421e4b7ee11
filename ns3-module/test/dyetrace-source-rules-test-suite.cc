// SPDX-License-Identifier: GPL-2.0-or-later
// Lean sources: what holds for every kind: seeds and streams, attributes, helpers, words.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/dyetrace-flow-source.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-incast-source.h>
#include <ns3/dyetrace-source-helper.h>
#include <ns3/dyetrace-stream-sources.h>
#include <ns3/pointer.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/test.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dyetrace-source-bench.h"
#include "dyetrace-test-cases.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

template <class Source>
struct Kind {
    using Type = Source;
};

/// Every kind, with attributes that make it draw.
template <class Run>
void ForEachKind(Run run) {
    run(Kind<DyetraceConstantSource>(), Attributes{{"Flows", "2"}});
    run(Kind<DyetracePoissonSource>(), Attributes{});
    run(Kind<DyetraceOnOffSource>(), Attributes{});
    run(Kind<DyetraceIncastSource>(), Attributes{{"Jitter", "1ms"}});
}

class RepeatTestCase : public TestCase {
  public:
    RepeatTestCase() : TestCase("one seed sends the same packets again, another others") {}

  private:
    template <class Source>
    static std::vector<Frame> FramesOf(uint64_t seed, const Attributes& attributes, int64_t stream) {
        Bench bench(seed);
        for (uint32_t guest = 0; guest < kGuests; ++guest)
            bench.Add<Source>(guest, attributes)->AssignStreams(stream + 3 * guest);
        bench.Run(MilliSeconds(50));
        return bench.frames;
    }

    void DoRun() override {
        ForEachKind([this](const auto& kind, const Attributes& attributes) {
            using Source = typename std::decay_t<decltype(kind)>::Type;
            const std::string name = Source::GetTypeId().GetName();
            const auto first = FramesOf<Source>(5, attributes, 100);
            NS_TEST_ASSERT_MSG_GT(first.size(), 100, name << " sends");
            NS_TEST_EXPECT_MSG_EQ((FramesOf<Source>(5, attributes, 100) == first), true, name << " again");
            NS_TEST_EXPECT_MSG_EQ((FramesOf<Source>(6, attributes, 100) == first), false, name << ": seeds");
            NS_TEST_EXPECT_MSG_EQ((FramesOf<Source>(5, attributes, 200) == first), false,
                                  name << ": streams");
            RngSeedManager::SetRun(1);
            const auto run1 = FramesOf<Source>(0, attributes, 100);
            NS_TEST_EXPECT_MSG_EQ((FramesOf<Source>(0, attributes, 100) == run1), true,
                                  name << ": ns-3's seed");
            RngSeedManager::SetRun(2);
            NS_TEST_EXPECT_MSG_EQ((FramesOf<Source>(0, attributes, 100) == run1), false, name << ": its run");
            RngSeedManager::SetRun(1);
        });
    }
};

class AloneTestCase : public TestCase {
  public:
    AloneTestCase() : TestCase("a source sends the same whether or not the others are there") {}

  private:
    template <class Source>
    void Expect(const Attributes& attributes) {
        std::map<uint32_t, std::vector<Frame>> ofAll;
        {
            Bench all;
            for (uint32_t guest = 0; guest < kGuests; ++guest)
                all.Add<Source>(guest, attributes)->AssignStreams(3 * guest);
            all.Run(MilliSeconds(50));
            for (uint32_t guest = 0; guest < kGuests; ++guest)
                ofAll[guest] = all.Of(guest);
        }
        Bench half;  // as on one of two machines
        for (uint32_t guest = 1; guest < kGuests; guest += 2)
            half.Add<Source>(guest, attributes)->AssignStreams(3 * guest);
        half.Run(MilliSeconds(50));
        for (uint32_t guest = 1; guest < kGuests; guest += 2) {
            NS_TEST_ASSERT_MSG_GT(ofAll[guest].size(), 0, "guest " << guest << " sends");
            NS_TEST_EXPECT_MSG_EQ((half.Of(guest) == ofAll[guest]), true,
                                  Source::GetTypeId().GetName() << ", guest " << guest);
        }
    }

    void DoRun() override {
        ForEachKind([this](const auto& kind, const Attributes& attributes) {
            Expect<typename std::decay_t<decltype(kind)>::Type>(attributes);
        });
        Expect<DyetraceConstantSource>({{"Destination", "permutation"}});
    }
};

class StreamsTestCase : public TestCase {
  public:
    StreamsTestCase() : TestCase("AssignStreams says how many streams it took") {}

  private:
    void DoRun() override {
        NS_TEST_EXPECT_MSG_EQ(CreateObject<DyetraceConstantSource>()->AssignStreams(7), 1, "constant");
        NS_TEST_EXPECT_MSG_EQ(CreateObject<DyetracePoissonSource>()->AssignStreams(7), 1, "Poisson");
        NS_TEST_EXPECT_MSG_EQ(CreateObject<DyetraceIncastSource>()->AssignStreams(7), 1, "incast");
        NS_TEST_EXPECT_MSG_EQ(CreateObject<DyetraceOnOffSource>()->AssignStreams(7), 3, "on-off: two times");
        DyetraceHelper dyetrace;
        dyetrace.SetFabricAttribute("K", UintegerValue(4));
        dyetrace.SetHostAttribute("Insecure", BooleanValue(true));
        dyetrace.Install();
        DyetraceSourceHelper sources("ns3::DyetraceOnOffSource");
        sources.Install(dyetrace);
        NS_TEST_EXPECT_MSG_EQ(sources.AssignStreams(7), 3 * 16, "of all that a helper made");
        dyetrace.Dispose();
        Simulator::Destroy();
    }
};

class RangesTestCase : public TestCase {
  public:
    RangesTestCase() : TestCase("an attribute out of range is refused") {}

  private:
    template <class Source>
    void ExpectRefused(const Attributes& attributes) {
        auto source = CreateObject<Source>();
        for (const auto& [name, value] : attributes) {
            NS_TEST_EXPECT_MSG_EQ(source->SetAttributeFailSafe(name, StringValue(value)), false,
                                  name << ' ' << value);
        }
    }

    void DoRun() override {
        ExpectRefused<DyetraceConstantSource>({{"PacketBytes", "0"},
                                               {"PacketBytes", "9001"},
                                               {"Start", "-1s"},
                                               {"Stop", "-1s"},
                                               {"Rate", "fast"},
                                               {"Flows", "0"},
                                               {"Flows", "1025"},
                                               {"Interval", "1s"}});
        const bool isTaken = CreateObject<DyetraceOnOffSource>()->SetAttributeFailSafe(
            "OnTime", PointerValue(CreateObject<DyetraceIncastSource>()));
        NS_TEST_EXPECT_MSG_EQ(isTaken, false, "OnTime is a RandomVariableStream");
        ExpectRefused<DyetraceIncastSource>({{"Interval", "0s"},
                                             {"FanIn", "0"},
                                             {"FanIn", "65536"},
                                             {"Receivers", "0"},
                                             {"Receiver", "-1"},
                                             {"ResponseBytes", "0"},
                                             {"Jitter", "-1ns"}});
    }
};

/// The last words of a program that is stopped: it runs as a process of its own.
template <class Program>
std::string LastWordsOf(Program program) {
    int ends[2];
    if (pipe(ends) != 0) return "no pipe";
    const pid_t child = fork();
    if (child == 0) {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        program();
        _exit(0);
    }
    close(ends[1]);
    std::string words;
    char buffer[512];
    for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
        words.append(buffer, static_cast<std::size_t>(n));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? words : "it went on";
}

class WordsTestCase : public TestCase {
  public:
    WordsTestCase() : TestCase("what does not fit together is refused in words") {}

  private:
    template <class Program>
    void ExpectSaid(const std::string& words, Program program) {
        const std::string said = LastWordsOf(program);
        NS_TEST_EXPECT_MSG_NE(said.find(words), std::string::npos, "\"" << words << "\" in: " << said);
    }
    template <class Source>
    void Expect(const std::string& words, const Attributes& attributes,
                const DyetracePacketSource::Party& party = {}) {
        ExpectSaid(words, [&] {
            Bench bench;
            bench.Add<Source>(
                0, attributes,
                party.empty() ? nullptr : std::make_shared<const DyetracePacketSource::Party>(party));
            bench.Run(Seconds(1));
        });
    }

    void DoRun() override {
        Expect<DyetraceConstantSource>("Destination is random or permutation, not nearest",
                                       {{"Destination", "nearest"}});
        Expect<DyetraceConstantSource>("DyetraceConstantSource: Rate is 0", {{"Rate", "0bps"}});
        Expect<DyetracePoissonSource>("guest 0 has no guest in another rack to send to", {}, {0, 1, 2, 3});
        Expect<DyetracePoissonSource>("guest 0 has no other guest to send to",
                                      {{"Destination", "permutation"}}, {0});
        Expect<DyetracePoissonSource>("guest 0 is to send among guests of which it is none", {}, {1, 9});
        Expect<DyetraceOnOffSource>("OnTime is too short",
                                    {{"OnTime", "ns3::ConstantRandomVariable[Constant=0]"},
                                     {"OffTime", "ns3::ConstantRandomVariable[Constant=0]"}});
        Expect<DyetraceIncastSource>("1 receivers with 16 senders each need 17 guests; there are 16",
                                     {{"FanIn", "16"}});
        Expect<DyetraceIncastSource>("one Receiver is named, and Receivers is 2",
                                     {{"FanIn", "2"}, {"Receivers", "2"}, {"Receiver", "3"}});
        Expect<DyetraceIncastSource>("Receiver 3 is not among the guests that send",
                                     {{"FanIn", "2"}, {"Receiver", "3"}}, {0, 1, 2, 4});
        Expect<DyetraceFlowSource>("SetSizes is called before Start", {});
        ExpectSaid("no source is called ns3::Waterfall", [] { DyetraceSourceHelper("ns3::Waterfall"); });
        ExpectSaid("ns3::DyetraceHost is no kind of DyetracePacketSource",
                   [] { DyetraceSourceHelper("ns3::DyetraceHost"); });
    }
};

class HelperTestCase : public TestCase {
  public:
    HelperTestCase() : TestCase("several kinds send at once, each from guests of its own, and all arrives") {}

  private:
    void NoteRx(const DyetracePacket&) { ++m_rx; }
    void NoteTx(const DyetracePacket&) { ++m_tx; }

    void DoRun() override {
        DyetraceHelper dyetrace;
        dyetrace.SetFabricAttribute("K", UintegerValue(4));
        dyetrace.SetFabricAttribute("Seed", UintegerValue(11));
        dyetrace.SetHostAttribute("Insecure", BooleanValue(true));
        const uint32_t more = dyetrace.AddGuestGroup("host-0-*");
        const uint32_t all = dyetrace.AddGuestGroup("*");
        dyetrace.Install();
        DyetraceSourceHelper background("ns3::DyetracePoissonSource");
        background.SetAttribute("Stop", StringValue("20ms"));
        background.Install(dyetrace);
        DyetraceSourceHelper flows;
        flows.SetFlows({{999, 0}, {1000, 1}}, 0.01);
        flows.SetAttribute("Stop", StringValue("20ms"));
        flows.Install(dyetrace, dyetrace.GetGuestGroup(more));
        DyetraceSourceHelper incast("ns3::DyetraceIncastSource");
        incast.SetAttribute("Stop", StringValue("20ms"));
        incast.Install(dyetrace, dyetrace.GetGuestGroup(all));
        NS_TEST_EXPECT_MSG_EQ(flows.GetSources().size(), 4, "the pod's four");
        NS_TEST_EXPECT_MSG_EQ(dyetrace.GetGuestGroup(all).front(), 20, "numbered on");
        uint64_t sent = 0;
        uint64_t received = 0;
        for (const auto* helper : {&background, &flows, &incast}) {
            for (const auto& source : helper->GetSources()) {
                source->TraceConnectWithoutContext("Tx", MakeCallback(&HelperTestCase::NoteTx, this));
                source->TraceConnectWithoutContext("Rx", MakeCallback(&HelperTestCase::NoteRx, this));
            }
        }
        Simulator::Stop(MilliSeconds(200));
        Simulator::Run();
        for (const auto* helper : {&background, &flows, &incast}) {
            uint64_t own = 0;
            for (const auto& source : helper->GetSources()) {
                own += source->GetSentPackets();
                received += source->GetReceivedPackets();
            }
            NS_TEST_EXPECT_MSG_GT(own, 0, "every kind sends");
            sent += own;
        }
        NS_TEST_EXPECT_MSG_EQ(dyetrace.GetTruth()->GetDataSent(), sent, "as the truth has it");
        NS_TEST_EXPECT_MSG_EQ(dyetrace.GetTruth()->GetDataDropped(), 0, "nothing is lost");
        NS_TEST_EXPECT_MSG_EQ(received, sent, "and each guest has what is for it");
        NS_TEST_EXPECT_MSG_EQ(m_tx, sent, "Tx tells of each");
        NS_TEST_EXPECT_MSG_EQ(m_rx, sent, "and Rx");
        uint64_t responses = 0;
        for (const auto& source : incast.GetSources())
            responses += source->GetReceivedPackets();
        NS_TEST_EXPECT_MSG_EQ(responses, 2 * 8 * 23, "two rounds of 8 responses of 32,000 bytes");
        dyetrace.Dispose();
        Simulator::Destroy();
    }

    uint64_t m_rx = 0;
    uint64_t m_tx = 0;
};

const Offer<RepeatTestCase, AloneTestCase, StreamsTestCase, RangesTestCase, WordsTestCase, HelperTestCase>
    g_offer{"source"};

}  // namespace
