// SPDX-License-Identifier: GPL-2.0-or-later
// Which peers it measures of its own accord: all that traffic goes to, as long as there is room; else the
// best candidates, in turns.
#include <algorithm>
#include <tuple>

#include "core/eppc/engine.h"
#include "core/session/candidate.h"
#include "core/tracking/flow_filter.h"

namespace dyetrace::eppc {

namespace {

std::uint64_t packets_to(const Peer& peer, std::uint16_t path_count) {
    std::uint64_t packets = 0;
    for (std::uint16_t i = 0; i < path_count; ++i)
        packets += peer.paths[PathIndex{i}].packets;
    return packets;
}

}  // namespace

void Eppc::Engine::open_for_traffic(std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    if (!peer.requested.empty() || !config.open_on_traffic || now < peer.no_request_before) return;
    const bool others_wait = choose_at_ != Time::never();
    if (others_wait || requested_count_ >= config.traffic_sessions || no_room_for(peer))
        return wait_for_turn(peer, now);
    start_session(index, SessionParameters::of(config), session::Origin::Traffic, now);
}

void Eppc::Engine::wait_for_turn(Peer& peer, Time now) {
    if (!peer.waits) {
        peer.waits = true;
        peer.packets_at_choice = packets_to(peer, config.path_count);
        if (choose_at_ == Time::never()) choose_at_ = now + config.choice_interval;
    }
    // Its packets need not be looked at before the next choice.
    peer.no_request_before = choose_at_;
}

void Eppc::Engine::choose_peers(Time now) {
    choose_at_ = Time::never();
    next_turns_.clear();
    const std::uint8_t version_bits = config.address.is_ipv4() ? 96 : 0;
    const tracking::IpPrefix near{config.address,
                                  static_cast<std::uint8_t>(version_bits + config.near_prefix)};
    std::vector<session::Candidate> candidates;
    bool any_wait = false;
    for (std::uint32_t index = 0; index < peers_.size(); ++index) {
        Peer& peer = peers_[index];
        if (!peer.waits) continue;
        if (!peer.requested.empty()) {
            peer.waits = false;
            continue;
        }
        const std::uint64_t packets = packets_to(peer, config.path_count);
        session::Candidate candidate;
        candidate.peer = index;
        candidate.packets = packets - peer.packets_at_choice;
        candidate.unmeasured = peer.measured_until == Time::earliest() ? session::Candidate::kStalest
                                                                       : now - peer.measured_until;
        candidate.is_near = config.near_prefix > 0 && near.contains(peer.address);
        peer.packets_at_choice = packets;
        peer.waits = candidate.packets > 0;  // else its next packet says that it wants to be measured
        any_wait |= peer.waits;
        candidates.push_back(candidate);
    }
    tell_traffic(candidates, now);
    session::keep_best(candidates, config.traffic_sessions);
    // Also where none may be measured: the health service is told of them at each choice.
    if (any_wait || !candidates.empty()) choose_at_ = now + config.choice_interval;
    if (candidates.empty()) return;
    for (const session::Candidate& candidate : candidates)
        next_turns_.push_back(candidate.peer);
    begin_turns(now);
    if (!next_turns_.empty()) end_turns(next_turns_.size(), now);
}

/// The health service knows which links nobody measures, and not who sends across them.
void Eppc::Engine::tell_traffic(std::vector<session::Candidate>& candidates, Time now) {
    constexpr std::size_t kTold = 16;
    const auto told = std::min(kTold, candidates.size());
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(told),
                      candidates.end(), [](const session::Candidate& a, const session::Candidate& b) {
                          return a.packets != b.packets ? a.packets > b.packets : a.peer < b.peer;
                      });
    for (std::size_t i = 0; i < told && candidates[i].packets > 0; ++i)
        tell_nhms(wire::TrafficEntry{peers_[candidates[i].peer].address, candidates[i].packets}, now);
}

void Eppc::Engine::begin_turns(Time now) {
    fill_at_ = Time::never();
    auto next = next_turns_.begin();
    for (; next != next_turns_.end() && requested_count_ < config.traffic_sessions; ++next) {
        Peer& peer = peers_[*next];
        peer.waits = false;
        if (!peer.requested.empty() || no_room_for(peer)) continue;
        start_session(*next, SessionParameters::of(config), session::Origin::Traffic, now);
        service_peer(*next, now);
    }
    next_turns_.erase(next_turns_.begin(), next);
}

void Eppc::Engine::end_turns(std::size_t wanted, Time now) {
    std::vector<session::Turn> over;
    for (std::uint32_t index = 0; index < peers_.size(); ++index) {
        for (const auto& session : peers_[index].requested) {
            const bool is_over = session.state() == session::State::Active &&
                                 session.origin() == session::Origin::Traffic &&
                                 session.active_since() + config.turn <= now;
            if (is_over) over.push_back({session.active_since(), index, session.id()});
        }
    }
    std::sort(over.begin(), over.end(), [](const session::Turn& a, const session::Turn& b) {
        return std::tie(a.began, a.session.value) < std::tie(b.began, b.session.value);
    });
    for (std::size_t i = 0; i < std::min(wanted, over.size()); ++i) {
        Peer& peer = peers_[over[i].peer];
        find_requested(peer, over[i].session)->close(wire::CloseReason::TurnOver, now, outbox_);
        service_peer(over[i].peer, now);
    }
}

}  // namespace dyetrace::eppc
