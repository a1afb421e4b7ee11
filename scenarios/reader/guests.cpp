// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/guests.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/base/name_pattern.h"

namespace dyetrace::scenario {
namespace {

std::vector<OverlayGuest> in_networks_of(const Scenario& scenario, const TenantSettings& tenant) {
    std::vector<OverlayGuest> guests = overlay_guests(scenario);
    std::erase_if(guests, [&](const OverlayGuest& guest) {
        return std::find(tenant.vnis.begin(), tenant.vnis.end(), guest.vni) == tenant.vnis.end();
    });
    return guests;
}

}  // namespace

std::vector<OverlayGuest> overlay_guests(const Scenario& scenario) {
    const localise::FabricPlan& plan = *scenario.fabric.plan;
    const auto hosts = static_cast<std::uint32_t>(plan.host_count());
    std::vector<OverlayGuest> guests;
    // Each host has a guest anyway, which is of the first workload; every other workload has guests of its
    // own.
    std::uint32_t next = hosts;
    for (std::size_t i = 0; i < scenario.workloads.size(); ++i) {
        const WorkloadSettings& workload = scenario.workloads[i];
        for (std::uint32_t host = 0; host < hosts; ++host) {
            if (!matches_name_pattern(workload.hosts, plan.nodes()[host].name)) continue;
            guests.push_back({i == 0 ? host : next++, host, workload.vni});
        }
    }
    return guests;
}

std::vector<std::optional<std::size_t>> named_of(const Scenario& scenario, const TenantSettings& tenant,
                                                 const std::vector<OverlayGuest>& guests) {
    std::vector<std::optional<std::size_t>> named;
    std::set<std::size_t> taken;
    for (const TenantGuest& wanted : tenant.guests) {
        std::optional<std::size_t>& found = named.emplace_back();
        const auto host = scenario.fabric.plan->find(wanted.host);
        for (std::size_t i = 0; host && !found && i < guests.size(); ++i) {
            const bool is_in = !wanted.vni || *wanted.vni == guests[i].vni;
            if (guests[i].host == *host && is_in && taken.insert(i).second) found = i;
        }
    }
    return named;
}

std::vector<NamedGuest> guests_of(const Scenario& scenario, const TenantSettings& tenant) {
    const std::vector<OverlayGuest> guests = in_networks_of(scenario, tenant);
    std::vector<NamedGuest> out;
    for (const OverlayGuest& guest : guests)
        out.push_back({fmt::format("vm-{}", out.size() + 1), guest});
    const auto named = named_of(scenario, tenant, guests);
    for (std::size_t i = 0; i < named.size(); ++i) {
        if (named[i]) out[*named[i]].name = tenant.guests[i].name;
    }
    return out;
}

const TenantSettings* find_tenant(const Scenario& scenario, std::string_view name) {
    const auto it = std::find_if(scenario.tenants.begin(), scenario.tenants.end(),
                                 [&](const TenantSettings& tenant) { return tenant.name == name; });
    return it == scenario.tenants.end() ? nullptr : &*it;
}

const NamedGuest* find_guest(const std::vector<NamedGuest>& guests, std::string_view name) {
    const auto it = std::find_if(guests.begin(), guests.end(),
                                 [&](const NamedGuest& guest) { return guest.name == name; });
    return it == guests.end() ? nullptr : &*it;
}

std::uint32_t vni_of(const ProbeSettings& probe, const TenantSettings& tenant,
                     const std::vector<NamedGuest>& guests) {
    if (probe.vni) return *probe.vni;
    for (const auto& name : {probe.from, probe.to}) {
        const NamedGuest* const guest = name ? find_guest(guests, *name) : nullptr;
        if (guest != nullptr) return guest->guest.vni;
    }
    return tenant.vnis.empty() ? 0 : tenant.vnis.front();
}

}  // namespace dyetrace::scenario
