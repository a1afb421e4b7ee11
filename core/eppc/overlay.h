// SPDX-License-Identifier: GPL-2.0-or-later
// Who is where in the overlay: this host's guests, and which peer carries every other guest.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/base/result.h"

namespace dyetrace::eppc {

/// An address inside one virtual network.
struct OverlayAddress {
    Vni vni;
    MacAddress mac;

    bool operator==(const OverlayAddress&) const = default;
};

struct OverlayAddressHash {
    std::size_t operator()(const OverlayAddress& a) const noexcept {
        return mix64(a.mac.to_integer() << 16 ^ a.vni.value);
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
    /// `peer` is an index into the engine's table of peers.
    Result<Done, std::string> add_remote(const OverlayAddress& address, std::uint32_t peer);

    [[nodiscard]] const Guest* guest_at(GuestPort port) const {
        const auto it = by_port_.find(port);
        return it == by_port_.end() ? nullptr : &it->second;
    }
    [[nodiscard]] std::optional<GuestPort> port_of(const OverlayAddress& address) const {
        const auto it = ports_.find(address);
        return it == ports_.end() ? std::nullopt : std::optional{it->second};
    }
    [[nodiscard]] bool has_vni(Vni vni) const { return vnis_.contains(vni); }
    [[nodiscard]] std::optional<std::uint32_t> peer_of(const OverlayAddress& address) const {
        const auto it = remotes_.find(address);
        return it == remotes_.end() ? std::nullopt : std::optional{it->second};
    }

  private:
    std::size_t guests_most_;
    std::size_t remotes_most_;
    std::unordered_map<GuestPort, Guest> by_port_;
    std::unordered_map<OverlayAddress, GuestPort, OverlayAddressHash> ports_;
    std::unordered_map<Vni, std::uint32_t> vnis_;  ///< guests in each
    std::unordered_map<OverlayAddress, std::uint32_t, OverlayAddressHash> remotes_;
};

}  // namespace dyetrace::eppc
