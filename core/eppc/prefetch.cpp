// SPDX-License-Identifier: GPL-2.0-or-later
// Before a batch: each step asks for what the next one reads, for all frames of the batch, so that the waits
// for memory run side by side instead of one after the other. Nothing here changes anything.
#include "core/base/prefetch.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/eppc/engine.h"
#include "core/eppc/flow_hash.h"
#include "core/wire/ethernet.h"

namespace dyetrace::eppc {
namespace {

/// What of a peer both halves of the data path read stands at its beginning, up to where its paths are.
void prefetch_front(const Peer& peer) {
    prefetch_lines(&peer, &peer.paths);
}

/// The source address of an IP packet in an Ethernet frame; unspecified where it is none.
IpAddress source_of(Bytes frame) {
    constexpr std::size_t kIp = wire::EthernetHeader::kSize;
    if (frame.size() < kIp + wire::Ipv4Header::kSize) return {};
    const std::uint16_t ether_type = load_u16(&frame[12]);
    if (ether_type == wire::kEtherTypeIpv4) return Ipv4Address{load_u32(&frame[kIp + 12])};
    if (ether_type == wire::kEtherTypeIpv6 && frame.size() >= kIp + wire::Ipv6Header::kSize)
        return load_ip(&frame[kIp + 8]);
    return {};
}

/// What is counted of the path that a frame from the peer has come by.
void prefetch_received(const Peer& peer, Bytes frame) {
    // Where the UDP source port of what an engine sends is.
    const std::size_t udp = wire::EthernetHeader::kSize +
                            (peer.outer.is_ipv4() ? wire::Ipv4Header::kSize : wire::Ipv6Header::kSize);
    if (frame.size() < udp + 2) return;
    const std::size_t port = static_cast<std::uint16_t>(load_u16(&frame[udp]) - peer.announced_base);
    if (port < peer.received.size()) prefetch_line(&peer.received[port]);
}

}  // namespace

void Eppc::Engine::expect_from_guest(GuestPort port, std::span<const wire::FrameBuffer* const> frames) const {
    const Guest* const guest = overlay.guest_at(port);
    if (guest == nullptr) return;
    struct Expected {
        const Peer* peer = nullptr;
        PathIndex path;
    };
    std::array<Expected, kBatchMost> expected;
    const std::size_t count = std::min(frames.size(), expected.size());
    const auto destination = [&](std::size_t i) {
        return OverlayAddress::destination_of(frames[i]->head(), guest->vni);
    };
    const auto is_frame = [&](std::size_t i) {
        return frames[i]->head_size() >= wire::EthernetHeader::kSize;
    };
    for (std::size_t i = 0; i < count; ++i)
        if (is_frame(i)) overlay.prefetch(destination(i));
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t* const peer = is_frame(i) ? overlay.peer_of(destination(i)) : nullptr;
        expected[i].peer = peer == nullptr ? nullptr : &peers_[*peer];
        if (peer != nullptr) prefetch_front(*expected[i].peer);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (expected[i].peer == nullptr) continue;
        const Bytes inner = frames[i]->head();
        expected[i].path =
            path_of(flow_hash(inner, wire::inspect_guest_frame(inner), flow_seed_), config.path_count);
        expected[i].peer->paths.prefetch(expected[i].path);
        for (const session::RequesterSession& session : expected[i].peer->requested)
            session.prefetch();
    }
}

void Eppc::Engine::expect_from_underlay(std::span<const wire::FrameBuffer* const> frames) const {
    std::array<const Peer*, kBatchMost> expected;
    const std::size_t count = std::min(frames.size(), expected.size());
    for (std::size_t i = 0; i < count; ++i)
        peer_index_.prefetch(source_of(frames[i]->head()));
    for (std::size_t i = 0; i < count; ++i) {
        const auto peer = find_peer(source_of(frames[i]->head()));
        expected[i] = peer ? &peers_[*peer] : nullptr;
        if (peer) prefetch_front(*expected[i]);
    }
    for (std::size_t i = 0; i < count; ++i)
        if (expected[i] != nullptr) prefetch_received(*expected[i], frames[i]->head());
}

/// What stands first in the engine, and every data packet asks for.
void Eppc::Engine::prefetch_own() const {
    prefetch_line(&config);
    prefetch_lines(&overlay, &counters);
    prefetch_lines(&attention_at_, &flow_tap_);
}

void Eppc::Engine::expect_from_underlay(Bytes frame, Step step) const {
    switch (step) {
        case Step::Engine: return prefetch_own();
        case Step::Tables:
            peer_index_.prefetch(source_of(frame));
            peers_.prefetch(0);
            overlay.prefetch_guest(last_.delivered);
            return;
        case Step::Peer:
            if (const auto peer = find_peer(source_of(frame))) prefetch_front(peers_[*peer]);
            return;
        case Step::Paths:
            if (const auto peer = find_peer(source_of(frame))) prefetch_received(peers_[*peer], frame);
            return;
    }
}

void Eppc::Engine::expect_from_guest(Step step) const {
    if (step == Step::Engine) return prefetch_own();
    if (last_.peer >= peers_.size()) return;
    if (step == Step::Tables) {
        overlay.prefetch(last_.from);
        overlay.prefetch(last_.to);
        peers_.prefetch(last_.peer);
        return;
    }
    const Peer& peer = peers_[last_.peer];
    if (step == Step::Peer) return prefetch_front(peer);
    peer.paths.prefetch(last_.path);
    for (const session::RequesterSession& session : peer.requested)
        session.prefetch();
}

}  // namespace dyetrace::eppc
