// SPDX-License-Identifier: GPL-2.0-or-later
// The channel to the health service: who is heard there, and that nothing recorded counts again.
#include "core/eppc/nhms_channel.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "core/eppc/update_sender.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using wire::ControlType;
using wire::DropReason;
using Frame = std::vector<std::uint8_t>;

struct NhmsChannel : ::testing::Test {
    Network net;
    FakeNhms nhms{net};

    NhmsChannel() {
        net.add_host([](eppc::EppcConfig& config) {
            config.nhms = FakeNhms::kEndpoint;
            config.update_interval = Duration::milliseconds(10);
        });
        net.add_host();
    }
    void traffic(int milliseconds) {
        net.send_many(0, 1, milliseconds * 20, Duration::microseconds(50));
        net.run_for(Duration::milliseconds(milliseconds));
    }
    [[nodiscard]] Frame answer_of(ControlType type) const {
        for (const Frame& frame : nhms.answers) {
            if (look_at(frame).is(type)) return frame;
        }
        ADD_FAILURE() << "no " << to_string(type);
        return {};
    }
    std::uint64_t drops(DropReason reason) { return net.engine(0).drops().count(reason); }
    wire::DirectiveBody investigate() {
        wire::DirectiveBody directive;
        directive.peer = net.host(1).config.address;
        directive.sampling = wire::SamplingSpec::every_nth(1);
        directive.duration = Duration::milliseconds(50);
        return directive;
    }
};

TEST_F(NhmsChannel, IsOpenedByOneUpdateAndOneHello) {
    traffic(100);
    EXPECT_EQ(nhms.hellos, 1U);
    EXPECT_EQ(nhms.malformed, 0U);
    EXPECT_GT(net.engine(0).counters().updates_acked, 3U);
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
}

TEST_F(NhmsChannel, EachTransmissionHasAChallengeOfItsOwn) {
    traffic(50);
    nhms.up = false;
    traffic(100);
    nhms.up = true;
    traffic(100);
    std::set<std::uint32_t> challenges;
    std::size_t transmissions = 0;
    std::set<std::uint32_t> numbers;
    for (const Captured& packet : net.captured()) {
        if (!packet.seen.is(ControlType::Update)) continue;
        ++transmissions;
        challenges.insert(packet.seen.control->session.value);
        numbers.insert(packet.seen.control->message_number);
    }
    EXPECT_EQ(challenges.size(), transmissions);
    EXPECT_LT(numbers.size(), transmissions);
}

TEST_F(NhmsChannel, HearsTheHealthServiceAlone) {
    nhms.mute = true;
    traffic(50);
    const Frame good = answer_of(ControlType::NhmsHello);
    const auto refused = [&](std::size_t at, DropReason reason, bool mend = true) {
        Frame frame = good;
        frame[at] ^= 1;
        mend_ip(frame);
        if (mend) mend_udp(frame);
        const std::uint64_t before = drops(reason);
        (void)net.inject(0, frame);
        EXPECT_EQ(drops(reason), before + 1) << "byte " << at;
    };
    constexpr std::size_t kMessage = 14 + 20 + 8;
    refused(14 + 15, DropReason::ControlUnexpected);  // another address
    refused(kMessage, DropReason::UdpBadChecksum, false);
    refused(kMessage, DropReason::ControlBadVersion);
    for (std::size_t at = kMessage + 6; at < good.size(); ++at)
        refused(at, DropReason::ControlBadTag);
    EXPECT_EQ(net.engine(0).counters().updates_sent, 1U);
}

TEST_F(NhmsChannel, AnAnswerToAnEarlierTransmissionDoesNotCount) {
    nhms.mute = true;
    traffic(100);  // sent several times by now
    ASSERT_GE(nhms.answers.size(), 3U);
    for (std::size_t i = 0; i + 1 < nhms.answers.size(); ++i)
        (void)net.inject(0, nhms.answers[i]);
    EXPECT_EQ(drops(DropReason::ControlReplayed), nhms.answers.size() - 1);
    const std::size_t before = nhms.numbers.size();
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(nhms.numbers.size(), before);  // it still does not know whom it speaks to
    (void)net.inject(0, nhms.answers.back());
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(nhms.numbers.size(), before + 1);
}

TEST_F(NhmsChannel, AnAcknowledgementCountsOnce) {
    traffic(100);
    const std::uint64_t acked = net.engine(0).counters().updates_acked;
    const Frame ack = answer_of(ControlType::UpdateAck);
    for (int i = 0; i < 3; ++i)
        (void)net.inject(0, ack);
    EXPECT_EQ(net.engine(0).counters().updates_acked, acked);
    EXPECT_EQ(drops(DropReason::ControlReplayed), 3U);
}

TEST_F(NhmsChannel, AnAcknowledgementOfAnotherBootIsNone) {
    traffic(50);
    nhms.mute = true;
    traffic(30);
    const std::uint64_t acked = net.engine(0).counters().updates_acked;
    // What no honest service does: it takes an update that was meant for another boot of it.
    for (auto it = net.captured().rbegin(); it != net.captured().rend(); ++it) {
        if (!it->seen.is(ControlType::Update)) continue;
        nhms.boot = BootId{0xb008};
        nhms.acknowledge(0, *it->seen.control);
        break;
    }
    (void)net.inject(0, nhms.answers.back());
    EXPECT_EQ(net.engine(0).counters().updates_acked, acked);
    EXPECT_EQ(drops(DropReason::ControlWrongBoot), 1U);
}

TEST_F(NhmsChannel, AServiceThatRestartedIsToldAgainWhatItDidNotAcknowledge) {
    traffic(100);
    nhms.mute = true;
    traffic(30);
    nhms.mute = false;
    nhms.boot = BootId{0xb008};
    nhms.numbers.clear();
    const std::uint64_t hellos = nhms.hellos;
    traffic(200);
    EXPECT_GE(nhms.hellos, hellos + 1);
    EXPECT_EQ(net.engine(0).counters().updates_sent, net.engine(0).counters().updates_acked);
    EXPECT_FALSE(nhms.numbers.empty());
}

TEST(NhmsChannelOfTracedPaths, AServiceThatRestartedIsToldWhichSessionsThereAreAndWhereTheyRun) {
    Network net;
    FakeNhms nhms{net};
    net.add_host([](eppc::EppcConfig& config) {
        config.nhms = FakeNhms::kEndpoint;
        config.update_interval = Duration::milliseconds(10);
        config.trace_paths = true;
    });
    net.add_host();
    net.line(0, 1).routers = {{Ipv4Address{0x0a010001}}};
    net.send_many(0, 1, 6000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(100));
    ASSERT_EQ(nhms.paths().size(), 4U);
    net.run_for(Duration::milliseconds(50));
    ASSERT_EQ(nhms.paths().size(), 4U);
    nhms.boot = BootId{0xb008};
    nhms.entries.clear();
    net.run_for(Duration::milliseconds(100));
    EXPECT_EQ(nhms.paths().size(), 4U);
    std::vector<std::uint8_t> states;
    for (const auto& entry : nhms.entries) {
        if (const auto* session = std::get_if<wire::SessionEntry>(&entry)) states.push_back(session->state);
    }
    EXPECT_EQ(states, std::vector{static_cast<std::uint8_t>(session::State::Active)});
}

TEST_F(NhmsChannel, NothingRecordedCountsAfterARestart) {
    traffic(100);
    nhms.direct(0, 1, investigate());
    net.run_for(Duration::milliseconds(5));
    ASSERT_EQ(nhms.results.size(), 1U);
    const std::vector<Frame> recorded = nhms.answers;  // hello, acknowledgements, directive
    net.run_for(Duration::milliseconds(200));
    net.restart(0);
    const auto replay = [&] {
        const std::uint64_t before = drops(DropReason::ControlWrongBoot);
        for (const Frame& frame : recorded)
            (void)net.inject(0, frame);
        EXPECT_EQ(drops(DropReason::ControlWrongBoot), before + recorded.size());
        EXPECT_EQ(nhms.results.size(), 1U);
    };
    replay();
    EXPECT_EQ(net.engine(0).next_deadline(), Time::never());  // not a trace of it
    EXPECT_EQ(net.engine(0).counters().control_received, 0U);
    traffic(100);  // now it has updates in flight, and a service that it knows
    ASSERT_GT(net.engine(0).counters().updates_acked, 0U);
    const std::uint64_t acked = net.engine(0).counters().updates_acked;
    replay();
    EXPECT_EQ(net.engine(0).counters().updates_acked, acked);
}

TEST_F(NhmsChannel, ADirectiveOfTheServicesEarlierBootIsRefused) {
    traffic(100);
    nhms.direct(0, 1, investigate());
    net.run_for(Duration::milliseconds(1));
    ASSERT_EQ(nhms.results.size(), 1U);
    const Frame recorded = answer_of(ControlType::Directive);
    nhms.boot = BootId{0xb008};
    traffic(100);  // and the EPPC has noticed
    net.run_for(Duration::milliseconds(100));
    const std::uint64_t tagged = net.engine(0).counters().tagged;
    (void)net.inject(0, recorded);
    traffic(20);
    EXPECT_EQ(nhms.results.size(), 1U);
    EXPECT_EQ(drops(DropReason::ControlWrongBoot), 1U);
    EXPECT_LT(net.engine(0).counters().tagged - tagged, 20U * 20 / 3);  // sampling stays at every 4th
}

TEST_F(NhmsChannel, ADirectiveBeforeTheFirstHelloIsRefused) {
    nhms.mute = true;
    traffic(20);
    nhms.direct(0, 1, investigate());
    (void)net.inject(0, nhms.answers.back());
    net.run_for(Duration::milliseconds(1));
    EXPECT_TRUE(nhms.results.empty());
    EXPECT_EQ(drops(DropReason::ControlWrongBoot), 1U);
}

TEST_F(NhmsChannel, ARepeatedDirectiveIsAnsweredAlikeAndNotDoneAgain) {
    traffic(100);
    nhms.direct(0, 1, investigate());
    traffic(20);
    ASSERT_EQ(nhms.results.size(), 1U);
    EXPECT_EQ(nhms.results[0].status, wire::DirectiveStatus::Done);
    ASSERT_TRUE(net.close_all());
    nhms.direct(0, 1, investigate());  // there is no session any more; what was done remains done
    net.run_for(Duration::milliseconds(1));
    ASSERT_EQ(nhms.results.size(), 2U);
    EXPECT_EQ(nhms.results[1], nhms.results[0]);
}

TEST_F(NhmsChannel, DirectivesMayOvertakeEachOtherWithinAWindow) {
    traffic(100);
    for (const std::uint32_t number : {100U, 37U, 99U})
        nhms.direct(0, number, investigate());
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(nhms.results.size(), 3U);
    nhms.direct(0, 36, investigate());
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(nhms.results.size(), 3U);
    EXPECT_EQ(drops(DropReason::ControlReplayed), 1U);
}

TEST(NhmsChannelState, ANewBootForgetsTheDirectivesOfTheOldOne) {
    eppc::NhmsChannel channel;
    EXPECT_FALSE(channel.is_current(BootId{0}));
    channel.learn(BootId{1});
    EXPECT_EQ(channel.take_directive(5), ReplayWindow::Verdict::New);
    channel.learn(BootId{1});
    EXPECT_EQ(channel.take_directive(5), ReplayWindow::Verdict::Repeated);
    channel.learn(BootId{2});
    EXPECT_TRUE(channel.is_current(BootId{2}));
    EXPECT_FALSE(channel.is_current(BootId{1}));
    EXPECT_EQ(channel.take_directive(5), ReplayWindow::Verdict::New);
}

}  // namespace
}  // namespace dyetrace::test
