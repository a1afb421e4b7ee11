// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/tenants.h"

#include <algorithm>
#include <array>
#include <set>

namespace dyetrace::health {
namespace {

constexpr std::uint32_t kVniMost = 0xff'ffff;
constexpr std::array<std::string_view, 5> kTaken{"health", "healthy", "degraded", "failed", "not measured"};

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

/// Names reach terminals, pages and queries: printable ASCII without quotes and backslashes.
bool is_name(std::string_view name, std::size_t most) {
    const auto good = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '\''; };
    return !name.empty() && name.size() <= most && std::all_of(name.begin(), name.end(), good);
}

std::optional<std::string> wrong_tenant(const TenantSpec& tenant, const TenantBounds& bounds) {
    const std::string where = "tenant " + quoted(tenant.name) + ": ";
    std::set<std::string_view> names;
    for (const GuestSpec& guest : tenant.guests) {
        if (!is_name(guest.name, bounds.name_bytes)) return where + "a guest has no name that can be shown";
        if (!names.insert(guest.name).second)
            return where + "guest " + quoted(guest.name) + " is there twice";
        if (std::find(tenant.vnis.begin(), tenant.vnis.end(), guest.vni) == tenant.vnis.end())
            return where + "guest " + quoted(guest.name) + " is in VNI " + std::to_string(guest.vni.value) +
                   ", which is not the tenant's";
        if (guest.host.is_unspecified()) return where + "guest " + quoted(guest.name) + " is on no host";
    }
    if (tenant.states.size() > bounds.states_of_a_tenant)
        return where + "more states than the " + std::to_string(bounds.states_of_a_tenant) + " that may be";
    names.clear();
    for (const StateSpec& state : tenant.states) {
        if (!is_name(state.name, bounds.name_bytes)) return where + "a state has no name that can be shown";
        if (std::find(kTaken.begin(), kTaken.end(), state.name) != kTaken.end())
            return where + "state " + quoted(state.name) + " has the name of a built-in one";
        if (!names.insert(state.name).second)
            return where + "state " + quoted(state.name) + " is there twice";
    }
    return std::nullopt;
}

}  // namespace

Tenant::Tenant(const TenantSpec& spec) : name_(spec.name), guests_(spec.guests), states_(spec.states) {
    std::sort(guests_.begin(), guests_.end(),
              [](const GuestSpec& one, const GuestSpec& other) { return one.name < other.name; });
    std::map<Vni, std::uint64_t> sizes;
    for (std::size_t i = 0; i < guests_.size(); ++i) {
        by_host_[guests_[i].host].push_back(i);
        ++sizes[guests_[i].vni];
    }
    for (const auto& [vni, size] : sizes)
        pairs_ += size * (size - 1);
}

std::optional<std::size_t> Tenant::find(std::string_view guest) const {
    const auto it =
        std::lower_bound(guests_.begin(), guests_.end(), guest,
                         [](const GuestSpec& one, std::string_view name) { return one.name < name; });
    if (it == guests_.end() || it->name != guest) return std::nullopt;
    return static_cast<std::size_t>(it - guests_.begin());
}

const std::vector<std::size_t>& Tenant::on(IpAddress host) const {
    static const std::vector<std::size_t> kNone;
    const auto it = by_host_.find(host);
    return it == by_host_.end() ? kNone : it->second;
}

std::uint64_t Tenant::pairs_between(const HostPair& hosts) const {
    if (hosts.first == hosts.second) return 0;
    std::map<Vni, std::uint64_t> there;
    for (const std::size_t guest : on(hosts.second))
        ++there[guests_[guest].vni];
    std::uint64_t count = 0;
    for (const std::size_t guest : on(hosts.first)) {
        const auto it = there.find(guests_[guest].vni);
        if (it != there.end()) count += it->second;
    }
    return count;
}

void Tenant::move(std::size_t guest, IpAddress host) {
    std::vector<std::size_t>& before = by_host_[guests_[guest].host];
    std::erase(before, guest);
    if (before.empty()) by_host_.erase(guests_[guest].host);
    guests_[guest].host = host;
    std::vector<std::size_t>& after = by_host_[host];
    after.insert(std::lower_bound(after.begin(), after.end(), guest), guest);
}

std::optional<std::string> wrong_tenants(const std::vector<TenantSpec>& tenants, const TenantBounds& bounds) {
    if (tenants.size() > bounds.tenants)
        return "more tenants than the " + std::to_string(bounds.tenants) + " that may be";
    std::set<std::string_view> names;
    std::map<Vni, std::string_view> owners;
    std::size_t guests = 0;
    for (const TenantSpec& tenant : tenants) {
        if (!is_name(tenant.name, bounds.name_bytes)) return "a tenant has no name that can be shown";
        if (!names.insert(tenant.name).second) return "tenant " + quoted(tenant.name) + " is there twice";
        guests += tenant.guests.size();
        if (guests > bounds.guests)
            return "more guests than the " + std::to_string(bounds.guests) + " that may be";
        for (const Vni vni : tenant.vnis) {
            if (vni.value > kVniMost)
                return "tenant " + quoted(tenant.name) + ": VNI " + std::to_string(vni.value) +
                       " has more than 24 bits";
            const auto [owner, is_new] = owners.emplace(vni, tenant.name);
            if (!is_new)
                return "tenant " + quoted(tenant.name) + ": VNI " + std::to_string(vni.value) +
                       " is that of " + quoted(owner->second) + " already";
        }
        if (auto wrong = wrong_tenant(tenant, bounds)) return wrong;
    }
    return std::nullopt;
}

}  // namespace dyetrace::health
