// SPDX-License-Identifier: GPL-2.0-or-later
// What its owner sees of an engine: each verb goes on to the inside.
#include "core/eppc/eppc.h"

#include <algorithm>

#include "core/eppc/engine.h"

namespace dyetrace::eppc {

/// Ends a verb that may change deadlines.
struct Eppc::Planning {
    Engine& engine;
    ~Planning() { engine.plan(); }
};

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
Result<Done, std::string> Eppc::remove_guest(GuestPort port, Time now) {
    const Planning planning{*engine_};
    return engine_->remove_guest(port, now);
}
Result<Done, std::string> Eppc::move_remote(Vni vni, const MacAddress& mac, IpAddress peer, Time now) {
    const Planning planning{*engine_};
    return engine_->move_remote(vni, mac, peer, now);
}
Result<Done, std::string> Eppc::remove_remote(Vni vni, const MacAddress& mac, Time now) {
    const Planning planning{*engine_};
    return engine_->remove_remote(vni, mac, now);
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
void Eppc::expect_from_underlay(Bytes frame, Step step) const {
    engine_->expect_from_underlay(frame, step);
}
void Eppc::expect_from_guest(Step step) const {
    engine_->expect_from_guest(step);
}
void Eppc::advance(Time now) {
    const Planning planning{*engine_};
    engine_->advance(now);
}
Time Eppc::next_deadline() const {
    return engine_->next_deadline();
}
std::optional<Output> Eppc::poll() {
    return engine_->poll();
}
Result<SessionId, std::string> Eppc::open_session(IpAddress peer, Time now) {
    const Planning planning{*engine_};
    return engine_->open_session(peer, SessionParameters::of(engine_->config), now);
}
Result<SessionId, std::string> Eppc::open_session(IpAddress peer, const SessionParameters& parameters,
                                                  Time now) {
    const Planning planning{*engine_};
    return engine_->open_session(peer, parameters, now);
}
Result<Done, std::string> Eppc::close_session(session::Role role, IpAddress peer, SessionId id,
                                              wire::CloseReason reason, Time now) {
    const Planning planning{*engine_};
    return engine_->close_session(role, peer, id, reason, now);
}
void Eppc::note_at_guest(GuestPort port, Bytes frame, std::size_t size, wire::FlowStage stage, Time at) {
    engine_->note_at_guest(port, frame, size, stage, at);
}
void Eppc::set_load(double share) {
    engine_->set_load(share);
}
void Eppc::close_sessions(Time now) {
    const Planning planning{*engine_};
    engine_->close_sessions(now);
}
Result<Done, std::string> Eppc::set_keys(const auth::NamedKey& sending,
                                         const std::vector<auth::NamedKey>& others, Time now) {
    const Planning planning{*engine_};
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
    const Planning planning{*engine_};
    return engine_->repath(peer, path, now);
}
std::vector<SessionView> Eppc::sessions() const {
    return engine_->sessions();
}

}  // namespace dyetrace::eppc
