// SPDX-License-Identifier: GPL-2.0-or-later
// Nothing recorded on the way to the health service counts again, whoever has restarted since.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/replay_window.h"
#include "tests/core/health/health_network.h"

namespace dyetrace::health {
namespace {

using wire::ControlType;
using wire::DropReason;
using Datagrams = std::vector<std::vector<std::uint8_t>>;

wire::UpdateEntry record(std::uint64_t sent, std::uint64_t received) {
    wire::MetricsEntry entry;
    entry.peer = kHostB;
    entry.session = SessionId{5};
    entry.record.intervals = 1;
    entry.record.sent = sent;
    entry.record.received = received;
    return entry;
}

struct NhmsFreshness : ::testing::Test {
    HealthNetwork network;

    [[nodiscard]] std::vector<ControlType> answers() const {
        std::vector<ControlType> types;
        for (const auto& bytes : network.datagrams)
            types.push_back(wire::ControlMessage::parse(bytes)->header.type);
        return types;
    }
    /// All that the service says is to be hellos, no longer than what they answer; it takes nothing.
    void expect_refused(const Datagrams& recorded, std::uint64_t wrong_boots) {
        const NhmsCounters before = network.nhms.counters();
        const std::uint64_t dropped = network.nhms.drops().count(DropReason::ControlWrongBoot);
        const std::size_t outputs = network.outputs.size();
        const Time deadline = network.nhms.next_deadline();
        for (const auto& datagram : recorded) {
            network.datagrams.clear();
            network.deliver(datagram);
            network.collect();
            ASSERT_LE(network.datagrams.size(), 1U);
            for (const auto& answer : network.datagrams) {
                EXPECT_EQ(wire::ControlMessage::parse(answer)->header.type, ControlType::NhmsHello);
                EXPECT_LE(answer.size(), datagram.size());
            }
        }
        const NhmsCounters& after = network.nhms.counters();
        EXPECT_EQ(network.nhms.drops().count(DropReason::ControlWrongBoot), dropped + wrong_boots);
        EXPECT_EQ(after.updates, before.updates);
        EXPECT_EQ(after.updates_repeated, before.updates_repeated);
        EXPECT_EQ(after.records, before.records);
        EXPECT_EQ(network.nhms.next_deadline(), deadline);
        for (std::size_t i = outputs; i < network.outputs.size(); ++i)
            EXPECT_TRUE(std::holds_alternative<Datagram>(network.outputs[i])) << "output " << i;
    }
};

TEST_F(NhmsFreshness, AnUpdateThatNamesNoBootIsAnsweredByAHelloAndNotTaken) {
    network.service_boot = BootId{};
    const auto update = network.update({record(10, 10)});
    expect_refused({update}, 0);
    ASSERT_EQ(network.datagrams.size(), 1U);
    const auto hello = wire::ControlMessage::parse(network.datagrams[0]);
    const auto asked = wire::ControlMessage::parse(update);
    EXPECT_EQ(hello->header.session, asked->header.session);  // the challenge
    EXPECT_EQ(hello->header.message_number, asked->header.message_number);
    EXPECT_EQ(hello->header.receiver_boot, HealthNetwork::kBoot);
    EXPECT_TRUE(hello->body.empty());
    network.service_boot = hello->header.sender_boot;
    network.deliver(network.update({record(10, 10)}));
    EXPECT_EQ(network.nhms.counters().records, 1U);
}

TEST_F(NhmsFreshness, AnAcknowledgementRepeatsNumberAndChallenge) {
    const auto update = network.update({});
    network.deliver(update);
    network.collect();
    ASSERT_EQ(answers(), std::vector{ControlType::UpdateAck});
    const auto ack = wire::ControlMessage::parse(network.datagrams[0]);
    const auto asked = wire::ControlMessage::parse(update);
    EXPECT_EQ(ack->header.session, asked->header.session);
    EXPECT_EQ(ack->header.message_number, asked->header.message_number);
    EXPECT_EQ(ack->header.sender_boot, asked->header.receiver_boot);
    EXPECT_EQ(ack->header.receiver_boot, asked->header.sender_boot);
}

TEST_F(NhmsFreshness, RecordedUpdatesAreRefusedByAServiceThatRestarted) {
    Datagrams recorded;
    for (int i = 1; i <= 100; ++i) {
        recorded.push_back(network.update({record(static_cast<std::uint64_t>(i), 0)}));
        network.deliver(recorded.back());
    }
    EXPECT_EQ(network.nhms.counters().records, 100U);
    network.restart_service();
    network.outputs.clear();
    expect_refused(recorded, 100);
    network.greet();
    network.deliver(network.update({}));  // also while the same host is known
    network.advance(Duration::seconds(1));
    expect_refused(recorded, 100);
}

TEST_F(NhmsFreshness, RecordedUpdatesOfAHostsEarlierBootsAreRefused) {
    Datagrams recorded;
    for (std::uint64_t boot = 100; boot < 110; ++boot) {
        network.restart_host(BootId{boot});
        recorded.push_back(network.update({record(boot, 0)}));
        network.deliver(recorded.back());
    }
    network.restart_host(BootId{200});
    network.deliver(network.update({}));
    network.advance(Duration::seconds(1));
    expect_refused(recorded, recorded.size());
    network.deliver(network.update({record(1, 1)}));  // and the boot that is current stays it
    EXPECT_EQ(network.nhms.counters().records, 11U);
}

TEST_F(NhmsFreshness, AnUpdateOfTheSameBootsIsTakenOnce) {
    const auto update = network.update({record(10, 0)});
    for (int i = 0; i < 5; ++i)
        network.deliver(update);
    EXPECT_EQ(network.nhms.counters().records, 1U);
    EXPECT_EQ(network.nhms.counters().updates_repeated, 4U);
    for (std::uint32_t i = 0; i < ReplayWindow::kWidth; ++i)
        network.deliver(network.update({}));
    network.collect();
    network.datagrams.clear();
    network.deliver(update);  // nobody remembers it, so nobody may take it for new
    network.collect();
    EXPECT_TRUE(network.datagrams.empty());
    EXPECT_EQ(network.nhms.counters().records, 1U);
    EXPECT_EQ(network.nhms.drops().count(DropReason::ControlReplayed), 1U);
}

TEST_F(NhmsFreshness, UnprovenHostsLeaveNothingBehind) {
    NhmsConfig config = HealthNetwork::config();
    config.bounds.eppcs = 1;
    HealthNetwork small(config);  // whose host has asked, and was not entered
    wire::ControlHeader header;
    header.type = ControlType::Update;
    header.message_number = 1;
    header.sender_boot = BootId{5};
    const std::vector<std::uint8_t> body(wire::UpdateBody::kHeaderSize);
    for (std::uint32_t i = 0; i < 100; ++i) {
        const IpAddress stranger = Ipv4Address{0x0a0a0000 + i};
        small.nhms.handle({stranger, 46082}, HealthNetwork::seal(header, body, stranger), small.now);
    }
    small.deliver(small.update({record(1, 1)}));
    EXPECT_EQ(small.nhms.counters().records, 1U);
    EXPECT_EQ(small.nhms.drops().total(), 0U);
}

struct NhmsDirectives : NhmsFreshness {
    NhmsDirectives() {
        network.learn_paths();
        for (int i = 0; i < 10 && network.all<DirectiveSent>().empty(); ++i)
            network.window(1000, 10);
        EXPECT_FALSE(network.all<DirectiveSent>().empty());
    }
    [[nodiscard]] wire::ControlHeader last_directive() const {
        for (auto it = network.datagrams.rbegin(); it != network.datagrams.rend(); ++it) {
            const auto message = wire::ControlMessage::parse(*it);
            if (message->header.type == ControlType::Directive) return message->header;
        }
        ADD_FAILURE() << "no directive";
        return {};
    }
};

TEST_F(NhmsDirectives, NameBothBootsAndAreNumberedFromOne) {
    const wire::ControlHeader header = last_directive();
    EXPECT_EQ(header.sender_boot, network.service_boot);
    EXPECT_EQ(header.receiver_boot, HealthNetwork::kBoot);
    EXPECT_EQ(header.message_number, network.all<DirectiveSent>().size());
}

TEST_F(NhmsDirectives, AResultCountsOnceAndOnlyBetweenTheSameBoots) {
    const auto answered = [&] { return network.all<DirectiveAnswered>().size(); };
    wire::ControlHeader header;
    header.type = ControlType::DirectiveResult;
    header.message_number = last_directive().message_number;
    header.sender_boot = BootId{HealthNetwork::kBoot.value + 1};
    header.receiver_boot = network.service_boot;
    std::vector<std::uint8_t> body(wire::DirectiveResultBody::kSize);
    wire::DirectiveResultBody{wire::DirectiveStatus::Done, 1, 1}.encode_into(body);
    network.deliver(HealthNetwork::seal(header, body));
    header.sender_boot = HealthNetwork::kBoot;
    header.receiver_boot = BootId{network.service_boot.value + 2};
    network.deliver(HealthNetwork::seal(header, body));
    network.collect();
    EXPECT_EQ(answered(), 0U);
    EXPECT_EQ(network.nhms.drops().count(DropReason::ControlWrongBoot), 2U);
    network.answer_directive();
    EXPECT_EQ(answered(), 1U);
    network.deliver(network.results.back());
    network.collect();
    EXPECT_EQ(answered(), 1U);
    EXPECT_EQ(network.nhms.drops().count(DropReason::ControlUnexpected), 1U);
}

TEST_F(NhmsDirectives, RecordedResultsMeanNothingToAServiceThatRestarted) {
    network.answer_directive();
    network.restart_service();
    network.deliver(network.results.back());
    EXPECT_EQ(network.nhms.drops().count(DropReason::ControlWrongBoot), 1U);
    network.greet();
    network.deliver(network.update({}));
    network.deliver(network.results.back());
    EXPECT_EQ(network.nhms.drops().count(DropReason::ControlWrongBoot), 2U);
}

TEST_F(NhmsDirectives, FollowAHostThatRestarts) {
    network.restart_host(BootId{500});
    network.deliver(network.update({}));
    network.collect();
    network.datagrams.clear();
    network.advance(Duration::milliseconds(60));
    const wire::ControlHeader header = last_directive();
    EXPECT_EQ(header.receiver_boot, BootId{500});
    EXPECT_EQ(header.sender_boot, network.service_boot);
}

TEST(NhmsForgetting, ADirectiveToAHostThatGaveWayIsUnanswered) {
    NhmsConfig config = HealthNetwork::config();
    config.bounds.eppcs = 1;
    config.bounds.forget_after = Duration::milliseconds(30);
    HealthNetwork network(config);
    network.learn_paths();
    for (int i = 0; i < 10 && network.all<DirectiveSent>().empty(); ++i)
        network.window(1000, 10);
    ASSERT_FALSE(network.all<DirectiveSent>().empty());
    // Another host asks what to name, and names it.
    network.now = network.now + config.bounds.forget_after;
    wire::ControlHeader header;
    header.type = ControlType::Update;
    header.message_number = 1;
    header.sender_boot = BootId{5};
    const std::vector<std::uint8_t> body(wire::UpdateBody::kHeaderSize);
    for (int i = 0; i < 2; ++i) {
        network.nhms.handle({kHostB, 46082}, HealthNetwork::seal(header, body, kHostB), network.now);
        network.collect();
        header.receiver_boot = wire::ControlMessage::parse(network.datagrams.back())->header.sender_boot;
    }
    ASSERT_EQ(network.nhms.counters().eppcs_forgotten, 1U);
    network.advance(config.directive_retry);
    EXPECT_EQ(network.nhms.counters().directives_unanswered, network.all<DirectiveSent>().size());
    EXPECT_EQ(network.nhms.drops().total(), 0U);
}

}  // namespace
}  // namespace dyetrace::health
