// SPDX-License-Identifier: GPL-2.0-or-later
// What eppcd.toml says. docs/host.md explains every key; host/eppcd.toml shows each with its default.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/eppc/config.h"
#include "scenarios/reader/diagnostics.h"

namespace dyetrace::host {

struct UnderlaySettings {
    std::string interface;
    std::optional<MacAddress> mac;   ///< none: the interface's
    std::optional<std::size_t> mtu;  ///< none: the interface's
    std::size_t ring_bytes = std::size_t{16} << 20;
};

struct GuestSettings {
    enum class Kind { Interface, Tap };
    Kind kind = Kind::Interface;
    std::string interface;  ///< a veth's host end, a hypervisor's TAP; or the TAP to make
    Vni vni;
    MacAddress mac;
    std::size_t ring_bytes = std::size_t{8} << 20;
};

struct PeerSettings {
    IpAddress address;
    eppc::PeerOptions options;
    /// Of its paths, those that the file names: how often each was to be moved (Daemon).
    std::map<PathIndex, PathGeneration> generations;
};

/// A guest that a peer carries.
struct RemoteSettings {
    IpAddress peer;
    Vni vni;
    MacAddress mac;
    bool relay = false;  ///< what comes for it from other peers goes on to that one
};

struct HostConfig {
    eppc::EppcConfig
        eppc;  ///< mac and underlay_mtu are still the defaults where the file leaves them to the interface
    UnderlaySettings underlay;
    std::vector<GuestSettings> guests;  ///< a guest's port is its index
    std::vector<PeerSettings> peers;
    std::vector<RemoteSettings> remotes;
    Duration drain_timeout = Duration::seconds(2);  ///< how long an orderly end may take
};

/// Reads a configuration; every error of the text is added to `diagnostics`, with its place. Reads the key
/// file too, if one is named. The result is good only where no error was added. `is_open_to_others`: a key in
/// the text is no secret.
HostConfig parse_config(const std::string& file, const std::string& text, scenario::Diagnostics& diagnostics,
                        bool is_open_to_others = false);
HostConfig load_config(const std::string& file, scenario::Diagnostics& diagnostics);

/// The keys that a configuration says, for `eppc::Eppc::set_keys`.
auth::NamedKey sending_key(const HostConfig& config);

/// All keys that a file may have, as "section.key", in the order of host/eppcd.toml.
std::vector<std::string> config_keys();

}  // namespace dyetrace::host
