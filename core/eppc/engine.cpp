// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/engine.h"

#include <algorithm>

#include "core/wire/ethernet.h"

namespace dyetrace::eppc {

namespace {

std::string reserved(Vni vni) {
    return "VNI " + std::to_string(vni.value) + " is vxlan_control_vni, the engine's own";
}

}  // namespace

Eppc::Engine::Engine(const EppcConfig& given, auth::KeyRing keys, const auth::Seed& seed)
    : config(given),
      overlay(given.bounds.guests, given.bounds.remotes),
      keys_(std::move(keys)),
      secret_(seed),
      cookies_(secret_),
      boot_(secret_.next() | 1),  // never zero, which means "not known"
      flow_seed_(secret_.next()),
      flow_tap_(given.flow_traces, given.flow_capture),
      last_session_id_(static_cast<std::uint32_t>(secret_.next() >> 33)),  // half of the range is left
      sketches_(given.bounds.sketches),
      tracer_(tracer_config(given), given.address, secret_.next()),
      updates_(update_config(given), secret_.next()) {
    config.port_count = port_count_of(config);
}

std::optional<std::uint32_t> Eppc::Engine::find_or_add_peer(IpAddress address) {
    if (const auto known = find_peer(address)) return known;
    if (peers_.size() >= config.bounds.peers) return std::nullopt;
    const auto index = static_cast<std::uint32_t>(peers_.size());
    Peer& peer = peers_.emplace_back(address, config.path_count, config.port_count);
    set_options(peer, {});
    peer_index_[address] = index;
    // Room for one entry a peer, so that the data path never allocates.
    timers_.reserve(peers_.size());
    if (attention_.capacity() < peers_.size()) attention_.reserve(2 * peers_.size());
    return index;
}

std::optional<std::string> Eppc::Engine::wrong_peer(IpAddress address) const {
    if (address == config.address) return "peer: " + address.to_string() + " is this host's own address";
    if (address.is_unspecified() || address.is_multicast())
        return "peer: " + address.to_string() + " is not the address of one host";
    if (address.is_ipv4() != config.address.is_ipv4())
        return "peer: " + version_of(address) + ", but address " + version_of(config.address);
    return std::nullopt;
}

bool Eppc::Engine::has_checksum_to(const IpAddress& peer, const PeerOptions& options) const {
    UdpChecksum checksum = options.udp_checksum;
    if (checksum == UdpChecksum::Default) checksum = config.udp_checksum;
    // RFC 8926 §4.3: over IPv4 a checksum is optional, over IPv6 it is there unless it was said otherwise.
    if (checksum == UdpChecksum::Default) checksum = peer.is_ipv4() ? UdpChecksum::Zero : UdpChecksum::Full;
    return checksum == UdpChecksum::Full;
}

void Eppc::Engine::set_options(Peer& peer, const PeerOptions& options) {
    const bool has_checksum = has_checksum_to(peer.address, options);
    peer.outer = OuterHeader(config, peer.address, options.encapsulation, has_checksum);
    peer.ecn = options.ecn.value_or(config.ecn);
    peer.zero_checksum_ok = !has_checksum;
    if (peer.outer.is_vxlan()) speaks_vxlan_ = true;
}

Result<Done, std::string> Eppc::Engine::add_peer(IpAddress address, const PeerOptions& options) {
    if (const auto wrong = wrong_peer(address)) return Failure{*wrong};
    const auto index = find_or_add_peer(address);
    if (!index) return Failure{std::string("the table of peers is full")};
    set_options(peers_[*index], options);
    return Done{};
}

Result<Done, std::string> Eppc::Engine::add_guest(const Guest& guest) {
    if (guest.vni == config.vxlan_control_vni) return Failure{reserved(guest.vni)};
    return overlay.add_guest(guest);
}

Result<Done, std::string> Eppc::Engine::add_remote(Vni vni, const MacAddress& mac, IpAddress peer) {
    if (const auto wrong = wrong_peer(peer)) return Failure{*wrong};
    const auto index = find_or_add_peer(peer);
    if (!index) return Failure{std::string("the table of peers is full")};
    if (vni == config.vxlan_control_vni) return Failure{reserved(vni)};
    const OverlayAddress address{vni, mac};
    const std::uint32_t* const known = overlay.peer_of(address);
    const std::optional<std::uint32_t> before = known == nullptr ? std::nullopt : std::optional{*known};
    if (auto added = overlay.add_remote(address, *index); !added) return added;
    if (before) --peers_[*before].guests;
    ++peers_[*index].guests;
    return Done{};
}

Result<PathGeneration, std::string> Eppc::Engine::repath(IpAddress address, PathIndex path, Time now) {
    const auto index = find_peer(address);
    if (!index) return Failure{"there is no peer " + address.to_string()};
    Peer& peer = peers_[*index];
    const auto generation = peer.paths.repath(path, now, config.port_rest);
    if (!generation) return Failure{std::string(to_string(generation.error()))};
    ++counters.repaths;
    peer.routers[path.value] = Peer::Routers::NotAsked;  // another port, other routers
    for (session::RequesterSession& session : peer.requested) {
        tracer_.forget(address, session.id(), path);
        session.on_repath(path, now);
    }
    service_peer(*index, now);
    return *generation;
}

void Eppc::Engine::settle_paths(Peer& peer, Time now) {
    const auto settled = [&](const tracking::RetiredPath& left) {
        return std::all_of(peer.requested.begin(), peer.requested.end(), [&](const auto& session) {
            return session.markers().is_settled(left.path, left.count.generation);
        });
    };
    // Few: at most one a spare port, and none at all most of the time.
    for (std::size_t i = 0; i < peer.paths.retired().size();) {
        const tracking::RetiredPath& left = peer.paths.retired()[i];
        if (settled(left)) {
            peer.paths.settle(left.path, now);
        } else {
            ++i;
        }
    }
}

void Eppc::Engine::want_attention(std::uint32_t index) {
    Peer& peer = peers_[index];
    if (peer.queued) return;
    peer.queued = true;
    attention_.push_back(index);  // within its reservation: one entry a peer
}

void Eppc::Engine::service_peer(std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    for (auto& requested : peer.requested)
        requested.service(now, peer.paths, outbox_);
    for (auto& accepted : peer.accepted)
        accepted.service(now, outbox_);
    flush_outbox(index, now);
    remove_ended_sessions(peer, now);
    settle_paths(peer, now);
    Time next = Time::never();
    for (const auto& requested : peer.requested)
        next = std::min(next, requested.next_deadline());
    for (const auto& accepted : peer.accepted)
        next = std::min(next, accepted.next_deadline());
    timers_.set(index, next);
    note_rides(peer);
}

template <class Over>
void Eppc::Engine::forget_accepted(Peer& peer, const Over& over) {
    const std::size_t forgotten = std::erase_if(peer.accepted, [&](session::AcceptorSession& session) {
        if (!over(session)) return false;
        close_sketch(session);
        accepted_paths_ -= session.request().path_count;
        return true;
    });
    if (forgotten == 0) return;
    accepted_count_ -= forgotten;
    peer.accepted.shrink_to_fit();
    if (!peer.accepted.empty()) return;
    announced_ports_ -= peer.received.size();
    peer.received = std::vector<std::uint64_t>();  // an assignment of {} would keep the memory
}

void Eppc::Engine::remove_ended_sessions(Peer& peer, Time now) {
    const std::size_t ended = std::erase_if(peer.requested, [&](const session::RequesterSession& session) {
        if (!session::is_final(session.state())) return false;
        // An orderly end lets the next packet ask again; a refusal or a loss makes it wait.
        if (session.last_event() == session::Event::PeerSilent)
            peer.no_request_before = now + peer.back_off.after_failure(config.reject_back_off);
        if (session.active_since() != Time::earliest()) peer.measured_until = now;
        if (!next_turns_.empty()) fill_at_ = now;  // there is room
        tracer_.forget(peer.address, session.id());
        // What it was asking for the others' sake too is asked again when they need it.
        std::replace(peer.routers.begin(), peer.routers.end(), Peer::Routers::AskedOrKnown,
                     Peer::Routers::NotAsked);
        return true;
    });
    requested_count_ -= ended;
    if (ended > 0) peer.requested.shrink_to_fit();
    for (session::AcceptorSession& session : peer.accepted) {
        if (session::is_final(session.state())) close_sketch(session);
    }
    forget_accepted(peer, [&](const session::AcceptorSession& session) { return session.is_over(now); });
}

void Eppc::Engine::forget_all_accepted(Peer& peer) {
    forget_accepted(peer, [](const session::AcceptorSession&) { return true; });
}

bool Eppc::Engine::forget_longest_lingering(Peer* of) {
    struct Longest {
        Peer* peer = nullptr;
        const session::AcceptorSession* session = nullptr;
    } longest;
    const auto look = [&longest](Peer& peer) {
        for (const session::AcceptorSession& session : peer.accepted) {
            // All linger equally long; of those that began together, the first one of the first peer.
            if (session.is_lingering() &&
                (longest.session == nullptr || session.linger_until() < longest.session->linger_until()))
                longest = {&peer, &session};
        }
    };
    if (of != nullptr) {
        look(*of);
    } else {
        for (Peer& peer : peers_)
            look(peer);
    }
    if (longest.session == nullptr) return false;
    const auto is_it = [id = longest.session->id(), boot = longest.session->peer_boot()](const auto& s) {
        return s.id() == id && s.peer_boot() == boot;
    };
    forget_accepted(*longest.peer, is_it);
    return true;
}

void Eppc::Engine::advance(Time now) {
    if (attention_at_ <= now) {
        attention_at_ = Time::never();
        for (std::size_t i = 0; i < attention_.size(); ++i) {
            const std::uint32_t index = attention_[i];
            peers_[index].queued = false;
            open_for_traffic(index, now);
            service_peer(index, now);
        }
        attention_.clear();
    }
    while (const auto due = timers_.take_due(now))
        service_peer(*due, now);
    if (choose_at_ <= now) choose_peers(now);
    if (fill_at_ <= now) begin_turns(now);
    if (tracer_.next_deadline() <= now) service_tracer(now);
    if (flow_at_ <= now) service_flow_tap(now);
    if (updates_.next_deadline() <= now) service_updates(now);
}

Time Eppc::Engine::earliest_deadline() const {
    return std::min(
        {choose_at_, fill_at_, timers_.next(), tracer_.next_deadline(), flow_at_, updates_.next_deadline()});
}

void Eppc::Engine::put(Queued queued) {
    if (outputs_.size() >= config.bounds.outputs) {
        drops.add(wire::DropReason::QueueFull);
        return;
    }
    if (queued.frame) ++counters.control_sent;
    outputs_.push_back(std::move(queued));
    has_outputs_ = true;
}

void Eppc::Engine::emit_frame(std::vector<std::uint8_t> frame) {
    put({std::move(frame), std::nullopt});
}

void Eppc::Engine::emit(Output event) {
    put({std::nullopt, std::move(event)});
}

std::optional<Output> Eppc::Engine::poll() {
    if (!has_outputs_) return std::nullopt;
    Queued next = std::move(outputs_.front());
    outputs_.pop_front();
    has_outputs_ = !outputs_.empty();
    if (!next.frame) return next.event;
    transmitting_ = std::move(*next.frame);
    return Output{Transmit{transmitting_}};
}

std::vector<SessionView> Eppc::Engine::sessions() const {
    std::vector<SessionView> views;
    const auto begin = [](session::Role role, const Peer& peer, const auto& session) {
        SessionView view;
        view.role = role;
        view.peer = peer.address;
        view.session = session.id();
        view.state = session.state();
        if (peer.clock) {
            const Time at = peer.clock->drawn_at();
            if (const auto estimate = peer.clock->estimate(at)) view.clock = ClockView{*estimate, at};
            view.clock_steps = peer.clock->steps();
        }
        return view;
    };
    for (const Peer& peer : peers_) {
        for (const auto& s : peer.requested) {
            SessionView& view = views.emplace_back(begin(session::Role::Requester, peer, s));
            view.sampling = s.sampler().spec();
            view.offered = s.sampler().offered();
            view.tagged = s.sampler().tagged();
            for (const wire::PathRecord& record : s.reports().records()) {
                if (record.intervals > 0) view.paths.push_back(record);
            }
            view.delays.assign(s.reports().sketch().begin(), s.reports().sketch().end());
            view.delays_corrected = s.reports().sketch_is_corrected();
        }
        for (const auto& s : peer.accepted) {
            if (s.is_lingering()) continue;
            SessionView& view = views.emplace_back(begin(session::Role::Acceptor, peer, s));
            view.sampling = s.request().sampling;
            for (std::uint16_t i = 0; i < s.path_count(); ++i) {
                const wire::PathRecord record = s.record(PathIndex{i});
                if (record.intervals > 0) view.paths.push_back(record);
            }
            if (s.sketch() == tracking::SketchTable::kNone || !sketches_[s.sketch()].min()) continue;
            view.delays.resize(QuantileSketch::kRoomForAny);
            view.delays.resize(sketches_[s.sketch()].encode_into(view.delays).value_or(0));
            view.delays_corrected = sketches_.is_corrected(s.sketch());
        }
    }
    std::sort(views.begin(), views.end(), [](const SessionView& a, const SessionView& b) {
        return std::tie(a.role, a.peer, a.session) < std::tie(b.role, b.peer, b.session);
    });
    return views;
}

}  // namespace dyetrace::eppc
