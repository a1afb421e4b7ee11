// SPDX-License-Identifier: GPL-2.0-or-later
// Who is where in the overlay: this host's guests, and which peer carries every other guest. Guests come, go
// and move while packets flow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/flat_table.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/base/result.h"

namespace dyetrace::eppc {

/// An address inside one virtual network. The MAC address is a number here, as it is compared and hashed.
struct OverlayAddress {
    Vni vni;
    std::uint64_t mac = 0;

    OverlayAddress() = default;
    OverlayAddress(Vni its_vni, const MacAddress& its_mac) : vni(its_vni), mac(its_mac.to_integer()) {}
    /// Where a guest's frame goes. Precondition: frame.size() >= 14.
    static OverlayAddress destination_of(Bytes frame, Vni vni) {
        OverlayAddress address;
        address.vni = vni;
        address.mac = load_u64(&frame[0]) >> 16;
        return address;
    }

    bool operator==(const OverlayAddress&) const = default;
    [[nodiscard]] bool is_group() const { return (mac >> 40 & 1) != 0; }  ///< broadcast or multicast
    [[nodiscard]] std::string mac_to_string() const { return MacAddress::from_integer(mac).to_string(); }
};

struct OverlayAddressHash {
    std::size_t operator()(const OverlayAddress& a) const noexcept {
        return table_hash(a.mac << 16 ^ a.vni.value);
    }
};
struct NumberHash {
    template <class Id>
    std::size_t operator()(const Id& id) const noexcept {
        return table_hash(id.value);
    }
};

struct Guest {
    GuestPort port;
    Vni vni;
    MacAddress mac;
};

/// Look-ups only; nothing is ever listed, so hash order never shows.
class Overlay {
  public:
    Overlay(std::size_t guests_most, std::size_t remotes_most)
        : guests_most_(guests_most), remotes_most_(remotes_most) {}

    Result<Done, std::string> add_guest(const Guest& guest);
    /// Whether a guest was plugged in there.
    bool remove_guest(GuestPort port);
    /// `peer` is an index into the engine's table of peers. One that is known is moved to that peer; whether
    /// it is relayed stays.
    Result<Done, std::string> add_remote(const OverlayAddress& address, std::uint32_t peer);

    /// Whether it was known.
    bool remove_remote(const OverlayAddress& address) { return remotes_.erase(address); }
    [[nodiscard]] std::size_t guests() const { return by_port_.size(); }

    [[nodiscard]] const Guest* guest_at(GuestPort port) const { return by_port_.find(port); }
    [[nodiscard]] const GuestPort* port_of(const OverlayAddress& address) const {
        return ports_.find(address);
    }
    [[nodiscard]] bool has_vni(Vni vni) const { return vnis_.contains(vni); }
    [[nodiscard]] const std::uint32_t* peer_of(const OverlayAddress& address) const {
        const Remote* const remote = remotes_.find(address);
        return remote == nullptr ? nullptr : &remote->peer;
    }
    /// What comes from other peers for that address, a remote's, goes on to its peer.
    void relay(const OverlayAddress& address) { remotes_[address].is_relayed = true; }
    /// Nothing where what comes for it is not relayed.
    [[nodiscard]] const std::uint32_t* relayed_to(const OverlayAddress& address) const {
        const Remote* const remote = remotes_.find(address);
        return remote == nullptr || !remote->is_relayed ? nullptr : &remote->peer;
    }
    /// Before `peer_of`.
    void prefetch(const OverlayAddress& address) const { remotes_.prefetch(address); }
    /// Before `guest_at`, and before `port_of`.
    void prefetch(GuestPort port) const { by_port_.prefetch(port); }
    void prefetch_guest(const OverlayAddress& address) const { ports_.prefetch(address); }

    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t guests, std::size_t remotes) {
        return decltype(by_port_)::memory_bound(guests) + decltype(ports_)::memory_bound(guests) +
               decltype(vnis_)::memory_bound(guests) + decltype(remotes_)::memory_bound(remotes);
    }

  private:
    struct Remote {
        std::uint32_t peer = 0;
        bool is_relayed = false;
    };

    // Those that data packets ask come first.
    FlatTable<GuestPort, Guest, NumberHash> by_port_;
    FlatTable<OverlayAddress, GuestPort, OverlayAddressHash> ports_;
    FlatTable<OverlayAddress, Remote, OverlayAddressHash> remotes_;
    FlatTable<Vni, std::uint32_t, NumberHash> vnis_;  ///< guests in each
    std::size_t guests_most_;
    std::size_t remotes_most_;
};

}  // namespace dyetrace::eppc
