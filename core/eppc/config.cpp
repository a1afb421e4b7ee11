// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/config.h"

#include <algorithm>

#include "core/eppc/engine.h"

namespace dyetrace::eppc {

session::RetransmitPolicy retransmit_policy(const EppcConfig& config) {
    return {config.retransmit_first, config.retransmit_last, config.retransmit_most};
}

PathTracerConfig tracer_config(const EppcConfig& config) {
    return {config.bounds.traces,  config.bounds.trace_queue, config.trace_ttl_most,
            config.trace_attempts, config.trace_timeout,      config.trace_spacing};
}

/// Packets of followed flows that wait for an update, 200 bytes each.
constexpr std::size_t kFlowEntriesMost = 1024;

UpdateSenderConfig update_config(const EppcConfig& config) {
    UpdateSenderConfig update;
    update.interval = config.update_interval;
    update.retransmit = retransmit_policy(config);
    update.entries_most = config.bounds.update_entries;
    update.timings_most = config.bounds.update_timings;
    if (config.flow_traces > 0) update.flows_most = kFlowEntriesMost;
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

std::string version_of(const IpAddress& address) {
    return address.to_string() + (address.is_ipv4() ? " is IPv4" : " is IPv6");
}

namespace {

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

}  // namespace

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
    if (config.flow_traces > FlowTap::kFlowsMost)
        return "flow_traces: must be 0 to " + std::to_string(FlowTap::kFlowsMost);
    if (config.flow_capture > wire::FlowTraceSpec::kCaptureMost) return "flow_capture: must be 0 to 128";
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

}  // namespace dyetrace::eppc
