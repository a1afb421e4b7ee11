// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/config.h"

#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>
#include <tuple>

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/tracking/sampling_settings.h"
#include "host/config_table.h"
#include "host/shared_key.h"
#include "scenarios/reader/engine_types.h"
#include "scenarios/reader/types.h"

namespace dyetrace::host {
namespace {

using scenario::BooleanType;
using scenario::Diagnostics;
using scenario::DurationType;
using scenario::IntegerType;
using scenario::SecretType;
using scenario::ShareType;
using scenario::SizeType;
using scenario::SourceText;
using scenario::TextType;

constexpr IntegerType kPort{1, 65535};
constexpr IntegerType kTagRate{0, 1'000'000'000};
constexpr IntegerType kVni{0, 0xffffff};
constexpr SizeType kRing{128 << 10, 1 << 30};
constexpr std::size_t kIpv6MtuLeast = 1280;  ///< RFC 8200 §5
/// Below a millisecond the daemon would do nothing but keep time; beyond a day nobody waits.
const DurationType kInterval{Duration::milliseconds(1), Duration::seconds(86'400)};
const DurationType kAnyLength{Duration{}, Duration::seconds(366LL * 86'400)};

template <class T>
using ChoiceType = scenario::ChoiceType<T>;

ChoiceType<eppc::EcnMode> ecn_type() {
    return {{{"normal", eppc::EcnMode::Normal}, {"compatibility", eppc::EcnMode::Compatibility}}};
}
ChoiceType<eppc::UdpChecksum> udp_checksum_type() {
    using eppc::UdpChecksum;
    return {{{"default", UdpChecksum::Default}, {"zero", UdpChecksum::Zero}, {"full", UdpChecksum::Full}}};
}
ChoiceType<eppc::InnerVlan> inner_vlan_type() {
    return {{{"strip", eppc::InnerVlan::Strip}, {"keep", eppc::InnerVlan::Keep}}};
}
ChoiceType<wire::Encapsulation> encapsulation_type() {
    return {{{"geneve", wire::Encapsulation::Geneve}, {"vxlan", wire::Encapsulation::Vxlan}}};
}

/// The underlay has one version of IP. Nothing is told where its own address is missing, which is an error.
void require_same_version(ConfigTable& table, const char* key, const IpAddress& address,
                          const IpAddress& own) {
    if (own.is_unspecified() || address.is_ipv4() == own.is_ipv4()) return;
    const auto version = [](const IpAddress& of) { return of.is_ipv4() ? "IPv4" : "IPv6"; };
    table.error(key,
                {fmt::format("this is {}, but underlay.address is {}", version(address), version(own)), ""});
}

void read_underlay(ConfigTable table, HostConfig& config) {
    eppc::EppcConfig& eppc = config.eppc;
    table.require("interface", TextType{"network interface"}, config.underlay.interface);
    table.require("address", IpType{}, eppc.address);
    table.require("gateway_mac", MacType{}, eppc.gateway_mac);
    table.read("mac", MacType{}, config.underlay.mac);
    table.read("mtu", IntegerType{128, 65535}, config.underlay.mtu);
    table.read("ring", kRing, config.underlay.ring_bytes);
    table.read("geneve_port", kPort, eppc.geneve_port);
    table.read("vxlan_port", kPort, eppc.vxlan_port);
    table.read("vxlan_control_vni", kVni, eppc.vxlan_control_vni.value);
    table.read("vxlan_vlan", inner_vlan_type(), eppc.vxlan_vlan);
    table.read("udp_checksum", udp_checksum_type(), eppc.udp_checksum);
    table.read("ecn", ecn_type(), eppc.ecn);
    table.read("source_port_base", kPort, eppc.source_port_base);
    table.read("dscp", IntegerType{0, 63}, eppc.dscp);
    table.read("option_class", IntegerType{0, 0xffff}, eppc.option_class);
    const bool is_ipv4 = eppc.address.is_unspecified() || eppc.address.is_ipv4();
    if (!is_ipv4 && eppc.udp_checksum == eppc::UdpChecksum::Zero) {
        // RFC 6936 §5 (1): not for whoever may turn up.
        table.error("udp_checksum",
                    {"over IPv6 there is always one, but to peers of which the file says else",
                     "udp_checksum = \"zero\" of a [[peer]]"});
    }
    if (!is_ipv4 && config.underlay.mtu && *config.underlay.mtu < kIpv6MtuLeast)
        table.error("mtu", {"an IPv6 link carries 1280 bytes at least", ""});
    if (eppc.vxlan_port == eppc.geneve_port) {
        table.error(table.has("vxlan_port") ? "vxlan_port" : "geneve_port",
                    {"Geneve and VXLAN need ports of their own", ""});
    }
    table.finish();
}

/// The key of `key` or of the file `key_file` of a table.
std::optional<auth::SharedKey> read_key(ConfigTable& table, bool is_open_to_others) {
    std::optional<auth::SharedKey> secret;
    table.read("key", SecretType{}, secret);
    std::string file;
    if (table.read("key_file", TextType{"file"}, file)) {
        const auto key = read_key_file(file);
        if (key) secret = *key;
        if (!key) table.error("key_file", key.error());
    }
    if (table.has("key") && is_open_to_others) {
        table.warning("key", {"other users can read this file, and the key in it", "chmod 600, or key_file"});
    }
    if (table.has("key") && table.has("key_file")) {
        table.error("key_file", {"there is a key already", "keep one of key and key_file"});
    }
    return secret;
}

void read_other_key(ConfigTable& table, eppc::EppcConfig& eppc, bool is_open_to_others) {
    auth::NamedKey other;
    const auto secret = read_key(table, is_open_to_others);
    const bool has_id = table.require("key_id", IntegerType{0, 255}, other.id.value);
    if (!table.has("key") && !table.has("key_file")) table.missing("key_file");
    if (secret) other.key = *secret;
    if (has_id) eppc.other_keys.push_back(other);
    table.finish();
}

void read_auth(ConfigTable table, eppc::EppcConfig& eppc, bool is_open_to_others) {
    eppc.key = read_key(table, is_open_to_others);
    table.read("key_id", IntegerType{0, 255}, eppc.key_id.value);
    table.read("insecure", BooleanType{}, eppc.insecure);
    for (ConfigTable& other : table.tables("other_keys"))
        read_other_key(other, eppc, is_open_to_others);
    if (const auto ring = auth::KeyRing::make({eppc.key_id, {}}, eppc.other_keys); !ring)
        table.error("other_keys", {ring.error(), "every key has an id of its own"});
    const bool has_key = table.has("key") || table.has("key_file");
    if (has_key && eppc.insecure) table.error("insecure", {"this contradicts the key", ""});
    if (!has_key && !eppc.insecure) table.missing("key_file");
    table.finish();
}

/// A rate that no N has, and that would silently become another, is told.
void check_rate(ConfigTable& table, double rate) {
    constexpr double kNMost = std::numeric_limits<std::uint32_t>::max();
    const double n = std::round(1.0 / rate);
    if (rate == 0 || (n <= kNMost && std::abs(1.0 / n - rate) <= 0.01 * rate)) return;
    table.error("rate", {fmt::format("every Nth packet cannot be a share of {}", rate),
                         "1/N for a whole N, or sampling = \"probability\""});
}

void read_sampling(ConfigTable& table, eppc::EppcConfig& eppc) {
    using Kind = wire::SamplingSpec::Kind;
    constexpr std::int64_t kParameterMost = wire::SamplingSpec::kParameterMost;
    tracking::SamplingSettings settings;
    table.read("rate", ShareType{}, settings.rate);
    table.read("sampling", scenario::sampling_type(), settings.sampling);
    const bool has_seed = table.read("sampling_seed", IntegerType{0, kParameterMost}, settings.sampling_seed);
    const bool has_budget =
        table.read("sampling_budget", IntegerType{1, 1'000'000'000}, settings.sampling_budget);
    const bool has_burst =
        table.read("sampling_burst", IntegerType{1, kParameterMost}, settings.sampling_burst);
    table.read("flow_filter", scenario::FlowFilterType{}, eppc.flow_filter);
    table.read("metrics", scenario::MetricsType{}, eppc.metrics);
    if (settings.sampling == Kind::EveryNth) check_rate(table, settings.rate);
    eppc.sampling = settings.spec();
    eppc.sampling.filtered = !eppc.flow_filter.rules.empty();
    const auto of_kind = [&](const char* key, bool is_given, Kind kind) {
        if (!is_given || settings.sampling == kind) return;
        table.warning(key,
                      {fmt::format("this means nothing for {}", wire::to_string(settings.sampling)), ""});
    };
    of_kind("sampling_seed", has_seed, Kind::HashConsistent);
    of_kind("sampling_budget", has_budget, Kind::RateBudget);
    of_kind("sampling_burst", has_burst, Kind::RateBudget);
}

void read_tracking(ConfigTable table, eppc::EppcConfig& eppc) {
    read_sampling(table, eppc);
    table.read("path_count", IntegerType{1, 1024}, eppc.path_count);
    table.read("port_count", IntegerType{0, 2048}, eppc.port_count);
    table.read("port_rest", kAnyLength, eppc.port_rest);
    table.read("open_on_traffic", BooleanType{}, eppc.open_on_traffic);
    table.read("traffic_sessions", IntegerType{0, 1'000'000}, eppc.traffic_sessions);
    table.read("choice_interval", kInterval, eppc.choice_interval);
    table.read("turn", kAnyLength, eppc.turn);
    table.read("near_prefix", IntegerType{0, eppc.address.is_ipv4() ? 32 : 128}, eppc.near_prefix);
    table.read("tracked_per_second", kTagRate, eppc.tracked_per_second);
    table.read("accepted_per_second", kTagRate, eppc.accepted_per_second);
    table.read("load_most", ShareType{}, eppc.load_most);
    table.read("report_interval", kInterval, eppc.report_interval);
    table.read("ride_wait", kAnyLength, eppc.ride_wait);
    table.read("path_idle", kInterval, eppc.path_idle);
    table.read("waiting_time", kAnyLength, eppc.waiting_time);
    table.read("session_duration", kAnyLength, eppc.session_duration);
    table.read("retransmit_first", kInterval, eppc.retransmit_first);
    table.read("retransmit_last", kInterval, eppc.retransmit_last);
    table.read("retransmit_most", IntegerType{1, 100}, eppc.retransmit_most);
    table.read("keep_alive_interval", kInterval, eppc.keep_alive_interval);
    table.read("accept_sessions", BooleanType{}, eppc.accept_sessions);
    table.read("reject_back_off", kInterval, eppc.reject_back_off);
    table.read("trace_paths", BooleanType{}, eppc.trace_paths);
    table.read("trace_ttl_most", IntegerType{1, 24}, eppc.trace_ttl_most);
    table.read("trace_timeout", kInterval, eppc.trace_timeout);
    table.read("trace_attempts", IntegerType{1, 100}, eppc.trace_attempts);
    table.read("trace_spacing", kAnyLength, eppc.trace_spacing);
    table.read("trace_retry", kAnyLength, eppc.trace_retry);
    if (eppc.retransmit_last < eppc.retransmit_first) {
        const char* key = table.has("retransmit_last") ? "retransmit_last" : "retransmit_first";
        table.error(key, {"retransmit_last is below retransmit_first", ""});
    }
    if (eppc.port_count != 0 && eppc.port_count < eppc.path_count) {
        table.error("port_count", {fmt::format("{} paths need as many ports", eppc.path_count), ""});
    }
    const int ports = std::max(eppc.path_count, eppc.port_count);
    if (eppc.source_port_base + ports > 65536) {
        table.error(eppc.port_count > eppc.path_count ? "port_count" : "path_count",
                    {fmt::format("{} ports from underlay.source_port_base = {} on run past 65535", ports,
                                 eppc.source_port_base),
                     ""});
    }
    table.finish();
}

void read_health(ConfigTable table, eppc::EppcConfig& eppc) {
    table.read("nhms", EndpointType{}, eppc.nhms);
    table.read("management_port", kPort, eppc.management_port);
    table.read("update_interval", kInterval, eppc.update_interval);
    if (eppc.nhms && (eppc.management_port == eppc.geneve_port || eppc.management_port == eppc.vxlan_port)) {
        const bool is_geneve = eppc.management_port == eppc.geneve_port;
        table.error("management_port",
                    {is_geneve ? "this is underlay.geneve_port" : "this is underlay.vxlan_port", ""});
    }
    if (eppc.nhms) require_same_version(table, "nhms", eppc.nhms->address, eppc.address);
    table.finish();
}

/// A test holds these against EppcBounds.
struct Bound {
    const char* key;
    std::size_t eppc::EppcBounds::*field;
    std::int64_t most = 100'000'000;
};
constexpr Bound kBounds[] = {
    {"guests", &eppc::EppcBounds::guests},
    {"remotes", &eppc::EppcBounds::remotes},
    {"peers", &eppc::EppcBounds::peers},
    {"requested_sessions", &eppc::EppcBounds::requested_sessions},
    {"requested_to_peer", &eppc::EppcBounds::requested_to_peer},
    {"accepted_sessions", &eppc::EppcBounds::accepted_sessions},
    {"accepted_from_peer", &eppc::EppcBounds::accepted_from_peer},
    {"paths_from_peer", &eppc::EppcBounds::paths_from_peer},
    {"accepted_paths", &eppc::EppcBounds::accepted_paths},
    {"announced_ports", &eppc::EppcBounds::announced_ports},
    {"sketches", &eppc::EppcBounds::sketches},
    {"outputs", &eppc::EppcBounds::outputs},
    {"update_entries", &eppc::EppcBounds::update_entries},
    {"update_timings", &eppc::EppcBounds::update_timings},
    {"traces", &eppc::EppcBounds::traces, 1024},
    {"trace_queue", &eppc::EppcBounds::trace_queue},
};

void read_bounds(ConfigTable table, eppc::EppcBounds& bounds) {
    for (const Bound& bound : kBounds)
        table.read(bound.key, IntegerType{1, bound.most}, bounds.*bound.field);
    table.finish();
}

/// What of host and overlay is already in use.
struct Taken {
    std::set<std::tuple<std::uint32_t, MacAddress>> addresses;  ///< VNI and MAC
    std::set<std::string> interfaces;
    std::set<IpAddress> peers;
};

bool read_overlay_address(ConfigTable& table, Vni& vni, MacAddress& mac, Taken& taken) {
    const bool has_vni = table.require("vni", kVni, vni.value);
    const bool has_mac = table.require("mac", MacType{}, mac);
    if (!has_vni || !has_mac) return false;
    if (taken.addresses.emplace(vni.value, mac).second) return true;
    table.error("mac", {fmt::format("{} is already in VNI {}", mac.to_string(), vni.value), ""});
    return false;
}

void read_guest(ConfigTable table, HostConfig& config, Taken& taken) {
    GuestSettings guest;
    const bool is_tap = table.has("tap");
    if (is_tap) guest.kind = GuestSettings::Kind::Tap;
    bool named = table.read("interface", TextType{"network interface"}, guest.interface);
    named = table.read("tap", TextType{"TAP device"}, guest.interface) || named;
    const char* key = is_tap ? "tap" : "interface";
    if (is_tap && table.has("interface")) {
        table.error(key, {"there is an interface already", "interface is one that exists, tap one to make"});
    } else if (!is_tap && !table.has("interface")) {
        table.missing("interface");
    } else if (named && !taken.interfaces.insert(guest.interface).second) {
        table.error(key, {fmt::format("\"{}\" is already in use", guest.interface), ""});
    }
    table.read("ring", kRing, guest.ring_bytes);
    read_overlay_address(table, guest.vni, guest.mac, taken);
    config.guests.push_back(guest);
    table.finish();
}

/// Of one path, how often it is to be moved.
void read_generation(ConfigTable table, PeerSettings& peer, std::uint16_t path_count) {
    PathIndex path;
    PathGeneration generation;
    const bool has_path = table.require("path", IntegerType{0, path_count - 1}, path.value);
    const bool has_generation = table.require("generation", IntegerType{0, 255}, generation.value);
    if (has_path && has_generation && !peer.generations.emplace(path, generation).second)
        table.error("path", {fmt::format("path {} is there already", path.value), ""});
    table.finish();
}

void read_peer(ConfigTable table, HostConfig& config, Taken& taken) {
    PeerSettings peer;
    if (table.require("address", IpType{}, peer.address)) {
        if (peer.address == config.eppc.address) table.error("address", {"this is underlay.address", ""});
        if (!taken.peers.insert(peer.address).second) {
            table.error("address", {fmt::format("peer {} is there already", peer.address.to_string()), ""});
        }
        require_same_version(table, "address", peer.address, config.eppc.address);
    }
    table.read("encapsulation", encapsulation_type(), peer.options.encapsulation);
    table.read("udp_checksum", udp_checksum_type(), peer.options.udp_checksum);
    table.read("ecn", ecn_type(), peer.options.ecn);
    for (ConfigTable& path : table.tables("paths"))
        read_generation(path, peer, config.eppc.path_count);
    for (ConfigTable& guest : table.tables("guests")) {
        RemoteSettings remote;
        remote.peer = peer.address;
        guest.read("relay", BooleanType{}, remote.relay);
        if (read_overlay_address(guest, remote.vni, remote.mac, taken)) config.remotes.push_back(remote);
        guest.finish();
    }
    config.peers.push_back(std::move(peer));
    table.finish();
}

HostConfig read_root(ConfigTable root, bool is_open_to_others) {
    HostConfig config;
    Taken taken;
    const eppc::EppcBounds& bounds = config.eppc.bounds;
    root.read("drain_timeout", kAnyLength, config.drain_timeout);
    read_underlay(root.table("underlay"), config);
    taken.interfaces.insert(config.underlay.interface);
    read_auth(root.table("auth"), config.eppc, is_open_to_others);
    read_tracking(root.table("tracking"), config.eppc);
    read_health(root.table("health"), config.eppc);
    read_bounds(root.table("bounds"), config.eppc.bounds);
    for (ConfigTable& guest : root.tables("guest"))
        read_guest(guest, config, taken);
    for (ConfigTable& peer : root.tables("peer"))
        read_peer(peer, config, taken);
    const auto bound = [&](const char* key, std::size_t count, std::size_t most, const char* name) {
        if (count > most) root.error(key, {fmt::format("more than bounds.{} = {}", name, most), ""});
    };
    bound("guest", config.guests.size(), bounds.guests, "guests");
    bound("peer", taken.peers.size(), bounds.peers, "peers");
    bound("peer", config.remotes.size(), bounds.remotes, "remotes");
    root.finish();
    return config;
}

}  // namespace

HostConfig parse_config(const std::string& file, const std::string& text, Diagnostics& diagnostics,
                        bool is_open_to_others) {
    const SourceText source(file, text);
    const scenario::Document document = scenario::parse_document(source, diagnostics);
    ConfigInput input{source, diagnostics, {}, document.whole};
    HostConfig config = read_root(ConfigTable(document.root, "", {}, input), is_open_to_others);
    diagnostics.sort(file);
    return config;
}

HostConfig load_config(const std::string& file, Diagnostics& diagnostics) {
    errno = 0;
    std::ifstream input(file, std::ios::binary);
    std::ostringstream text;
    if (input) text << input.rdbuf();
    if (!input || !text) {
        scenario::Diagnostic diagnostic;
        diagnostic.input = file;
        diagnostic.message = errno != 0 ? std::generic_category().message(errno) : "cannot be read";
        diagnostics.add(std::move(diagnostic));
        return {};
    }
    struct stat status {};
    const bool is_open = ::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
    return parse_config(file, text.str(), diagnostics, is_open);
}

auth::NamedKey sending_key(const HostConfig& config) {
    return {config.eppc.key_id, config.eppc.key.value_or(auth::SharedKey{})};
}

std::vector<std::string> config_keys() {
    // One of everything, so that every reader asks for its keys.
    const std::string text =
        "guest = [{}]\npeer = [{ guests = [{}], paths = [{}] }]\nauth = { other_keys = [{}] }\n";
    const SourceText source("", text);
    Diagnostics ignored;
    const scenario::Document document = scenario::parse_document(source, ignored);
    ConfigInput input{source, ignored, {}, document.whole};
    read_root(ConfigTable(document.root, "", {}, input), false);
    return input.known;
}

}  // namespace dyetrace::host
