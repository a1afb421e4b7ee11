// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/daemon.h"

#include <algorithm>
#include <ctime>
#include <stdexcept>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/network_interface.h"
#include "host/packet_port.h"
#include "host/tap_port.h"

namespace dyetrace::host {
namespace {

/// Signals are looked for after so many turns without sleep.
constexpr std::uint64_t kTurnsBetweenLooks = 32;
/// How often the ports' counters are looked at for something to warn of.
constexpr Duration kCheckInterval = Duration::seconds(5);
NetworkInterface find_interface(const std::string& name) {
    NetworkInterface interface = NetworkInterface::find(name);
    if (!interface.up) spdlog::warn("interface {} is down", name);
    return interface;
}

/// The settings that the file leaves to the underlay's interface.
HostConfig complete(HostConfig config) {
    const NetworkInterface underlay = find_interface(config.underlay.interface);
    config.eppc.mac = config.underlay.mac.value_or(underlay.mac);
    config.eppc.underlay_mtu = config.underlay.mtu.value_or(underlay.mtu);
    return config;
}

}  // namespace

eppc::Eppc Daemon::make_engine(const HostConfig& config, const auth::Seed& seed, Time now) {
    auto engine = eppc::Eppc::create(config.eppc, seed, now);
    if (!engine) throw std::runtime_error("engine: " + engine.error());
    const auto require = [](const Result<Done, std::string>& result, const std::string& what) {
        if (!result) throw std::runtime_error(what + ": " + result.error());
    };
    std::uint32_t port = 0;
    for (const GuestSettings& guest : config.guests) {
        require(engine->add_guest(GuestPort{port++}, guest.vni, guest.mac), "guest " + guest.interface);
    }
    for (const PeerSettings& peer : config.peers)
        require(engine->add_peer(peer.address, peer.options), "peer " + peer.address.to_string());
    for (const RemoteSettings& remote : config.remotes) {
        require(remote.relay ? engine->add_relay(remote.vni, remote.mac, remote.peer)
                             : engine->add_remote(remote.vni, remote.mac, remote.peer),
                "peer " + remote.peer.to_string());
    }
    return std::move(engine).value();
}

Daemon::Daemon(const HostConfig& config, const auth::Seed& seed)
    : config_(complete(config)), waiter_(clock_), engine_(make_engine(config_, seed, clock_.now())) {
    const NetworkInterface underlay = NetworkInterface::find(config_.underlay.interface);
    ports_.push_back(
        {underlay.name, "underlay",
         std::make_unique<PacketPort>(
             underlay, config_.eppc.address.is_ipv4() ? PacketProtocols::Ipv4 : PacketProtocols::Ipv6,
             config_.underlay.ring_bytes, clock_)});
    loop_ = std::make_unique<EventLoop>(engine_, *ports_.front().port, clock_,
                                        [this](const eppc::Output& output) { on_event(output); });
    std::uint32_t id = 0;
    for (const GuestSettings& guest : config_.guests)
        open_guest(GuestPort{id++}, guest);
    for (const OpenPort& open : ports_) {
        waiter_.watch(open.port->poll_fd(), [name = open.name](int error) {
            spdlog::warn("interface {}: {}", name, std::generic_category().message(error));
        });
        last_check_.push_back(open.port->counters());
    }
}

Daemon::~Daemon() = default;

void Daemon::open_guest(GuestPort id, const GuestSettings& guest) {
    std::unique_ptr<Port> port;
    if (guest.kind == GuestSettings::Kind::Tap) {
        port = std::make_unique<TapPort>(guest.interface, clock_);
    } else {
        const NetworkInterface interface = find_interface(guest.interface);
        const std::size_t guest_mtu_most = eppc::Eppc::guest_mtu(config_.eppc);
        if (interface.mtu > guest_mtu_most) {
            spdlog::warn("guest {}: MTU {} exceeds {}: longer frames will be dropped", guest.interface,
                         interface.mtu, guest_mtu_most);
        }
        port = std::make_unique<PacketPort>(interface, PacketProtocols::All, guest.ring_bytes, clock_);
    }
    loop_->add_guest(id, *port);
    ports_.push_back({guest.interface, "guest", std::move(port)});
}

void Daemon::on_event(const eppc::Output& output) {
    if (const auto* change = std::get_if<eppc::SessionChanged>(&output)) {
        ledger_.on(*change);
        spdlog::info("session {:#010x} {} {}: {} -> {} ({})", change->session.value,
                     change->role == session::Role::Requester ? "to" : "from", change->peer.to_string(),
                     session::to_string(change->from), session::to_string(change->to), change->reason);
    } else if (const auto* metrics = std::get_if<eppc::MetricsReported>(&output)) {
        ledger_.on(*metrics);
    }
}

void Daemon::run(const SummaryHandler& on_summary, const ConfigReader& reread) {
    next_check_ = clock_.now() + kCheckInterval;
    looked_at_ = clock_.now();
    while (true) {
        const bool busy = loop_->turn();
        if (busy && loop_->counters().turns % kTurnsBetweenLooks != 0) continue;
        if (busy) {
            waiter_.look();
        } else {
            waiter_.wait_until(std::min({loop_->next_deadline(), drain_until_, next_check_}));
        }
        const SignalRequests requests = waiter_.take_signals();
        if (requests.report > 0) on_summary(summary(false));
        if (requests.reload > 0) reload(reread());
        if (requests.stop > 1 || (requests.stop > 0 && draining_)) break;
        if (requests.stop > 0) start_draining();
        if (draining_ && (has_drained() || loop_->now() >= drain_until_)) break;
        if (loop_->now() >= next_check_) {
            warn_of_trouble();
            note_load();
        }
    }
    on_summary(summary(true));
}

void Daemon::reload(const std::optional<HostConfig>& config) {
    if (!config) {
        spdlog::error("keys and paths stay as they are");
        return;
    }
    take_keys(*config);
    move_paths(*config);
}

void Daemon::take_keys(const HostConfig& config) {
    const auto changed = engine_.set_keys(sending_key(config), config.eppc.other_keys, loop_->update_now());
    if (!changed) {
        spdlog::error("the keys stay as they are: {}", changed.error());
        return;
    }
    spdlog::info("sends under key {}, takes {} other keys", config.eppc.key_id.value,
                 config.eppc.other_keys.size());
}

// What the file says is a state, not an order: a file that is read twice moves nothing twice, so that keys
// can be changed without a thought of paths. A move that was refused is tried again at the next reload.
void Daemon::move_paths(const HostConfig& config) {
    for (const PeerSettings& wanted : config.peers) {
        const auto known =
            std::find_if(config_.peers.begin(), config_.peers.end(),
                         [&](const PeerSettings& peer) { return peer.address == wanted.address; });
        if (known == config_.peers.end()) {
            spdlog::warn("peer {} is new: it is taken at the next start", wanted.address.to_string());
            continue;
        }
        for (const auto& [path, generation] : wanted.generations) {
            PathGeneration& was = known->generations[path];  // zero where the file did not name it
            if (was != generation && move_path(wanted.address, path)) was = generation;
        }
    }
}

bool Daemon::move_path(IpAddress peer, PathIndex path) {
    const auto moved = engine_.repath(peer, path, loop_->update_now());
    if (moved) {
        spdlog::info("path {} to {} moved to another source port: generation {}", path.value,
                     peer.to_string(), moved->value);
    } else {
        spdlog::warn("path {} to {} stays where it is: {}", path.value, peer.to_string(), moved.error());
    }
    return moved.ok();
}

void Daemon::start_draining() {
    spdlog::info("closing sessions");
    draining_ = true;
    const Time now = loop_->update_now();
    drain_until_ = now + config_.drain_timeout;
    engine_.close_sessions(now);
}

bool Daemon::has_drained() const {
    // Peers that end at the same time need our answers for their own last metrics.
    return !engine_.is_draining() && engine_.sessions().empty();
}

void Daemon::note_load() {
    timespec cpu{};
    if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) != 0) return;
    const Duration worked = Duration::seconds(cpu.tv_sec) + Duration{cpu.tv_nsec};
    const Duration passed = loop_->now() - looked_at_;
    if (passed.ns > 0) {
        engine_.set_load(static_cast<double>((worked - worked_).ns) / static_cast<double>(passed.ns));
    }
    worked_ = worked;
    looked_at_ = loop_->now();
}

void Daemon::warn_of_trouble() {
    next_check_ = loop_->now() + kCheckInterval;
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        const PortCounters now = ports_[i].port->counters();
        const PortCounters& last = last_check_[i];
        const auto warn = [&](std::uint64_t PortCounters::*counter, std::string_view what) {
            if (now.*counter == last.*counter) return;
            spdlog::warn("{}: {} frames {}", ports_[i].name, now.*counter - last.*counter, what);
        };
        warn(&PortCounters::ring_full, "lost: the receive ring was full (raise `ring`)");
        warn(&PortCounters::truncated,
             "dropped: longer than the MTU (turn off tso, gso and gro of the guest)");
        warn(&PortCounters::partial_checksum, "dropped: no checksum (turn off tx checksumming of the guest)");
        warn(&PortCounters::send_failed, "not sent: the interface did not take them");
        last_check_[i] = now;
    }
}

Summary Daemon::summary(bool final) {
    Summary summary;
    summary.final = final;
    summary.address = config_.eppc.address;
    for (const OpenPort& open : ports_)
        summary.ports.push_back({open.name, open.role, open.port->counters()});
    summary.counters = engine_.counters();
    summary.drops = engine_.drops();
    summary.loop = loop_->counters();
    summary.ledger = ledger_;
    for (eppc::SessionView& view : engine_.sessions()) {
        if (view.role == session::Role::Acceptor) summary.accepted.push_back(std::move(view));
    }
    return summary;
}

}  // namespace dyetrace::host
