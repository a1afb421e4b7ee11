// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/nhms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/health/health_network.h"

namespace dyetrace::health {
namespace {

using ::testing::Contains;
using ::testing::Not;

std::string name_of(const Nhms& nhms, localise::NodeId node) {
    return nhms.graph().name(node);
}

TEST(Nhms, RefusesToStartWithoutAKeyUnlessToldInsecure) {
    NhmsConfig config = HealthNetwork::config();
    config.key.reset();
    EXPECT_EQ(Nhms::create(config, {}, 1, Time{}).error(), "key: must be set (or say insecure = true)");
    config.insecure = true;
    EXPECT_TRUE(Nhms::create(config, {}, 1, Time{}).ok());
}

TEST(Nhms, NamesTheFieldOfAConfigurationThatIsWrong) {
    NhmsConfig config = HealthNetwork::config();
    config.detector.impaired_rate = config.detector.baseline_rate;
    EXPECT_EQ(Nhms::create(config, {}, 1, Time{}).error(),
              "detector: needs 0 < baseline_rate < impaired_rate < 0.5");
}

TEST(Nhms, AcknowledgesEveryUpdateAndTakesEachOnce) {
    HealthNetwork network;
    const auto update = network.update({});
    network.deliver(update);
    network.deliver(update);
    network.collect();
    EXPECT_EQ(network.datagrams.size(), 2U);
    EXPECT_EQ(network.nhms.counters().updates, 1U);
    EXPECT_EQ(network.nhms.counters().updates_repeated, 1U);
    const auto ack = wire::ControlMessage::parse(network.datagrams[0]);
    ASSERT_TRUE(ack.ok());
    EXPECT_EQ(ack->header.type, wire::ControlType::UpdateAck);
    EXPECT_EQ(ack->header.message_number, 1U);
    EXPECT_EQ(ack->header.receiver_boot, HealthNetwork::kBoot);
}

TEST(Nhms, DropsAForgedUpdateWithoutAWord) {
    HealthNetwork network;
    auto update = network.update({});
    for (std::size_t i = 0; i < update.size(); ++i) {
        auto forged = update;
        forged[i] ^= 0x10;
        network.deliver(forged);
    }
    network.collect();
    EXPECT_TRUE(network.outputs.empty());
    EXPECT_EQ(network.nhms.drops().total(), update.size());
}

TEST(Nhms, NamesTheLinkThatFreshEvidenceConfirms) {
    HealthNetwork network;
    network.learn_paths();
    // Only paths by spine-0 lose; left > spine-0 and spine-0 > right lie on the same paths.
    for (int i = 0; i < 10; ++i)
        network.window(1000, 10);
    network.answer_directive();
    for (int i = 0; i < 20; ++i)
        network.window(1000, 10);
    EXPECT_THAT(network.steps(), Contains(IncidentStep::Opened));
    EXPECT_THAT(network.steps(), Contains(IncidentStep::Confirmed));
    EXPECT_THAT(network.steps(), Not(Contains(IncidentStep::Refuted)));
    const auto named = network.all<SuspectsNamed>();
    ASSERT_FALSE(named.empty());
    ASSERT_FALSE(named.back().suspects.empty());
    for (const localise::Suspect& suspect : named.back().suspects) {
        if (suspect.kind == localise::Suspect::Kind::Device) continue;
        const bool touches = name_of(network.nhms, suspect.from) == "spine-0" ||
                             name_of(network.nhms, suspect.to) == "spine-0";
        EXPECT_TRUE(touches) << name_of(network.nhms, suspect.from) << " > "
                             << name_of(network.nhms, suspect.to);
        EXPECT_GE(suspect.group, 0) << "the two links of spine-0 can't be told apart";
    }
}

TEST(Nhms, ASuspicionThatFreshEvidenceDoesNotRepeatIsRefuted) {
    HealthNetwork network;
    network.learn_paths();
    for (int i = 0; i < 10 && network.steps().empty(); ++i)
        network.window(1000, 10);
    ASSERT_THAT(network.steps(), Contains(IncidentStep::Opened));
    network.answer_directive();
    for (int i = 0; i < 40; ++i)
        network.window(1000, 0);
    EXPECT_THAT(network.steps(), Contains(IncidentStep::Refuted));
    EXPECT_THAT(network.steps(), Not(Contains(IncidentStep::Confirmed)));
    EXPECT_TRUE(network.all<SuspectsNamed>().empty());
}

TEST(Nhms, SaysNothingOfAFabricThatLosesNothing) {
    HealthNetwork network;
    network.learn_paths();
    for (int i = 0; i < 50; ++i)
        network.window(1000, 0);
    EXPECT_TRUE(network.steps().empty());
    for (const HealthChanged& change : network.all<HealthChanged>())
        EXPECT_EQ(change.health, Health::Healthy);
}

TEST(Nhms, AsksTheEppcThatSendsAcrossTheSuspectForMore) {
    HealthNetwork network;
    network.learn_paths();
    for (int i = 0; i < 10; ++i)
        network.window(1000, 10);
    const auto sent = network.all<DirectiveSent>();
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0].eppc, kHostA);
    EXPECT_EQ(sent[0].body.peer, kHostB);
    EXPECT_EQ(sent[0].body.sampling, HealthNetwork::config().raised_sampling);
    // Every Nth of flows in step with each other would be of the same flow.
    EXPECT_EQ(sent[0].body.sampling.kind, wire::SamplingSpec::Kind::Probability);
}

TEST(Nhms, SendsADirectiveAgainUntilItIsAnswered) {
    HealthNetwork network;
    network.learn_paths();
    for (int i = 0; i < 10; ++i)
        network.window(1000, 10);
    const auto directives = [&] {
        std::size_t count = 0;
        for (const auto& bytes : network.datagrams) {
            count += bytes[1] == static_cast<std::uint8_t>(wire::ControlType::Directive) ? 1U : 0U;
        }
        return count;
    };
    const std::size_t unanswered = directives();
    EXPECT_GT(unanswered, network.all<DirectiveSent>().size());
    for (std::size_t i = 0; i < network.all<DirectiveSent>().size(); ++i)
        network.answer_directive();
    EXPECT_FALSE(network.all<DirectiveAnswered>().empty());
}

TEST(Nhms, ImpossibleCountsAreNoEvidence) {
    HealthNetwork network;
    wire::PathRecord record;
    record.intervals = 1;
    record.sent = 100;
    record.received = 101;
    network.deliver(network.update({wire::MetricsEntry{kHostB, SessionId{5}, record}}));
    network.collect();
    EXPECT_EQ(network.nhms.counters().impossible_records, 1U);
    EXPECT_TRUE(network.all<LossSeen>().empty());
}

TEST(Nhms, APathThroughStrangersIsNotUsed) {
    HealthNetwork network;
    wire::PathEntry path;
    path.peer = kHostB;
    path.complete = true;
    path.hop_count = 1;
    path.hops[0] = Ipv4Address{0xc0a80001};
    network.deliver(network.update({path}));
    network.collect();
    ASSERT_EQ(network.all<PathReported>().size(), 1U);
    EXPECT_EQ(network.all<PathReported>()[0].ways, 0U);
    EXPECT_EQ(network.nhms.counters().paths_unusable, 1U);
}

wire::TimingEntry timing(std::uint32_t session, std::int64_t measured_ns, std::int64_t offset_ns) {
    wire::TimingEntry entry;
    entry.peer = kHostB;
    entry.session = SessionId{session};
    entry.clock_known = true;
    entry.clock_offset = Duration::nanoseconds(offset_ns);
    entry.measured_ns = measured_ns;
    entry.sketch = {1, 2, 3};
    return entry;
}

TEST(Nhms, KeepsTheNewestTimingOfEachSession) {
    HealthNetwork network;
    EXPECT_EQ(network.nhms.timing(kHostA, kHostB, SessionId{5}), nullptr);
    network.deliver(network.update({timing(5, 200, -7), timing(6, 100, 9)}));
    network.deliver(network.update({timing(5, 100, 8)}));  // overtaken on its way
    network.deliver(network.update({timing(6, 300, 10)}));
    ASSERT_NE(network.nhms.timing(kHostA, kHostB, SessionId{5}), nullptr);
    EXPECT_EQ(*network.nhms.timing(kHostA, kHostB, SessionId{5}), timing(5, 200, -7));
    ASSERT_NE(network.nhms.timing(kHostA, kHostB, SessionId{6}), nullptr);
    EXPECT_EQ(*network.nhms.timing(kHostA, kHostB, SessionId{6}), timing(6, 300, 10));
    EXPECT_EQ(network.nhms.timing(kHostB, kHostA, SessionId{5}), nullptr);
    EXPECT_EQ(network.nhms.counters().timings, 4U);
}

TEST(Nhms, TimingOfSessionsBeyondItsBoundIsCountedAndNotKept) {
    NhmsConfig config = HealthNetwork::config();
    config.bounds.sessions = 1;
    HealthNetwork network(config);
    network.deliver(network.update({timing(5, 100, 1), timing(6, 100, 2)}));
    EXPECT_EQ(network.nhms.timing(kHostA, kHostB, SessionId{6}), nullptr);
    EXPECT_EQ(network.nhms.drops().count(wire::DropReason::TableFull), 1U);
    network.deliver(network.update({timing(5, 200, 3)}));  // of a session that it knows
    EXPECT_EQ(*network.nhms.timing(kHostA, kHostB, SessionId{5}), timing(5, 200, 3));
}

/// A session's sketch after these delays; their clocks were corrected.
wire::TimingEntry delays_so_far(std::int64_t measured_ns, const std::vector<std::int64_t>& delays_ns) {
    SketchPool pool(SketchPool::kNodesOfFullSketch);
    QuantileSketch sketch(pool);
    for (const std::int64_t delay : delays_ns)
        sketch.add(delay);
    wire::TimingEntry entry = timing(5, measured_ns, 0);
    entry.sketch_corrected = true;
    entry.sketch.resize(wire::TimingEntry::kMaxSketchBytes);
    entry.sketch.resize(*sketch.encode_into(entry.sketch));
    return entry;
}

TEST(Nhms, ATenantsConditionSeesQuantilesOfRecentDelays) {
    HealthNetwork network;
    ClientConfig clients;
    TenantSpec red;
    red.name = "red";
    red.vnis = {Vni{100}};
    red.guests = {{"web", Vni{100}, kHostA, {}}, {"db", Vni{100}, kHostB, {}}};
    red.states = {{"slow", Condition::parse("delay_p99 > 1ms").value()}};
    clients.tenants = {red};
    clients.subscriptions = {{"red", "slow"}};
    ASSERT_TRUE(network.nhms.serve(clients, network.now).ok());
    std::vector<std::int64_t> delays(1000, 50'000);
    network.deliver(network.update({delays_so_far(100, delays)}));
    network.advance(Duration::milliseconds(300));
    ASSERT_EQ(network.all<TenantNotified>().size(), 1U);
    EXPECT_EQ(network.all<TenantNotified>()[0].event.after, "outside");
    // Five slow packets in a hundred are, of all thousand and more, less than one in a hundred.
    delays.insert(delays.end(), 95, 50'000);
    delays.insert(delays.end(), 5, 4'000'000);
    network.deliver(network.update({delays_so_far(200, delays)}));
    network.advance(Duration::milliseconds(300));
    ASSERT_EQ(network.all<TenantNotified>().size(), 2U);
    EXPECT_EQ(network.all<TenantNotified>()[1].event.after, "inside");
}

/// A tenant whose probe is from a guest on host A to one on host B.
ClientConfig probing(const std::string& tenant, Vni vni) {
    ClientConfig clients;
    TenantSpec spec;
    spec.name = tenant;
    spec.vnis = {vni};
    spec.guests = {{"a", vni, kHostA, Ipv4Address{0xc0a80001}}, {"b", vni, kHostB, Ipv4Address{0xc0a80002}}};
    clients.tenants = {spec};
    clients.probes = {{tenant, {"probe", vni, "a", "b", 1}}};
    return clients;
}

TEST(Nhms, APacketOfAProbeServedBeforeIsNoneOfTheNext) {
    HealthNetwork network;
    network.deliver(network.update({}));
    ASSERT_TRUE(network.nhms.serve(probing("red", Vni{100}), network.now).ok());
    ASSERT_TRUE(network.nhms.serve(probing("blue", Vni{200}), network.now).ok());
    network.collect();
    const auto asked = network.all<DirectiveSent>();
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_EQ(asked[0].body.flow.flow.vni, Vni{100});
    // The EPPC goes on with what it was asked for first.
    wire::FlowStageEntry entry;
    entry.trace = asked[0].body.flow.trace;
    entry.stage = wire::FlowStage::GuestOut;
    network.deliver(network.update({entry}));
    entry.trace = asked[1].body.flow.trace;
    network.deliver(network.update({entry}));
    network.advance(Duration::milliseconds(100));
    network.nhms.settle_clients(network.now);
    network.collect();
    const auto told = network.all<ProbeTold>();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].tenant, "blue");
    EXPECT_EQ(told[0].result.counts.first, 1U);
}

TEST(Nhms, AnEppcThatDoesNotAnswerForAProbeIsAskedAgain) {
    HealthNetwork network;
    network.deliver(network.update({}));
    ASSERT_TRUE(network.nhms.serve(probing("red", Vni{100}), network.now).ok());
    for (int i = 0; i < 112; ++i)
        network.advance(Duration::milliseconds(50));
    const auto asked = network.all<DirectiveSent>();
    // Half a second until nobody has answered, and 5 s.
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_GE(asked[1].at - asked[0].at, ProbeTurn::kPause);
    network.answer_directive();
    for (int i = 0; i < 300; ++i)
        network.advance(Duration::milliseconds(50));
    EXPECT_EQ(network.all<DirectiveSent>().size(), 2U);
}

TEST(Nhms, AnEppcThatThereWasNoRoomToAskForAProbeIsAskedLater) {
    NhmsConfig config = HealthNetwork::config();
    config.bounds.directives = 1;
    HealthNetwork network(config);
    network.deliver(network.update({}));
    ClientConfig clients = probing("red", Vni{100});
    clients.probes.push_back({"red", {"other", Vni{100}, "a", "", 1}});
    ASSERT_TRUE(network.nhms.serve(clients, network.now).ok());
    network.collect();
    EXPECT_EQ(network.all<DirectiveSent>().size(), 1U);
    EXPECT_EQ(network.nhms.counters().directives_no_room, 1U);
    network.answer_directive();
    for (int i = 0; i < 120; ++i)
        network.advance(Duration::milliseconds(50));
    ASSERT_EQ(network.all<DirectiveSent>().size(), 2U);
    EXPECT_NE(network.all<DirectiveSent>()[1].body.flow.trace,
              network.all<DirectiveSent>()[0].body.flow.trace);
}

TEST(Nhms, AGuestThatMovesHasTheStateOfItsNewHostAtOnce) {
    HealthNetwork network;
    network.learn_paths();
    for (int i = 0; i < 50; ++i)
        network.window(1000, 0);
    ASSERT_FALSE(network.all<HealthChanged>().empty());
    ClientConfig clients = probing("red", Vni{100});
    clients.tenants[0].guests[1].host = kNhms;  // elsewhere
    ASSERT_TRUE(network.nhms.serve(clients, network.now).ok());
    const ClientView& view = *network.nhms.clients();
    EXPECT_EQ(view.pair(TenantId{0}, "a", "b", network.now)->health, Health::NotMeasured);
    ASSERT_TRUE(network.nhms.move_guest("red", "b", kHostB, network.now));
    EXPECT_EQ(view.pair(TenantId{0}, "a", "b", network.now)->health, Health::Healthy);
}

TEST(Nhms, TheSameUpdatesGiveTheSameBytes) {
    HealthNetwork one;
    HealthNetwork other;
    for (HealthNetwork* network : {&one, &other}) {
        network->learn_paths();
        for (int i = 0; i < 30; ++i)
            network->window(1000, 10);
    }
    EXPECT_EQ(one.datagrams, other.datagrams);
    EXPECT_EQ(one.outputs.size(), other.outputs.size());
}

}  // namespace
}  // namespace dyetrace::health
