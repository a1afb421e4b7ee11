// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/health/small_fabric.h"

#include <algorithm>
#include <utility>

#include "core/base/random.h"
#include "core/wire/control.h"
#include "core/wire/update.h"

namespace dyetrace::health {
namespace {

using localise::FabricGraph;
using localise::NodeId;
using localise::NodeKind;

constexpr IpAddress kService{Ipv4Address{0x0a00ff01}};
constexpr std::uint16_t kEppcPort = 46082;
constexpr BootId kBoot{77};
constexpr std::uint32_t kHostCount = SmallFabric::kLeaves * SmallFabric::kHosts;

IpAddress address_of(std::uint32_t host) {
    return Ipv4Address{0x0a000001 + host};
}

FabricGraph make_graph() {
    FabricGraph graph;
    const auto join = [&](NodeId one, NodeId other) {
        graph.add_link(one, other);
        graph.add_link(other, one);
    };
    for (std::uint32_t h = 0; h < kHostCount; ++h) {
        graph.add_node(
            "host-" + std::to_string(h / SmallFabric::kHosts) + "-" + std::to_string(h % SmallFabric::kHosts),
            NodeKind::Host, address_of(h));
    }
    for (std::uint32_t l = 0; l < SmallFabric::kLeaves; ++l) {
        const NodeId leaf =
            graph.add_node("leaf-" + std::to_string(l), NodeKind::Switch, Ipv4Address{0x0a010001 + l});
        for (std::uint32_t h = 0; h < SmallFabric::kHosts; ++h)
            join(NodeId{l * SmallFabric::kHosts + h}, leaf);
    }
    for (std::uint32_t s = 0; s < SmallFabric::kSpines; ++s) {
        const NodeId spine =
            graph.add_node("spine-" + std::to_string(s), NodeKind::Switch, Ipv4Address{0x0a020001 + s});
        for (std::uint32_t l = 0; l < SmallFabric::kLeaves; ++l)
            join(NodeId{kHostCount + l}, spine);
    }
    return graph;
}

auth::SharedKey shared_key() {
    auth::SharedKey key{};
    key.fill(0x5a);
    return key;
}

NhmsConfig make_config(const std::function<void(NhmsConfig&)>& change) {
    NhmsConfig config;
    config.endpoint = {kService, NhmsConfig::kPortDefault};
    config.key = shared_key();
    config.evaluate_interval = Duration::milliseconds(20);
    config.investigation = Duration::milliseconds(300);
    config.remedies.verify_within = Duration::milliseconds(600);
    if (change) change(config);
    return config;
}

}  // namespace

SmallFabric::SmallFabric(const std::function<void(NhmsConfig&)>& change)
    : config(make_config(change)),
      nhms(Nhms::create(config, make_graph(), boots, Time{}).value()),
      hosts_(kHostCount) {
    for (std::uint32_t from = 0; from < kHostCount; ++from) {
        for (std::uint32_t to = 0; to < kHostCount; ++to) {
            if (from / kHosts == to / kHosts) continue;
            for (int i = 0; i < kPaths; ++i)
                paths_[{{from, to}, i}];
        }
    }
}

void SmallFabric::restart_service(const Memory* memory) {
    nhms = Nhms::create(config, make_graph(), ++boots, now).value();
    if (memory != nullptr) {
        const auto resumed = nhms.resume(*memory, now);
        DYETRACE_ASSERT(resumed.ok());
    }
    for (auto& [key, path] : paths_)
        path.told = false;
}

std::vector<NodeId> SmallFabric::route(const Pair& pair, int index, std::uint8_t generation) const {
    const std::uint32_t from_leaf = kHostCount + pair.first / kHosts;
    const std::uint32_t to_leaf = kHostCount + pair.second / kHosts;
    std::vector<NodeId> spines;
    const FabricGraph& graph = nhms.graph();
    const auto is_out = [&](const std::string& one, const std::string& other) {
        return drained.contains(one + " > " + other) || drained.contains(other + " > " + one);
    };
    for (std::uint32_t s = 0; s < kSpines; ++s) {
        const NodeId spine{kHostCount + kLeaves + s};
        if (drained.contains(graph.name(spine)) || is_out(graph.name(NodeId{from_leaf}), graph.name(spine)) ||
            is_out(graph.name(spine), graph.name(NodeId{to_leaf})))
            continue;
        spines.push_back(spine);
    }
    const std::uint64_t hash =
        mix64(mix64(pair.first * 1000 + pair.second) ^
              mix64(static_cast<std::uint64_t>(index) * 256 + (moves ? generation : 0U)));
    return {NodeId{pair.first}, NodeId{from_leaf}, spines.at(hash % spines.size()), NodeId{to_leaf},
            NodeId{pair.second}};
}

double SmallFabric::loss_along(const Path& path) const {
    double share = 0;
    for (std::size_t i = 0; i + 1 < path.hops.size(); ++i) {
        const auto link =
            loss.find(nhms.graph().name(path.hops[i]) + " > " + nhms.graph().name(path.hops[i + 1]));
        if (link != loss.end()) share += link->second;
    }
    return share;
}

void SmallFabric::send(std::uint32_t host, wire::ControlHeader header, Bytes body) {
    header.key_id = KeyId{1};
    header.sender_boot = kBoot;
    const IpAddress from = address_of(host);
    const auto datagram = auth::seal(header, body, auth::derive_pair_key(shared_key(), from, kService),
                                     {from, kEppcPort}, config.endpoint);
    nhms.handle({from, kEppcPort}, datagram, now);
    collect();
}

void SmallFabric::update(std::uint32_t host, const std::vector<wire::UpdateEntry>& entries) {
    std::vector<std::uint8_t> body(wire::UpdateBody::encoded_size(entries));
    wire::UpdateBody::encode_into(body, entries);
    wire::ControlHeader header;
    header.type = wire::ControlType::Update;
    header.session = SessionId{1};
    header.message_number = hosts_[host].sequence++;
    header.receiver_boot = hosts_[host].service_boot;
    send(host, header, body);
    const BootId before = hosts_[host].service_boot;
    while (!inbox_.empty()) {
        const auto [to, datagram] = std::move(inbox_.front());
        inbox_.erase(inbox_.begin());
        receive(to, datagram);
    }
    if (hosts_[host].service_boot == before) return;
    header.receiver_boot = hosts_[host].service_boot;
    send(host, header, body);
}

void SmallFabric::collect() {
    while (auto output = nhms.poll()) {
        if (const auto* datagram = std::get_if<Datagram>(&*output)) {
            for (std::uint32_t host = 0; host < kHostCount; ++host) {
                if (address_of(host) == datagram->to.address)
                    inbox_.emplace_back(host, std::vector(datagram->bytes.begin(), datagram->bytes.end()));
            }
            continue;
        }
        if (const auto* drain = std::get_if<DrainRequested>(&*output);
            drain && drain->automatic && obeys_drains) {
            const std::string what = describe(drain->subject, nhms.graph());
            drain->undrain ? (void)drained.erase(what) : (void)drained.insert(what);
        }
        if (const auto* migration = std::get_if<MigrationRequested>(&*output);
            migration && migration->automatic)
            migrations_.push_back(*migration);
        const bool is_news = std::holds_alternative<RecordReceived>(*output) ||
                             std::holds_alternative<UpdateReceived>(*output) ||
                             std::holds_alternative<PathReported>(*output);
        if (!is_news) outputs.push_back(std::move(*output));
    }
}

void SmallFabric::answer_migrations() {
    for (const MigrationRequested& migration : std::exchange(migrations_, {})) {
        if (!moves_guests) continue;
        const bool is_awaited = nhms.guests_moved(moves_guests(migration), now);
        DYETRACE_ASSERT(is_awaited);
    }
    collect();
}

IpAddress SmallFabric::address(const std::string& host) const {
    for (std::uint32_t h = 0; h < kHostCount; ++h) {
        if (nhms.graph().name(NodeId{h}) == host) return address_of(h);
    }
    DYETRACE_ASSERT(false);
    return {};
}

void SmallFabric::receive(std::uint32_t host, Bytes datagram) {
    const auto message = wire::ControlMessage::parse(datagram);
    DYETRACE_ASSERT(message.ok());
    if (message->header.type == wire::ControlType::NhmsHello)
        hosts_[host].service_boot = message->header.sender_boot;
    if (message->header.type != wire::ControlType::Directive) return;
    const auto directive = wire::DirectiveBody::parse(message->body);
    DYETRACE_ASSERT(directive.ok());
    if (mute.contains(nhms.graph().name(NodeId{host}))) return;
    std::vector<std::uint8_t> body(wire::DirectiveResultBody::kSize);
    obey(host, *directive).encode_into(body);
    wire::ControlHeader header;
    header.type = wire::ControlType::DirectiveResult;
    header.message_number = message->header.message_number;
    header.receiver_boot = hosts_[host].service_boot;
    send(host, header, body);
}

wire::DirectiveResultBody SmallFabric::obey(std::uint32_t host, const wire::DirectiveBody& directive) {
    wire::DirectiveResultBody result{wire::DirectiveStatus::Done, 1, 0};
    for (auto& [key, path] : paths_) {
        if (key.first.first != host || address_of(key.first.second) != directive.peer) continue;
        if (directive.kind != wire::DirectiveKind::Repath) {
            path.told = false;
            ++result.paths;
            continue;
        }
        for (const wire::DirectivePath& wanted : directive.paths) {
            if (wanted.path.value != key.second) continue;
            ++result.paths;
            if (wanted.generation.value != path.generation) continue;
            const std::uint8_t next = static_cast<std::uint8_t>(path.generation + 1);
            path = {};
            path.generation = next;
        }
    }
    return result;
}

void SmallFabric::run(int windows, std::uint64_t packets) {
    for (int w = 0; w < windows; ++w) {
        now = now + Duration::milliseconds(20);
        std::vector<std::vector<wire::UpdateEntry>> entries(kHostCount);
        for (auto& [key, path] : paths_) {
            const auto& [pair, index] = key;
            if (empty.contains(nhms.graph().name(NodeId{pair.first})) ||
                empty.contains(nhms.graph().name(NodeId{pair.second})))
                continue;
            const auto hops = route(pair, index, path.generation);
            wire::PathRecord& record = path.record;
            record.path = PathIndex{static_cast<std::uint16_t>(index)};
            record.generation = PathGeneration{path.generation};
            record.intervals = 1;
            record.flags = wire::PathRecord::kFlagOpen;
            record.measured_ns = now.ns;
            path.hops = hops;
            path.owed += static_cast<double>(packets) * loss_along(path);
            const auto lost = static_cast<std::uint64_t>(path.owed);
            path.owed -= static_cast<double>(lost);
            record.sent += packets;
            record.received += packets - lost;
            if (!path.told) {
                wire::PathEntry traced;
                traced.peer = address_of(pair.second);
                traced.session = SessionId{5};
                traced.path = record.path;
                traced.generation = record.generation;
                traced.complete = true;
                traced.traced_ns = now.ns - 20'000'000;
                traced.hop_count = 3;
                for (std::size_t i = 0; i < 3; ++i) {
                    const bool answers = !silent.contains(nhms.graph().name(hops[i + 1]));
                    if (answers) traced.hops[i] = nhms.graph().address(hops[i + 1]);
                    traced.complete = traced.complete && answers;
                }
                entries[pair.first].emplace_back(traced);
                path.told = true;
            }
            entries[pair.first].emplace_back(
                wire::MetricsEntry{address_of(pair.second), SessionId{5}, record});
        }
        for (std::uint32_t host = 0; host < kHostCount; ++host)
            update(host, entries[host]);
        if (nhms.next_deadline() <= now) nhms.advance(now);
        collect();
        while (!inbox_.empty()) {
            const auto [to, datagram] = std::move(inbox_.front());
            inbox_.erase(inbox_.begin());
            receive(to, datagram);
        }
        answer_migrations();
    }
}

void SmallFabric::let_pass(Duration by) {
    const Time end = now + by;
    while (nhms.next_deadline() <= end) {
        now = std::max(now, nhms.next_deadline());
        nhms.advance(now);
        collect();
    }
    now = end;
}

std::vector<IncidentStep> SmallFabric::steps_of(const std::string& subject) const {
    std::vector<IncidentStep> steps;
    for (const IncidentChanged& change : all<IncidentChanged>()) {
        if (describe(change.subject, nhms.graph()) == subject) steps.push_back(change.step);
    }
    return steps;
}

std::string SmallFabric::detail_of(const std::string& subject, IncidentStep step) const {
    std::string detail;
    for (const IncidentChanged& change : all<IncidentChanged>()) {
        if (describe(change.subject, nhms.graph()) == subject && change.step == step) detail = change.detail;
    }
    return detail;
}

std::size_t SmallFabric::paths_across(const std::string& what) const {
    std::size_t count = 0;
    for (const auto& [key, path] : paths_) {
        bool crosses = false;
        for (std::size_t i = 0; i < path.hops.size(); ++i) {
            const std::string& name = nhms.graph().name(path.hops[i]);
            if (name == what) crosses = true;
            if (i + 1 < path.hops.size() && name + " > " + nhms.graph().name(path.hops[i + 1]) == what)
                crosses = true;
        }
        count += crosses ? 1U : 0U;
    }
    return count;
}

}  // namespace dyetrace::health
