// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/eppc/two_engines.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "core/base/random.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"
#include "core/wire/icmpv6.h"
#include "core/wire/ipv6.h"
#include "core/wire/session_messages.h"

namespace dyetrace::test {

using eppc::Decapsulated;
using wire::EthernetHeader;
using wire::Ipv4Header;

namespace {

class PcapFile {
  public:
    explicit PcapFile(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
        DYETRACE_ASSERT(file_ != nullptr);
        // Nanoseconds, in this machine's byte order, version 2.4, Ethernet.
        for (const std::uint32_t word : {0xa1b23c4dU, 4U << 16 | 2U, 0U, 0U, 65535U, 1U})
            put(word);
    }
    ~PcapFile() { std::fclose(file_); }
    PcapFile(const PcapFile&) = delete;
    PcapFile& operator=(const PcapFile&) = delete;

    void add(Time at, Bytes frame) {
        put(static_cast<std::uint32_t>(at.ns / 1'000'000'000));
        put(static_cast<std::uint32_t>(at.ns % 1'000'000'000));
        put(static_cast<std::uint32_t>(frame.size()));
        put(static_cast<std::uint32_t>(frame.size()));
        std::fwrite(frame.data(), 1, frame.size(), file_);
    }

  private:
    void put(std::uint32_t value) { std::fwrite(&value, sizeof value, 1, file_); }

    std::FILE* file_;
};

}  // namespace

std::vector<std::uint8_t> time_exceeded_frame(IpAddress router, const eppc::EppcConfig& config, Bytes frame) {
    // A router counts down to zero before it finds that out; its quote shows that.
    std::vector<std::uint8_t> died(frame.begin() + EthernetHeader::kSize, frame.end());
    std::vector<std::uint8_t> message(wire::kIcmpv6SizeMost);
    if (router.is_ipv4()) {
        died[8] = 0;
        message.resize(wire::encode_icmp_time_exceeded(died, message));
    } else {
        died[7] = 0;
        message.resize(wire::encode_icmpv6_time_exceeded(router, config.address, died, message));
    }
    std::vector<std::uint8_t> answer(EthernetHeader::kSize + wire::ip_header_size(router));
    const MutableBytes packet = MutableBytes(answer).subspan(EthernetHeader::kSize);
    EthernetHeader{config.mac, config.gateway_mac,
                   router.is_ipv4() ? wire::kEtherTypeIpv4 : wire::kEtherTypeIpv6}
        .encode_into(answer);
    if (router.is_ipv4()) {
        Ipv4Header ip;
        ip.total_length = static_cast<std::uint16_t>(packet.size() + message.size());
        ip.protocol = wire::kProtocolIcmp;
        ip.source = router.ipv4();
        ip.destination = config.address.ipv4();
        ip.encode_into(packet);
    } else {
        wire::Ipv6Header ip;
        ip.payload_length = static_cast<std::uint16_t>(message.size());
        ip.next_header = wire::kProtocolIcmpv6;
        ip.source = router;
        ip.destination = config.address;
        ip.encode_into(packet);
    }
    answer.insert(answer.end(), message.begin(), message.end());
    return answer;
}

std::optional<wire::PathRecord> Host::newest(IpAddress peer, SessionId session, PathIndex path,
                                             std::optional<PathGeneration> generation) const {
    for (auto it = metrics.rbegin(); it != metrics.rend(); ++it) {
        if (it->peer == peer && it->session == session && it->record.path == path &&
            (!generation || it->record.generation == *generation)) {
            return it->record;
        }
    }
    return std::nullopt;
}

int Host::entered(session::Role role, session::State state) const {
    return static_cast<int>(std::count_if(changes.begin(), changes.end(),
                                          [&](const auto& c) { return c.role == role && c.to == state; }));
}

std::size_t Network::add_host(const Configure& configure, const HostClock& clock) {
    const std::size_t index = hosts_.size();
    auto host = std::make_unique<Host>();
    const auto number = static_cast<std::uint32_t>(index + 1);
    eppc::EppcConfig& config = host->config;
    config.address = Ipv4Address{0x0a000000 + number};
    config.mac = MacAddress::from_integer(0x020000000000 + number);
    config.gateway_mac = MacAddress::from_integer(0x02ffffffffff);
    config.key = auth::SharedKey{};
    config.key->fill(0x42);
    config.path_count = 4;
    config.sampling = wire::SamplingSpec::every_nth(4);
    config.report_interval = Duration::milliseconds(10);
    config.path_idle = Duration::milliseconds(20);
    config.trace_paths = false;
    host->guest_mac = MacAddress::from_integer(0x020100000000 + number);
    host->guest_address = Ipv4Address{0xc0a80000 + number};
    host->clock = clock;
    if (configure) configure(config);
    hosts_.push_back(std::move(host));
    create_engine(index);
    for (std::size_t other = 0; other < index; ++other) {
        introduce(index, other);
        introduce(other, index);
    }
    return index;
}

void Network::create_engine(std::size_t index) {
    Host& host = *hosts_[index];
    auto engine = eppc::Eppc::create(host.config, mix64(seed_ * 1000 + ++boots_), clock_of(index));
    if (!engine) std::fprintf(stderr, "%s\n", engine.error().c_str());
    host.engine.emplace(std::move(engine).value());
    DYETRACE_ASSERT(host.engine->add_guest(kGuestPort, kVni, host.guest_mac).ok());
}

void Network::introduce(std::size_t one, std::size_t other) {
    DYETRACE_ASSERT(engine(one).add_peer(hosts_[other]->config.address, peer_options).ok());
    DYETRACE_ASSERT(
        engine(one).add_remote(kVni, hosts_[other]->guest_mac, hosts_[other]->config.address).ok());
}

void Network::restart(std::size_t index) {
    create_engine(index);
    for (std::size_t other = 0; other < hosts_.size(); ++other) {
        if (other != index) introduce(index, other);
    }
}

Line& Network::line(std::size_t from, std::size_t to) {
    for (auto& [ends, line] : lines_) {
        if (ends == std::pair{from, to}) return line;
    }
    return lines_.emplace_back(std::pair{from, to}, Line{}).second;
}

std::optional<std::size_t> Network::find_host(IpAddress address) const {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (hosts_[i]->config.address == address) return i;
    }
    return std::nullopt;
}

wire::Refusal Network::send(std::size_t from, std::size_t to, std::uint16_t flow, std::size_t payload,
                            wire::Ecn ecn) {
    GuestPacket packet;
    packet.source_mac = hosts_[from]->guest_mac;
    packet.destination_mac = hosts_[to]->guest_mac;
    packet.source = hosts_[from]->guest_address;
    packet.destination = hosts_[to]->guest_address;
    packet.source_port = static_cast<std::uint16_t>(10000 + flow);
    packet.payload = payload;
    packet.ecn = ecn;
    return send_frame(from, kGuestPort, packet.frame());
}

wire::Refusal Network::send_frame(std::size_t from, GuestPort port, Bytes frame) {
    OwnedFrame owned(frame, eppc::Eppc::kHeadroom);
    const auto refused = engine(from).encapsulate(port, owned.buffer, clock_of(from));
    if (!refused) transmit(from, owned.bytes());
    settle(from);
    return refused;
}

void Network::send_many(std::size_t from, std::size_t to, int count, Duration gap, std::uint16_t flows) {
    for (int i = 0; i < count; ++i) {
        at(now_ + gap * i, [this, from, to, i, flows] {
            if (hosts_[from]->up) (void)send(from, to, static_cast<std::uint16_t>(i % flows));
        });
    }
}

Decapsulated Network::inject(std::size_t to, Bytes frame) {
    OwnedFrame owned(frame, eppc::Eppc::kHeadroom);
    const Decapsulated result = engine(to).decapsulate(owned.buffer, clock_of(to));
    if (result.kind == Decapsulated::Kind::Deliver) hosts_[to]->delivered.push_back(owned.bytes());
    if (result.kind == Decapsulated::Kind::Relay) transmit(to, owned.bytes());
    settle(to);
    return result;
}

void Network::at(Time when, std::function<void()> what) {
    DYETRACE_ASSERT(when >= now_);
    events_.push({when, order_++, std::move(what)});
}

void Network::settle(std::size_t index) {
    Host& host = *hosts_[index];
    const Time clock = clock_of(index);
    if (host.engine->next_deadline() <= clock) {
        host.engine->advance(clock);
        // What is due was done; an engine that says otherwise would spin for ever.
        DYETRACE_ASSERT(host.engine->next_deadline() > clock);
    }
    while (auto output = host.engine->poll()) {
        if (const auto* frame = std::get_if<eppc::Transmit>(&*output)) {
            transmit(index, {frame->bytes.begin(), frame->bytes.end()});
        } else if (const auto* change = std::get_if<eppc::SessionChanged>(&*output)) {
            host.changes.push_back(*change);
        } else if (const auto* metrics = std::get_if<eppc::MetricsReported>(&*output)) {
            host.metrics.push_back(*metrics);
        } else if (auto* timing = std::get_if<eppc::TimingReported>(&*output)) {
            host.timings.push_back(std::move(*timing));
        }
    }
}

void Network::run_until(Time end) {
    while (true) {
        Time next = end;
        std::optional<std::size_t> due;
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            if (!hosts_[i]->up) continue;
            const Time deadline = hosts_[i]->engine->next_deadline();
            if (deadline == Time::never()) continue;
            const Time here = hosts_[i]->clock.when(deadline, now_);
            if (here < next) next = here, due = i;
        }
        if (!events_.empty() && events_.top().at <= next) {
            const Event event = events_.top();
            events_.pop();
            now_ = event.at;
            event.run();
        } else if (due) {
            now_ = next;
            settle(*due);
        } else {
            now_ = end;
            return;
        }
    }
}

bool Network::close_all(Duration most) {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        engine(i).close_sessions(clock_of(i));
        settle(i);
    }
    const auto busy = [this] {
        return std::any_of(hosts_.begin(), hosts_.end(), [](const auto& host) {
            return host->engine->is_draining() || !host->engine->sessions().empty();
        });
    };
    const Time limit = now_ + most;
    while (busy() && now_ < limit)
        run_for(Duration::milliseconds(1));
    return !busy();
}

void Network::set_service(IpAddress address, Service service) {
    services_.emplace_back(address, std::move(service));
}

void Network::note_accept(const SeenPacket& seen) {
    const auto accept = wire::AcceptBody::parse(seen.body);
    const auto host = find_host(seen.ip.source);
    if (!accept || !host) return;
    const wire::ControlHeader& header = *seen.control;
    const auto pair = auth::derive_pair_key(hosts_[*host]->config.key.value_or(auth::SharedKey{}),
                                            seen.ip.source, seen.ip.destination);
    session_keys_[{header.receiver_boot.value, header.sender_boot.value, header.session.value}] =
        auth::derive_session_keys(
            pair, {seen.ip.destination, seen.ip.source, header.receiver_boot, header.sender_boot,
                   accept->requester_nonce, accept->acceptor_nonce, header.session});
}

std::optional<auth::ControlKey> Network::control_key(const wire::ControlHeader& header, IpAddress source,
                                                     IpAddress destination) const {
    if (wire::is_handshake(header.type) || header.type >= wire::ControlType::Update) {
        const auto host = find_host(source) ? find_host(source) : find_host(destination);
        if (!host) return std::nullopt;
        return auth::derive_pair_key(hosts_[*host]->config.key.value_or(auth::SharedKey{}), source,
                                     destination);
    }
    const auto [requester, acceptor] = header.from_acceptor
                                           ? std::pair{header.receiver_boot, header.sender_boot}
                                           : std::pair{header.sender_boot, header.receiver_boot};
    const auto it = session_keys_.find({requester.value, acceptor.value, header.session.value});
    return it == session_keys_.end() ? std::nullopt : std::optional{it->second.control};
}

void Network::seal_anew(std::vector<std::uint8_t>& frame) const {
    if (frame.size() < kGenevePayload) return;
    const MutableBytes bytes(frame);
    const auto message = wire::ControlMessage::parse(bytes.subspan(kGenevePayload));
    const SeenPacket seen = look_at(frame);
    if (!message || !seen.control) return;
    const auto key = control_key(message->header, seen.ip.source, seen.ip.destination);
    if (!key) return;
    const auto tag = auth::control_tag(*key, seen.source(), seen.destination(), message->tagged);
    std::copy(tag.begin(), tag.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(kGenevePayload + message->tagged.size()));
    store_u16(&bytes[kOuterUdp + 6], 0);  // zero says that there is no checksum (RFC 768)
}

void Network::transmit(std::size_t from, std::vector<std::uint8_t> frame) {
    const SeenPacket seen = look_at(frame);
    if (seen.is(wire::ControlType::Accept)) note_accept(seen);
    digest_ = mix64(digest_ ^ static_cast<std::uint64_t>(now_.ns) ^ from << 56);
    for (const std::uint8_t byte : frame)
        digest_ = mix64(digest_ + byte);
    const std::uint64_t id = packets_++;
    const auto to = find_host(seen.ip.destination);
    if (keep_capture)
        captured_.push_back({id, now_, clock_of(from), from, to.value_or(from), frame, seen, std::nullopt});
    if (!to) {
        for (const auto& [address, service] : services_) {
            if (address != seen.ip.destination) continue;
            at(now_ + Duration::microseconds(10),
               [&service = service, frame, from] { service(frame, from); });
        }
        return;
    }
    Line& way = line(from, *to);
    Fate fate;
    Transit transit{way.carried++, seen, frame};
    if (way.hook) fate = way.hook(transit);
    for (int copy = 0; copy < fate.copies; ++copy)
        carry(from, *to, frame, id, fate.extra_delay);
}

void Network::carry(std::size_t from, std::size_t to, std::vector<std::uint8_t> frame, std::uint64_t id,
                    Duration extra) {
    Line& way = line(from, to);
    const std::size_t routers = way.routers.size();
    const bool is_ipv4 = load_u16(&frame[12]) == wire::kEtherTypeIpv4;
    const std::uint8_t ttl = frame[EthernetHeader::kSize + (is_ipv4 ? 8 : 7)];
    if (routers > 0 && ttl <= routers) {
        time_exceeded(from, way, ttl == 0 ? 0 : ttl - 1U, frame);
        return;
    }
    if (routers > 0) count_ttl_down(frame, static_cast<std::uint8_t>(routers));
    at(now_ + way.delay + extra, [this, to, id, frame = std::move(frame)] { arrive(to, frame, id); });
}

void Network::time_exceeded(std::size_t from, Line& way, std::size_t router,
                            const std::vector<std::uint8_t>& frame) {
    Router& speaker = way.routers[router];
    if (speaker.silent_for != 0) {
        if (speaker.silent_for > 0) --speaker.silent_for;
        return;
    }
    deliver_later(from, time_exceeded_frame(speaker.address, hosts_[from]->config, frame), way.delay);
}

void Network::deliver_later(std::size_t to, std::vector<std::uint8_t> frame, Duration delay) {
    at(now_ + delay, [this, to, frame = std::move(frame)] { arrive(to, frame, std::nullopt); });
}

void Network::arrive(std::size_t to, const std::vector<std::uint8_t>& frame,
                     std::optional<std::uint64_t> id) {
    if (!hosts_[to]->up) return;
    ++arrivals_;
    if (id && keep_capture && !captured_[*id].arrival) captured_[*id].arrival = arrivals_;
    if (keep_capture) arrived_.push_back({clock_of(to), to, frame});
    (void)inject(to, frame);
}

void Network::write_pcap(const std::string& path) const {
    PcapFile file(path);
    for (const Captured& packet : captured_)
        file.add(packet.at, packet.bytes);
}

void Network::write_sent_pcap(const std::string& path, std::size_t host) const {
    PcapFile file(path);
    for (const Captured& packet : captured_) {
        if (packet.from == host) file.add(packet.clock, packet.bytes);
    }
}

void Network::write_arrived_pcap(const std::string& path, std::size_t host) const {
    PcapFile file(path);
    for (const Arrived& packet : arrived_) {
        if (packet.to == host) file.add(packet.clock, packet.bytes);
    }
}

Hook lose_if(std::function<bool(const Transit&)> which) {
    return [which = std::move(which)](Transit& transit) { return Fate{which(transit) ? 0 : 1, {}}; };
}

Hook lose_first(wire::ControlType type, int count) {
    return [type, count](Transit& transit) mutable {
        if (!transit.seen.is(type) || count == 0) return Fate{};
        --count;
        return Fate{0, {}};
    };
}

}  // namespace dyetrace::test
