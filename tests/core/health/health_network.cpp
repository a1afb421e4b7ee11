// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/health/health_network.h"

namespace dyetrace::health {
namespace {

constexpr SessionId kSession{5};

localise::FabricGraph make_graph() {
    localise::FabricGraph graph;
    using Kind = localise::NodeKind;
    const auto a = graph.add_node("host-a", Kind::Host, kHostA);
    const auto b = graph.add_node("host-b", Kind::Host, kHostB);
    const auto left = graph.add_node("left", Kind::Switch, kLeft);
    const auto right = graph.add_node("right", Kind::Switch, kRight);
    const auto join = [&](localise::NodeId one, localise::NodeId other) {
        graph.add_link(one, other);
        graph.add_link(other, one);
    };
    join(a, left);
    join(right, b);
    for (int i = 0; i < 2; ++i) {
        const auto spine = graph.add_node("spine-" + std::to_string(i), Kind::Switch, kSpine[i]);
        join(left, spine);
        join(spine, right);
    }
    return graph;
}

}  // namespace

NhmsConfig HealthNetwork::config() {
    NhmsConfig config;
    config.endpoint = {kNhms, NhmsConfig::kPortDefault};
    config.key = key();
    config.evaluate_interval = Duration::milliseconds(20);
    config.investigation = Duration::milliseconds(400);
    return config;
}

auth::SharedKey HealthNetwork::key() {
    auth::SharedKey key{};
    key.fill(0x5a);
    return key;
}

HealthNetwork::HealthNetwork(const NhmsConfig& with)
    : given(with), nhms(Nhms::create(given, make_graph(), service_boots, Time{}).value()) {
    greet();
}

void HealthNetwork::greet() {
    collect();
    wire::ControlHeader header;
    header.type = wire::ControlType::Update;
    header.session = SessionId{0xc4a11e};
    header.message_number = next_sequence;
    header.sender_boot = host_boot;
    const std::vector<wire::UpdateEntry> nothing;
    std::vector<std::uint8_t> body(wire::UpdateBody::encoded_size(nothing));
    wire::UpdateBody::encode_into(body, nothing);
    deliver(seal(header, body));
    const auto hello = nhms.poll();
    DYETRACE_ASSERT(hello && std::holds_alternative<Datagram>(*hello));
    const auto message = wire::ControlMessage::parse(std::get<Datagram>(*hello).bytes);
    DYETRACE_ASSERT(message.ok() && message->header.type == wire::ControlType::NhmsHello);
    service_boot = message->header.sender_boot;
    DYETRACE_ASSERT(!nhms.poll());
}

void HealthNetwork::restart_service() {
    nhms = Nhms::create(given, make_graph(), ++service_boots, now).value();
}

void HealthNetwork::restart_host(BootId boot) {
    host_boot = boot;
    next_sequence = 1;
    greet();
}

std::vector<std::uint8_t> HealthNetwork::seal(wire::ControlHeader header, Bytes body, IpAddress from) {
    header.key_id = KeyId{1};
    return auth::seal(header, body, auth::derive_pair_key(key(), from, kNhms), {from, kEppcPort},
                      {kNhms, NhmsConfig::kPortDefault});
}

std::vector<std::uint8_t> HealthNetwork::update(const std::vector<wire::UpdateEntry>& entries) {
    wire::ControlHeader header;
    header.type = wire::ControlType::Update;
    header.session = SessionId{0x1000 + next_sequence};
    header.message_number = next_sequence++;
    header.sender_boot = host_boot;
    header.receiver_boot = service_boot;
    std::vector<std::uint8_t> body(wire::UpdateBody::encoded_size(entries));
    wire::UpdateBody::encode_into(body, entries);
    return seal(header, body);
}

void HealthNetwork::learn_paths() {
    std::vector<wire::UpdateEntry> entries;
    for (int i = 0; i < kPaths; ++i) {
        wire::PathEntry path;
        path.peer = kHostB;
        path.session = kSession;
        path.path = PathIndex{static_cast<std::uint16_t>(i)};
        path.complete = true;
        path.source_port = static_cast<std::uint16_t>(49152 + i);
        path.traced_ns = now.ns;
        path.hop_count = 3;
        path.hops[0] = kLeft;
        path.hops[1] = kSpine[i % 2];
        path.hops[2] = kRight;
        entries.emplace_back(path);
    }
    deliver(update(entries));
    collect();
}

void HealthNetwork::window(std::uint64_t packets, std::uint64_t lost) {
    now = now + Duration::milliseconds(20);
    std::vector<wire::UpdateEntry> entries;
    for (int i = 0; i < kPaths; ++i) {
        wire::PathRecord& record = records_[i];
        record.path = PathIndex{static_cast<std::uint16_t>(i)};
        record.intervals = 1;
        record.flags = wire::PathRecord::kFlagOpen;
        record.sent += packets;
        record.received += packets - (i % 2 == 0 ? lost : 0);
        record.measured_ns = now.ns;
        entries.emplace_back(wire::MetricsEntry{kHostB, kSession, record});
    }
    deliver(update(entries));
    if (nhms.next_deadline() <= now) nhms.advance(now);
    collect();
}

void HealthNetwork::advance(Duration by) {
    now = now + by;
    if (nhms.next_deadline() <= now) nhms.advance(now);
    collect();
}

void HealthNetwork::collect() {
    while (auto output = nhms.poll()) {
        if (auto* datagram = std::get_if<Datagram>(&*output)) {
            datagrams.emplace_back(datagram->bytes.begin(), datagram->bytes.end());
            datagram->bytes = {};
        }
        outputs.push_back(std::move(*output));
    }
}

void HealthNetwork::answer_directive() {
    for (auto it = datagrams.rbegin(); it != datagrams.rend(); ++it) {
        const auto message = wire::ControlMessage::parse(*it);
        if (!message || message->header.type != wire::ControlType::Directive) continue;
        wire::ControlHeader header;
        header.type = wire::ControlType::DirectiveResult;
        header.message_number = message->header.message_number;
        header.sender_boot = host_boot;
        header.receiver_boot = message->header.sender_boot;
        const wire::DirectiveResultBody result{wire::DirectiveStatus::Done, 1, kPaths};
        std::vector<std::uint8_t> body(wire::DirectiveResultBody::kSize);
        result.encode_into(body);
        results.push_back(seal(header, body));
        deliver(results.back());
        collect();
        return;
    }
}

std::vector<IncidentStep> HealthNetwork::steps() const {
    std::vector<IncidentStep> steps;
    for (const IncidentChanged& change : all<IncidentChanged>())
        steps.push_back(change.step);
    return steps;
}

}  // namespace dyetrace::health
