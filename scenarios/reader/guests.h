// SPDX-License-Identifier: GPL-2.0-or-later
// The overlay's guests as a scenario has them: whose they are, where, and what their tenants call them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

struct OverlayGuest {
    std::uint32_t number = 0;  ///< in the overlay: the first workload's have those of their hosts
    std::uint32_t host = 0;    ///< node of the fabric's plan
    std::uint32_t vni = 0;
};
/// Of all workloads, by number. `scenario.fabric` has a plan.
[[nodiscard]] std::vector<OverlayGuest> overlay_guests(const Scenario& scenario);

struct NamedGuest {
    std::string name;
    OverlayGuest guest;
};
/// The guests of a tenant, by number: those in its virtual networks.
[[nodiscard]] std::vector<NamedGuest> guests_of(const Scenario& scenario, const TenantSettings& tenant);

/// Which of `guests` the tenant's n-th [[tenant.guest]] names; nothing where none is there that is not named
/// already.
[[nodiscard]] std::vector<std::optional<std::size_t>> named_of(const Scenario& scenario,
                                                               const TenantSettings& tenant,
                                                               const std::vector<OverlayGuest>& guests);

/// Null where there is none of that name.
[[nodiscard]] const TenantSettings* find_tenant(const Scenario& scenario, std::string_view name);
[[nodiscard]] const NamedGuest* find_guest(const std::vector<NamedGuest>& guests, std::string_view name);
/// That the probe is in: what it says, else that of its guests, else the tenant's first.
[[nodiscard]] std::uint32_t vni_of(const ProbeSettings& probe, const TenantSettings& tenant,
                                   const std::vector<NamedGuest>& guests);

}  // namespace dyetrace::scenario
