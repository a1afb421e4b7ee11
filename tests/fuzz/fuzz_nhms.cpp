// SPDX-License-Identifier: GPL-2.0-or-later
// The health service on arbitrary datagrams and time. The input is a script: honest updates, updates with a
// right tag and any body, noise, restarts. Whatever an EPPC says, the service may not crash, hang or grow
// beyond its bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "tests/core/health/health_network.h"
#include "tests/fuzz/script.h"

namespace {

using namespace dyetrace;
using namespace dyetrace::health;
using test::Script;

std::vector<std::uint8_t> some(Script& script) {
    return script.take(script.u16() % 1400U);
}

NhmsConfig small() {
    NhmsConfig config = HealthNetwork::config();
    config.bounds.eppcs = 4;
    config.bounds.pairs = 4;
    config.bounds.sessions = 4;
    config.bounds.incidents = 2;
    config.bounds.outputs = 64;
    config.bounds.directives = 4;
    config.cover.interval = config.conclude_interval = Duration::milliseconds(50);
    return config;
}

/// Any message with a right tag, of host A or of the address that the script says.
void say(HealthNetwork& network, Script& script, Bytes body) {
    wire::ControlHeader header;
    header.type = static_cast<wire::ControlType>((script.u8() & 1) != 0 ? script.u8() : 32);
    header.session = SessionId{script.u16()};
    header.message_number = (script.u8() & 1) != 0 ? script.u16() : network.next_sequence++;
    header.sender_boot = (script.u8() & 7) != 0 ? network.host_boot : BootId{script.u8()};
    header.receiver_boot = (script.u8() & 7) != 0 ? network.service_boot : BootId{script.u8()};
    const bool host_a = (script.u8() & 3) != 0;
    const Ipv4Address from{host_a ? kHostA.value : 0x0a000000U + script.u8()};
    network.nhms.handle({from, HealthNetwork::kEppcPort}, HealthNetwork::seal(header, body, from),
                        network.now);
}

/// A genuine update with some bytes of its body changed.
std::vector<std::uint8_t> changed_body(HealthNetwork& network, Script& script) {
    wire::MetricsEntry metrics;
    metrics.peer = kHostB;
    metrics.session = SessionId{5};
    metrics.record.path = PathIndex{script.u8()};
    metrics.record.intervals = 1;
    metrics.record.sent = script.u16();
    metrics.record.received = script.u16();
    metrics.record.measured_ns = network.now.ns;
    wire::SessionEntry session;
    session.peer = kHostB;
    session.session = SessionId{5};
    session.state = script.u8() & 7;
    wire::PathEntry path;
    path.peer = kHostB;
    path.session = SessionId{5};
    path.path = PathIndex{script.u8()};
    path.hop_count = script.u8() % 4;
    for (std::uint16_t i = 0; i < path.hop_count; ++i)
        path.hops[i] = Ipv4Address{(script.u8() & 1) != 0 ? kLeft.value : 0x0a020000U + (script.u8() & 1)};
    path.complete = (script.u8() & 1) != 0;
    const wire::TrafficEntry traffic{Ipv4Address{kHostB.value + (script.u8() & 1)}, script.u16()};
    const std::vector<wire::UpdateEntry> entries{path, session, metrics, traffic};
    std::vector<std::uint8_t> body(wire::UpdateBody::encoded_size(entries));
    wire::UpdateBody::encode_into(body, entries);
    for (std::uint8_t n = script.u8() & 3; n > 0; --n)
        body[script.u16() % body.size()] ^= script.u8();
    return body;
}

void step(HealthNetwork& network, Script& script) {
    switch (script.u8() % 10) {
        case 0: return network.advance(Duration::microseconds(script.u16() * 10));
        case 1: return network.deliver(some(script));
        case 2: return say(network, script, some(script));
        case 3:
        case 4: {
            const auto body = changed_body(network, script);
            return say(network, script, body);
        }
        case 5: return network.learn_paths();
        case 6:
        case 7: return network.window(1 + script.u16(), script.u8() % 2);
        case 8: return network.answer_directive();
        default:
            if ((script.u8() & 1) != 0) return network.restart_service();
            network.host_boot = BootId{1U + script.u8()};
            network.next_sequence = 1;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Script script(Bytes(data, size));
    HealthNetwork network(small());
    for (int steps = 0; steps < 200 && !script.done(); ++steps) {
        step(network, script);
        if (network.nhms.next_deadline() <= network.now) network.nhms.advance(network.now);
        DYETRACE_ASSERT(network.nhms.next_deadline() > network.now);
        network.collect();
        network.outputs.clear();
        if (network.datagrams.size() > 64) network.datagrams.clear();
    }
    return 0;
}
