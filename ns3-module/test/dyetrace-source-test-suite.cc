// SPDX-License-Identifier: GPL-2.0-or-later
// Lean sources: that each kind sends what its distribution says, and when it says so.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <ns3/dyetrace-incast-source.h>
#include <ns3/dyetrace-stream-sources.h>
#include <ns3/test.h>

#include "dyetrace-source-bench.h"
#include "dyetrace-test-cases.h"

#include "ns3-module/model/dyetrace-circle.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

const std::string kFixed = "ns3::ConstantRandomVariable[Constant=";
const std::string kExponential = "ns3::ExponentialRandomVariable[Mean=";

/// Variance over mean of the number of frames that a guest sends in a slice of time: 1 of a Poisson process.
double DispersionOf(const Bench& bench, int64_t sliceNs, int64_t slices) {
    std::vector<double> counts(static_cast<std::size_t>(slices) * kGuests);
    for (const Frame& frame : bench.frames) {
        const int64_t slice = std::min(frame.atNs / sliceNs, slices - 1);
        ++counts[static_cast<std::size_t>(frame.from * slices + slice)];
    }
    const auto n = static_cast<double>(counts.size());
    const double mean = std::accumulate(counts.begin(), counts.end(), 0.0) / n;
    const double squares = std::accumulate(counts.begin(), counts.end(), 0.0, [mean](double sum, double x) {
        return sum + (x - mean) * (x - mean);
    });
    return squares / (n - 1) / mean;
}

class ConstantTestCase : public TestCase {
  public:
    ConstantTestCase() : TestCase("a constant source sends at even distances, at its rate to the packet") {}

  private:
    void DoRun() override {
        Bench bench;
        // 1042 bytes at 30 Mbps: 277.8667 us, so that whole nanoseconds would drift away.
        bench.AddAll<DyetraceConstantSource>({{"Rate", "30Mbps"}, {"PacketBytes", "1000"}});
        bench.Run(Seconds(1));
        const double gapNs = 1042 * 8 / 30e6 * 1e9;
        std::set<int64_t> phases;
        for (uint32_t guest = 0; guest < kGuests; ++guest) {
            const auto frames = bench.Of(guest);
            NS_TEST_EXPECT_MSG_EQ_TOL(static_cast<double>(frames.size()), 1e9 / gapNs, 1, "its rate");
            NS_TEST_EXPECT_MSG_LT(static_cast<double>(frames.front().atNs), gapNs,
                                  "it begins within a packet's time");
            phases.insert(frames.front().atNs);
            for (std::size_t i = 0; i < frames.size(); ++i) {
                const double dueNs =
                    static_cast<double>(frames.front().atNs) + gapNs * static_cast<double>(i);
                NS_TEST_EXPECT_MSG_EQ_TOL(static_cast<double>(frames[i].atNs), dueNs, 1.5, "no drift");
                NS_TEST_EXPECT_MSG_EQ(frames[i].to, frames.front().to, "one destination");
                NS_TEST_EXPECT_MSG_EQ(frames[i].length, 1042, "whole packets");
            }
            NS_TEST_EXPECT_MSG_NE(frames.front().to / kPerRack, guest / kPerRack, "in another rack");
        }
        NS_TEST_EXPECT_MSG_EQ(phases.size(), kGuests, "guests are not in step");
    }
};

class FlowsShareTestCase : public TestCase {
  public:
    FlowsShareTestCase() : TestCase("the flows of a source share its rate, each with ports of its own") {}

  private:
    void DoRun() override {
        Bench bench;
        const auto source = bench.Add<DyetraceConstantSource>(3, {{"Rate", "40Mbps"},
                                                                  {"PacketBytes", "958"},
                                                                  {"Flows", "4"},
                                                                  {"Start", "10ms"},
                                                                  {"Stop", "60ms"}});
        bench.Run(Seconds(1));
        // 1000 bytes at 10 Mbps: 800 us; 50 ms have 62.5 of them.
        std::map<uint16_t, uint32_t> byPort;
        for (const Frame& frame : bench.frames) {
            ++byPort[frame.sourcePort];
            NS_TEST_EXPECT_MSG_EQ((frame.atNs >= 10000000 && frame.atNs < 60000000), true, "Start and Stop");
        }
        NS_TEST_EXPECT_MSG_EQ(byPort.size(), 4, "four flows");
        for (const auto& [port, count] : byPort)
            NS_TEST_EXPECT_MSG_EQ((count == 62 || count == 63), true, "a quarter of the rate for " << port);
        NS_TEST_EXPECT_MSG_EQ(source->GetFlows(), 4, "it counts them");
        NS_TEST_EXPECT_MSG_EQ(source->GetSentPackets(), bench.frames.size(), "and their packets");
        NS_TEST_EXPECT_MSG_EQ(bench.flows.front().bytes, 0, "which have no size");
    }
};

class PoissonTestCase : public TestCase {
  public:
    PoissonTestCase()
        : TestCase("a Poisson source's packets are as many, and as uneven, as they should be") {}

  private:
    void DoRun() override {
        Bench bench;
        // 10,000 packets a second of each guest.
        bench.AddAll<DyetracePoissonSource>({{"Rate", "80Mbps"}, {"PacketBytes", "958"}});
        bench.Run(Seconds(1));
        const auto n = static_cast<double>(bench.frames.size());
        NS_TEST_EXPECT_MSG_EQ_TOL(n, 160000, 4 * 400, "four standard deviations of 160,000");
        // Of m slices the dispersion has a standard deviation of sqrt(2 / (m - 1)).
        NS_TEST_EXPECT_MSG_EQ_TOL(DispersionOf(bench, 1000000, 1000), 1.0, 4 * std::sqrt(2.0 / 15999),
                                  "1 ms");
        NS_TEST_EXPECT_MSG_EQ_TOL(DispersionOf(bench, 20000000, 50), 1.0, 4 * std::sqrt(2.0 / 799), "20 ms");
        // An exponential distribution exceeds its mean with probability 1/e.
        double longer = 0;
        double gaps = 0;
        for (uint32_t guest = 0; guest < kGuests; ++guest) {
            const auto frames = bench.Of(guest);
            for (std::size_t i = 1; i < frames.size(); ++i, ++gaps)
                longer += frames[i].atNs - frames[i - 1].atNs > 100000 ? 1 : 0;
        }
        NS_TEST_EXPECT_MSG_EQ_TOL(longer / gaps, std::exp(-1), 4 * 0.4822 / std::sqrt(gaps), "gaps");
    }
};

class DispersionTestCase : public TestCase {
  public:
    DispersionTestCase() : TestCase("constant sources are more even than Poisson, on-off ones less") {}

  private:
    void DoRun() override {
        const Attributes rate{{"Rate", "80Mbps"}, {"PacketBytes", "958"}};
        Bench even;
        even.AddAll<DyetraceConstantSource>(rate);
        even.Run(MilliSeconds(200));
        NS_TEST_EXPECT_MSG_LT(DispersionOf(even, 1000000, 200), 0.05, "ten a slice, always");
        Bench bursts;
        bursts.AddAll<DyetraceOnOffSource>(rate);
        bursts.Run(MilliSeconds(200));
        NS_TEST_EXPECT_MSG_GT(DispersionOf(bursts, 1000000, 200), 3, "ten a slice, or none");
    }
};

class OnOffTestCase : public TestCase {
  public:
    OnOffTestCase() : TestCase("an on-off source sends at its rate while on, and not while off") {}

  private:
    void DoRun() override {
        Bench bench;
        // 100 us a packet; on for 20.5 of them, off for 60.
        bench.AddAll<DyetraceOnOffSource>({{"Rate", "80Mbps"},
                                           {"PacketBytes", "958"},
                                           {"OnTime", kFixed + "0.00205]"},
                                           {"OffTime", kFixed + "0.006]"}});
        bench.Run(Seconds(1));
        for (uint32_t guest = 0; guest < kGuests; ++guest) {
            const auto frames = bench.Of(guest);
            // 124 cycles of 8.05 ms, and of the last the 1.8 ms that are off.
            NS_TEST_EXPECT_MSG_EQ_TOL(static_cast<double>(frames.size()), 124 * 20.5, 1, "the mean rate");
            NS_TEST_EXPECT_MSG_GT(frames.front().atNs, 6000000 - 1, "it begins off");
            uint32_t pauses = 0;
            for (std::size_t i = 1; i < frames.size(); ++i) {
                const int64_t gapNs = frames[i].atNs - frames[i - 1].atNs;
                const bool isPause = gapNs > 6000000;
                pauses += isPause ? 1 : 0;
                NS_TEST_EXPECT_MSG_EQ_TOL(gapNs, (isPause ? 6100000 : 100000), 1,
                                          "of the time on, always 100 us");
            }
            NS_TEST_EXPECT_MSG_EQ(pauses, 123, "one between two times on");
        }
    }
};

class OnOffDutyTestCase : public TestCase {
  public:
    OnOffDutyTestCase()
        : TestCase("an on-off source's mean rate is the share of its time on, of any length") {}

  private:
    void Expect(const std::string& on, const std::string& off, double share, double tolerance) {
        Bench bench;
        bench.AddAll<DyetraceOnOffSource>(
            {{"Rate", "80Mbps"}, {"PacketBytes", "958"}, {"OnTime", on}, {"OffTime", off}});
        bench.Run(Seconds(1));
        NS_TEST_EXPECT_MSG_EQ_TOL(static_cast<double>(bench.frames.size()) / 160000, share, share * tolerance,
                                  on << ' ' << off);
    }

    void DoRun() override {
        // Of n cycles with exponential times the share on has a relative error of (1 - share) * sqrt(2 / n).
        Expect(kExponential + "0.001]", kExponential + "0.003]", 0.25, 4 * 0.75 * std::sqrt(2.0 / 4000));
        Expect(kExponential + "0.00002]", kExponential + "0.00002]", 0.5,
               0.02);  // a fifth of a packet's time
        Expect(kFixed + "0.00003]", kFixed + "0.00001]", 0.75, 0.001);
        Expect(kFixed + "0.001]", kFixed + "0]", 1, 0.001);
    }
};

class PermutationTestCase : public TestCase {
  public:
    PermutationTestCase() : TestCase("in a permutation each guest sends to one other, and gets from one") {}

  private:
    std::vector<uint32_t> Destinations(uint64_t seed) {
        Bench bench(seed);
        bench.AddAll<DyetraceConstantSource>({{"Destination", "permutation"}});
        bench.Run(MilliSeconds(1));
        std::vector<uint32_t> to(kGuests, kGuests);
        for (const Begun& flow : bench.flows)
            to[flow.from] = flow.to;
        for (uint32_t guest = 0; guest < kGuests; ++guest)
            NS_TEST_EXPECT_MSG_NE(to[guest], guest, "not to itself");
        NS_TEST_EXPECT_MSG_EQ(std::set<uint32_t>(to.begin(), to.end()).size(), kGuests, "to everyone");
        return to;
    }

    void DoRun() override {
        NS_TEST_EXPECT_MSG_EQ((Destinations(1) == Destinations(1)), true, "one seed, one permutation");
        NS_TEST_EXPECT_MSG_EQ((Destinations(1) == Destinations(2)), false, "two seeds, two");
    }
};

class CircleTestCase : public TestCase {
  public:
    CircleTestCase() : TestCase("a circle has each member once, and any order is as likely") {}

  private:
    void DoRun() override {
        for (uint32_t count = 1; count < 70; ++count) {
            const DyetraceCircle circle(count, count);
            std::set<uint32_t> members;
            for (uint32_t place = 0; place < count; ++place) {
                const uint32_t member = circle.MemberAt(place);
                members.insert(member);
                NS_TEST_EXPECT_MSG_LT(member, count, "a member");
                NS_TEST_EXPECT_MSG_EQ(circle.PlaceOf(member), place, "who stands there knows it");
            }
            NS_TEST_EXPECT_MSG_EQ(members.size(), count, "all of them");
        }
        // How often each member stands at each place, and behind each other, in 20,000 circles.
        constexpr uint32_t count = 13;
        constexpr double circles = 20000;
        std::vector<double> places(count * count);
        std::vector<double> followers(count * count);
        for (uint32_t seed = 0; seed < circles; ++seed) {
            const DyetraceCircle circle(dyetrace::mix64(seed), count);
            for (uint32_t place = 0; place < count; ++place) {
                const uint32_t member = circle.MemberAt(place);
                ++places[member * count + place];
                ++followers[member * count + circle.MemberAt((place + 1) % count)];
            }
        }
        // 169 draws of a binomial distribution: beyond five standard deviations is none in 10^4 tests.
        const double deviation = std::sqrt(circles / count);
        for (uint32_t i = 0; i < count * count; ++i) {
            NS_TEST_EXPECT_MSG_EQ_TOL(places[i], circles / count, 5 * deviation, "places");
            const double expected = i / count == i % count ? 0 : circles / (count - 1);
            NS_TEST_EXPECT_MSG_EQ_TOL(followers[i], expected, 5 * deviation, "followers");
        }
    }
};

/// Rounds of incasts: by time, what began then.
std::map<int64_t, std::vector<Begun>> RoundsOf(const Bench& bench) {
    std::map<int64_t, std::vector<Begun>> rounds;
    for (const Begun& flow : bench.flows)
        rounds[flow.atNs].push_back(flow);
    return rounds;
}

class IncastTestCase : public TestCase {
  public:
    IncastTestCase()
        : TestCase("in each round of an incast FanIn guests answer one at once, and no others") {}

  private:
    void DoRun() override {
        Bench bench;
        bench.AddAll<DyetraceIncastSource>({{"Interval", "2ms"},
                                            {"FanIn", "5"},
                                            {"ResponseBytes", "4500"},
                                            {"FlowRate", "1Gbps"},
                                            {"Start", "3ms"},
                                            {"Stop", "4003ms"}});
        bench.Run(Seconds(5));
        const auto rounds = RoundsOf(bench);
        NS_TEST_EXPECT_MSG_EQ(rounds.size(), 2000, "from Start to before Stop");
        std::map<uint32_t, uint32_t> received;
        std::map<uint32_t, uint32_t> sent;
        int64_t dueNs = 3000000;
        for (const auto& [atNs, flows] : rounds) {
            NS_TEST_EXPECT_MSG_EQ(atNs, dueNs, "every Interval");
            dueNs += 2000000;
            std::set<uint32_t> senders;
            for (const Begun& flow : flows) {
                senders.insert(flow.from);
                ++sent[flow.from];
                NS_TEST_EXPECT_MSG_EQ(flow.to, flows.front().to, "one receiver");
                NS_TEST_EXPECT_MSG_EQ(flow.bytes, 4500, "a response");
            }
            NS_TEST_EXPECT_MSG_EQ(senders.size(), 5, "the fan-in");
            NS_TEST_EXPECT_MSG_EQ(senders.count(flows.front().to), 0, "nobody answers itself");
            ++received[flows.front().to];
        }
        for (uint32_t guest = 0; guest < kGuests; ++guest) {
            // Binomial: 2000 rounds, and of a guest's chances 1/16 and 5/16.
            NS_TEST_EXPECT_MSG_EQ_TOL(received[guest], 125, 5 * std::sqrt(125 * 15 / 16.0), "each receives");
            NS_TEST_EXPECT_MSG_EQ_TOL(sent[guest], 625, 5 * std::sqrt(625 * 11 / 16.0), "and sends as often");
        }
        NS_TEST_EXPECT_MSG_EQ(bench.frames.size(), 2000 * 5 * 4, "1400, 1400, 1400 and 300 bytes");
        const auto frames = bench.Of(bench.flows.front().from);
        NS_TEST_EXPECT_MSG_EQ(frames[0].atNs, 3000000, "the first packet at once");
        NS_TEST_EXPECT_MSG_EQ(frames[1].atNs, 3000000 + 1442 * 8, "the next at the flow's pace");
        NS_TEST_EXPECT_MSG_EQ(frames[3].length, 342, "the last is what is left");
    }
};

class IncastGroupsTestCase : public TestCase {
  public:
    IncastGroupsTestCase() : TestCase("a round may have several receivers, one by name, or late responses") {}

  private:
    void ExpectGroups() {
        Bench bench;
        bench.AddAll<DyetraceIncastSource>({{"FanIn", "4"}, {"Receivers", "3"}, {"Stop", "1s"}});
        bench.Run(Seconds(2));
        const auto rounds = RoundsOf(bench);
        NS_TEST_EXPECT_MSG_EQ(rounds.size(), 100, "every 10 ms");
        for (const auto& [atNs, flows] : rounds) {
            std::map<uint32_t, uint32_t> fanIn;
            std::set<uint32_t> busy;
            for (const Begun& flow : flows) {
                ++fanIn[flow.to];
                NS_TEST_EXPECT_MSG_EQ(busy.insert(flow.from).second, true, "one answer of each");
            }
            NS_TEST_EXPECT_MSG_EQ(fanIn.size(), 3, "receivers at " << atNs);
            for (const auto& [receiver, senders] : fanIn) {
                NS_TEST_EXPECT_MSG_EQ(senders, 4, "senders of each");
                NS_TEST_EXPECT_MSG_EQ(busy.count(receiver), 0, "who receives does not send");
            }
        }
    }
    void ExpectOneReceiver() {
        Bench bench;
        bench.AddAll<DyetraceIncastSource>({{"FanIn", "8"}, {"Receiver", "6"}, {"Stop", "2s"}});
        bench.Run(Seconds(3));
        std::map<uint32_t, uint32_t> sent;
        for (const auto& [atNs, flows] : RoundsOf(bench)) {
            NS_TEST_EXPECT_MSG_EQ(flows.size(), 8, "the fan-in at " << atNs);
            for (const Begun& flow : flows) {
                NS_TEST_EXPECT_MSG_EQ(flow.to, 6, "always the same");
                ++sent[flow.from];
            }
        }
        NS_TEST_EXPECT_MSG_EQ(sent.size(), kGuests - 1, "all others have their turns");
        for (const auto& [guest, rounds] : sent) {
            NS_TEST_EXPECT_MSG_EQ_TOL(rounds, 200 * 8 / 15.0, 5 * std::sqrt(200 * 8 * 7.0) / 15,
                                      "equally often: " << guest);
        }
    }
    void ExpectJitter() {
        Bench bench;
        bench.AddAll<DyetraceIncastSource>({{"Jitter", "1ms"}, {"ResponseBytes", "1000"}, {"Stop", "1s"}});
        bench.Run(Seconds(2));
        NS_TEST_EXPECT_MSG_EQ(bench.frames.size(), 800, "all are sent");
        double sumNs = 0;
        for (const Frame& frame : bench.frames) {
            const int64_t lateNs = frame.atNs % 10000000;
            NS_TEST_EXPECT_MSG_LT(lateNs, 1000000, "within Jitter");
            sumNs += static_cast<double>(lateNs);
        }
        NS_TEST_EXPECT_MSG_EQ_TOL(sumNs / 800, 500000, 4 * 288675 / std::sqrt(800.0), "uniformly");
    }

    void DoRun() override {
        ExpectGroups();
        ExpectOneReceiver();
        ExpectJitter();
    }
};

const Offer<ConstantTestCase, FlowsShareTestCase, PoissonTestCase, DispersionTestCase, OnOffTestCase,
            OnOffDutyTestCase, PermutationTestCase, CircleTestCase, IncastTestCase, IncastGroupsTestCase>
    g_offer{"source"};

}  // namespace
