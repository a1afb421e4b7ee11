// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/engine.h"

#include <algorithm>

#include "core/wire/ethernet.h"

namespace dyetrace::eppc {

session::RetransmitPolicy retransmit_policy(const EppcConfig& config) {
    return {config.retransmit_first, config.retransmit_last, config.retransmit_most};
}

PathTracerConfig tracer_config(const EppcConfig& config) {
    return {config.bounds.traces,  config.bounds.trace_queue, config.trace_ttl_most,
            config.trace_attempts, config.trace_timeout,      config.trace_spacing};
}

UpdateSenderConfig update_config(const EppcConfig& config) {
    UpdateSenderConfig update;
    update.interval = config.update_interval;
    update.retransmit = retransmit_policy(config);
    update.entries_most = config.bounds.update_entries;
    update.timings_most = config.bounds.update_timings;
    const std::size_t around = wire::ip_header_size(config.address) + wire::UdpHeader::kSize +
                               wire::ControlHeader::kSize + wire::ControlHeader::kTagSize;
    update.body_bytes_most = std::min(update.body_bytes_most, config.underlay_mtu - around);
    return update;
}

std::uint16_t port_count_of(const EppcConfig& config) {
    constexpr int kSpare = 16;
    if (config.port_count != 0) return config.port_count;
    return static_cast<std::uint16_t>(std::min(config.path_count + kSpare, 65536 - config.source_port_base));
}

namespace {

std::string version_of(const IpAddress& address) {
    return address.to_string() + (address.is_ipv4() ? " is IPv4" : " is IPv6");
}

std::string reserved(Vni vni) {
    return "VNI " + std::to_string(vni.value) + " is vxlan_control_vni, the engine's own";
}

std::optional<std::string> wrong_wire_field(const EppcConfig& config) {
    if (config.address.is_unspecified()) return "address: must be set";
    if (config.address.is_multicast()) return "address: " + config.address.to_string() + " is multicast";
    const bool is_ipv4 = config.address.is_ipv4();
    if (config.nhms && config.nhms->address.is_ipv4() != is_ipv4)
        return "nhms: " + version_of(config.nhms->address) + ", but address " + version_of(config.address);
    // RFC 6936 §5 (1): never by default, and never for whoever may turn up.
    if (!is_ipv4 && config.udp_checksum == UdpChecksum::Zero)
        return "udp_checksum: zero over IPv6 must be said of each peer";
    // RFC 791 §3.1: every host takes 576 bytes; each control message and one entry of an update fit that.
    // RFC 8200 §5: over IPv6 it is 1280.
    const std::size_t mtu_least = is_ipv4 ? 576 : 1280;
    if (config.underlay_mtu < mtu_least || config.underlay_mtu > 65535)
        return "underlay_mtu: must be " + std::to_string(mtu_least) + " to 65535";
    if (config.vxlan_port == config.geneve_port) return "vxlan_port: is geneve_port";
    if (config.nhms &&
        (config.management_port == config.geneve_port || config.management_port == config.vxlan_port))
        return "management_port: is that of a tunnel";
    if (config.vxlan_control_vni.value > 0xffffff) return "vxlan_control_vni: must be at most 16777215";
    if (config.path_count < 1 || config.path_count > 1024) return "path_count: must be 1 to 1024";
    if (config.port_count != 0 && (config.port_count < config.path_count || config.port_count > 2048))
        return "port_count: must be path_count to 2048, or 0";
    if (config.port_rest.ns < 0) return "port_rest: must not be negative";
    if (config.source_port_base + std::max(config.path_count, config.port_count) > 65536)
        return "source_port_base: the ports run past 65535";
    if (config.dscp > 63) return "dscp: must be 0 to 63";
    return std::nullopt;
}

std::optional<std::string> wrong_sampling(const EppcConfig& config) {
    if (const auto fault = config.sampling.fault(); !fault.empty()) return "sampling: " + std::string(fault);
    const auto& rules = config.flow_filter.rules;
    if (rules.size() > tracking::FlowFilter::kRulesMost) return "flow_filter: at most 16 rules";
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (const auto fault = rules[i].fault(); !fault.empty())
            return "flow_filter.rules[" + std::to_string(i) + "]: " + std::string(fault);
    }
    if (config.sampling.filtered && rules.empty()) return "flow_filter: sampling asks for one";
    return std::nullopt;
}

std::optional<std::string> wrong_field(const EppcConfig& config) {
    if (auto wrong = wrong_wire_field(config)) return wrong;
    if (!config.key && !config.insecure) return "key: must be set (or say insecure = true)";
    if (config.key && config.insecure) return "insecure: contradicts key";
    if (config.trace_ttl_most < 1 || config.trace_ttl_most > wire::PathEntry::kMaxHops)
        return "trace_ttl_most: must be 1 to 24";
    if (config.bounds.traces < 1 || config.bounds.traces > 1024) return "bounds.traces: must be 1 to 1024";
    const auto positive = [](Duration d) { return d.ns > 0; };
    if (!positive(config.report_interval)) return "report_interval: must be positive";
    if (config.ride_wait.ns < 0) return "ride_wait: must not be negative";
    if (!positive(config.path_idle)) return "path_idle: must be positive";
    if (config.waiting_time.ns < 0) return "waiting_time: must not be negative";
    if (!positive(config.update_interval)) return "update_interval: must be positive";
    if (!positive(config.retransmit_first)) return "retransmit_first: must be positive";
    if (config.retransmit_last < config.retransmit_first)
        return "retransmit_last: must not be below retransmit_first";
    if (config.retransmit_most < 1) return "retransmit_most: must be at least 1";
    if (!positive(config.keep_alive_interval)) return "keep_alive_interval: must be positive";
    if (!positive(config.trace_timeout)) return "trace_timeout: must be positive";
    if (config.trace_attempts < 1 || config.trace_attempts > 100) return "trace_attempts: must be 1 to 100";
    if (config.trace_spacing.ns < 0) return "trace_spacing: must not be negative";
    if (config.trace_retry.ns < 0) return "trace_retry: must not be negative";
    if (!positive(config.choice_interval)) return "choice_interval: must be positive";
    if (config.turn.ns < 0) return "turn: must not be negative";
    if (config.near_prefix > (config.address.is_ipv4() ? 32 : 128))
        return "near_prefix: is longer than an address";
    if (!(config.load_most > 0)) return "load_most: must be positive";
    if (config.session_duration.ns < 0) return "session_duration: must not be negative";
    return wrong_sampling(config);
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
    return overlay.add_remote({vni, mac}, *index);
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
    if (updates_.next_deadline() <= now) service_updates(now);
}

Time Eppc::Engine::next_deadline() const {
    return std::min({attention_at_, choose_at_, fill_at_, timers_.next(), tracer_.next_deadline(),
                     updates_.next_deadline()});
}

void Eppc::Engine::put(Queued queued) {
    if (outputs_.size() >= config.bounds.outputs) {
        drops.add(wire::DropReason::QueueFull);
        return;
    }
    if (queued.frame) ++counters.control_sent;
    outputs_.push_back(std::move(queued));
}

void Eppc::Engine::emit_frame(std::vector<std::uint8_t> frame) {
    put({std::move(frame), std::nullopt});
}

void Eppc::Engine::emit(Output event) {
    put({std::nullopt, std::move(event)});
}

std::optional<Output> Eppc::Engine::poll() {
    if (outputs_.empty()) return std::nullopt;
    Queued next = std::move(outputs_.front());
    outputs_.pop_front();
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
            view.delays.resize(tracking::QuantileSketch::kRoomForAny);
            view.delays.resize(sketches_[s.sketch()].encode_into(view.delays).value_or(0));
            view.delays_corrected = sketches_.is_corrected(s.sketch());
        }
    }
    std::sort(views.begin(), views.end(), [](const SessionView& a, const SessionView& b) {
        return std::tie(a.role, a.peer, a.session) < std::tie(b.role, b.peer, b.session);
    });
    return views;
}

Result<Eppc, std::string> Eppc::create(const EppcConfig& config, const auth::Seed& seed, Time /*now*/) {
    if (const auto wrong = wrong_field(config)) return Failure{*wrong};
    // `insecure` says an all-zero key in so many words.
    auto keys =
        auth::KeyRing::make({config.key_id, config.key.value_or(auth::SharedKey{})}, config.other_keys);
    if (!keys) return Failure{"other_keys: " + keys.error()};
    return Eppc(std::make_unique<Engine>(config, std::move(keys).value(), seed));
}

Result<Eppc, std::string> Eppc::create(const EppcConfig& config, std::uint64_t seed, Time now) {
    return create(config, auth::seed_from(seed), now);
}

Eppc::Eppc(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Eppc::Eppc(Eppc&&) noexcept = default;
Eppc& Eppc::operator=(Eppc&&) noexcept = default;
Eppc::~Eppc() = default;

Result<Done, std::string> Eppc::add_guest(GuestPort port, Vni vni, const MacAddress& mac) {
    return engine_->add_guest({port, vni, mac});
}
std::size_t Eppc::guest_mtu(const EppcConfig& config) {
    const std::size_t around = wire::ip_header_size(config.address) + wire::UdpHeader::kSize +
                               wire::GeneveHeader::kSize + wire::TrackOption::kSize +
                               wire::EthernetHeader::kSize;
    return config.underlay_mtu - std::min(config.underlay_mtu, around);
}
Result<Done, std::string> Eppc::add_peer(IpAddress peer, const PeerOptions& options) {
    return engine_->add_peer(peer, options);
}
Result<Done, std::string> Eppc::add_remote(Vni vni, const MacAddress& mac, IpAddress peer) {
    return engine_->add_remote(vni, mac, peer);
}
Result<Done, std::string> Eppc::add_relay(Vni vni, const MacAddress& mac, IpAddress peer) {
    return engine_->add_relay(vni, mac, peer);
}
wire::Refusal Eppc::encapsulate(GuestPort port, wire::FrameBuffer& frame, Time now) {
    return engine_->encapsulate(port, frame, now);
}
Decapsulated Eppc::decapsulate(wire::FrameBuffer& frame, Time now) {
    return engine_->decapsulate(frame, now);
}
void Eppc::expect_from_guest(GuestPort port, std::span<const wire::FrameBuffer* const> frames) const {
    engine_->expect_from_guest(port, frames);
}
void Eppc::expect_from_underlay(std::span<const wire::FrameBuffer* const> frames) const {
    engine_->expect_from_underlay(frames);
}
void Eppc::advance(Time now) {
    engine_->advance(now);
}
Time Eppc::next_deadline() const {
    return engine_->next_deadline();
}
std::optional<Output> Eppc::poll() {
    return engine_->poll();
}
Result<SessionId, std::string> Eppc::open_session(IpAddress peer, Time now) {
    return engine_->open_session(peer, SessionParameters::of(engine_->config), now);
}
Result<SessionId, std::string> Eppc::open_session(IpAddress peer, const SessionParameters& parameters,
                                                  Time now) {
    return engine_->open_session(peer, parameters, now);
}
Result<Done, std::string> Eppc::close_session(session::Role role, IpAddress peer, SessionId id,
                                              wire::CloseReason reason, Time now) {
    return engine_->close_session(role, peer, id, reason, now);
}
void Eppc::set_load(double share) {
    engine_->set_load(share);
}
void Eppc::close_sessions(Time now) {
    engine_->close_sessions(now);
}
Result<Done, std::string> Eppc::set_keys(const auth::NamedKey& sending,
                                         const std::vector<auth::NamedKey>& others, Time now) {
    return engine_->set_keys(sending, others, now);
}
std::size_t Eppc::memory_bound(const EppcConfig& config) {
    return Engine::memory_bound(config).bytes();
}
std::size_t Eppc::memory_bound() const {
    return memory_bound(engine_->config);
}
bool Eppc::is_draining() const {
    return engine_->is_draining();
}
const EppcCounters& Eppc::counters() const {
    return engine_->counters;
}
const wire::DropCounters& Eppc::drops() const {
    return engine_->drops;
}
Result<PathGeneration, std::string> Eppc::repath(IpAddress peer, PathIndex path, Time now) {
    return engine_->repath(peer, path, now);
}
std::vector<SessionView> Eppc::sessions() const {
    return engine_->sessions();
}

}  // namespace dyetrace::eppc
