// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/eppc/fake_nhms.h"

#include "core/auth/seal.h"
#include "core/eppc/packet_builder.h"
#include "core/wire/ethernet.h"
#include "core/wire/udp.h"

namespace dyetrace::test {

FakeNhms::FakeNhms(Network& network, const Endpoint& endpoint) : network_(network), endpoint_(endpoint) {
    network.set_service(endpoint_.address, [this](Bytes frame, std::size_t host) { receive(frame, host); });
}

void FakeNhms::receive(Bytes frame, std::size_t host) {
    if (!up) return;
    const SeenPacket seen = look_at(frame);
    const Bytes datagram = frame.subspan(outer_udp_of(frame));
    const auto udp = wire::UdpHeader::parse(datagram, datagram.size());
    const auto message = wire::ControlMessage::parse(datagram.subspan(wire::UdpHeader::kSize));
    const eppc::EppcConfig& config = network_.host(host).config;
    const auth::PairKey key = auth::derive_pair_key(*config.key, config.address, endpoint_.address);
    if (!udp.ok() || udp->destination_port != endpoint_.port || udp->checksum == 0 ||
        !wire::udp_checksum_ok(seen.ip.source, seen.ip.destination, datagram) || !message.ok() ||
        !auth::control_tag_ok(key, seen.source(), seen.destination(), *message)) {
        ++malformed;
        return;
    }
    boots_.resize(std::max(boots_.size(), host + 1));
    boots_[host] = message->header.sender_boot;
    if (message->header.type == wire::ControlType::DirectiveResult) {
        const auto result = wire::DirectiveResultBody::parse(message->body);
        if (result.ok() && message->header.receiver_boot == boot) results.push_back(*result);
        return;
    }
    if (message->header.receiver_boot != boot && message->header.type == wire::ControlType::Update) {
        ++hellos;
        return answer(host, wire::ControlType::NhmsHello, message->header, {});
    }
    std::vector<wire::UpdateEntry> news;
    if (message->header.type != wire::ControlType::Update || !wire::UpdateBody::parse(message->body, news)) {
        ++malformed;
        return;
    }
    numbers.push_back(message->header.message_number);
    challenges.push_back(message->header.session.value);
    if (seen_.emplace(message->header.sender_boot.value, message->header.message_number).second)
        entries.insert(entries.end(), news.begin(), news.end());
    answer(host, wire::ControlType::UpdateAck, message->header, {});
}

void FakeNhms::answer(std::size_t host, wire::ControlType type, const wire::ControlHeader& to, Bytes body) {
    const eppc::EppcConfig& config = network_.host(host).config;
    wire::ControlHeader header;
    header.type = type;
    header.key_id = config.key_id;
    header.session = to.session;
    header.message_number = to.message_number;
    header.sender_boot = boot;
    header.receiver_boot = boots_.at(host);
    const auth::PairKey key = auth::derive_pair_key(*config.key, config.address, endpoint_.address);
    eppc::ControlRoute route;
    route.next_hop_mac = config.mac;
    route.source = endpoint_;
    route.destination = {config.address, config.management_port};
    const auto message = auth::seal(header, body, key, route.source, route.destination);
    answers.push_back(eppc::build_datagram(route, message));
    for (int i = 0; i < repeat_answers && !mute; ++i)
        network_.deliver_later(host, answers.back(), Duration::microseconds(10));
}

void FakeNhms::direct(std::size_t host, std::uint32_t number, const wire::DirectiveBody& directive) {
    std::vector<std::uint8_t> body(directive.encoded_size());
    directive.encode_into(body);
    wire::ControlHeader numbered;
    numbered.message_number = number;
    answer(host, wire::ControlType::Directive, numbered, body);
}

std::optional<wire::MetricsEntry> FakeNhms::newest_metrics(IpAddress peer, PathIndex path) const {
    std::optional<wire::MetricsEntry> newest;
    for (const auto& entry : entries) {
        const auto* metrics = std::get_if<wire::MetricsEntry>(&entry);
        if (metrics == nullptr || metrics->peer != peer || metrics->record.path != path) continue;
        // Updates come again and out of order after an outage; totals carry the time at which they were
        // measured.
        if (!newest || metrics->record.measured_ns >= newest->record.measured_ns) newest = *metrics;
    }
    return newest;
}

std::vector<wire::PathEntry> FakeNhms::paths() const {
    std::vector<wire::PathEntry> found;
    for (const auto& entry : entries) {
        if (const auto* path = std::get_if<wire::PathEntry>(&entry)) found.push_back(*path);
    }
    return found;
}

}  // namespace dyetrace::test
