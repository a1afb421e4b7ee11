// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/client_checks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/health/client_view.h"
#include "core/health/probe.h"
#include "core/health/tenants.h"
#include "scenarios/reader/guests.h"
#include "scenarios/reader/spelling.h"
#include "scenarios/reader/units.h"

namespace dyetrace::scenario {
namespace {

constexpr health::TenantBounds bounds;  // services' and probes' names may be as long
constexpr std::string_view states_taken[] = {"all", "health", "healthy", "degraded", "failed"};

/// Names reach terminals, pages and queries.
bool is_name(std::string_view name) {
    const auto good = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '\''; };
    return !name.empty() && name.size() <= bounds.name_bytes && std::all_of(name.begin(), name.end(), good);
}

Problem no_name() {
    return {fmt::format("a name has up to {} characters of ASCII, without blanks, quotes and backslashes",
                        bounds.name_bytes)};
}

Problem one_host() {
    return {"both guests are on one host, so the network carries nothing between them"};
}

/// "vm-12": what a guest without a name of its own is called.
bool is_given_name(std::string_view name) {
    return name.starts_with("vm-") && name.size() > 3 &&
           std::all_of(name.begin() + 3, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class ClientChecker {
  public:
    ClientChecker(const Scenario& scenario, NodeNames& names, const Reading& reading, const Tell& tell)
        : scenario_(scenario), names_(names), reading_(reading), tell_(tell) {}

    void run() {
        check_names("tenant", scenario_.tenants);
        for (std::size_t i = 0; i < scenario_.tenants.size(); ++i)
            check_networks(i);
        // Guests are known once all networks and hosts are.
        for (std::size_t i = 0; i < scenario_.tenants.size(); ++i)
            check_tenant(i);
        check_subscriptions();
        check_names("service", scenario_.services);
        for (std::size_t i = 0; i < scenario_.services.size(); ++i)
            check_service(i);
        check_probes();
        for (std::size_t i = 0; i < scenario_.flow_traces.size(); ++i)
            check_flow_trace(i);
    }

  private:
    [[nodiscard]] bool has(const std::string& path) const {
        return reading_.is_given(path) && reading_.is_good(path);
    }
    void error(const std::string& path, Problem problem) {
        tell_(reading_.place(path), Severity::Error, std::move(problem));
    }

    /// Of the tables of a list: that they can be shown, and that no two are the same.
    template <class Section>
    void check_names(const std::string& list, const std::vector<Section>& sections) {
        std::set<std::string_view> seen;
        for (std::size_t i = 0; i < sections.size(); ++i) {
            const std::string path = fmt::format("{}.{}.name", list, i);
            if (!has(path)) continue;
            const std::string& name = sections[i].name;
            if (!is_name(name)) {
                error(path, no_name());
            } else if (!seen.insert(name).second) {
                error(path, {fmt::format("the name \"{}\" is there already", name)});
            }
        }
    }

    void check_networks(std::size_t index) {
        const std::string path = fmt::format("tenant.{}.vnis", index);
        if (!has(path)) return;
        const TenantSettings& tenant = scenario_.tenants[index];
        if (tenant.vnis.empty()) error(path, {"a tenant without a virtual network has no guests"});
        for (std::size_t i = 0; i < tenant.vnis.size(); ++i) {
            const std::uint32_t vni = tenant.vnis[i];
            const Place place = reading_.element_place(path, i);
            const bool is_used = std::any_of(scenario_.workloads.begin(), scenario_.workloads.end(),
                                             [&](const WorkloadSettings& w) { return w.vni == vni; });
            const auto [owner, is_new] = owners_.emplace(vni, tenant.name);
            if (!is_used) {
                std::set<std::uint32_t> used;
                for (const WorkloadSettings& workload : scenario_.workloads)
                    used.insert(workload.vni);
                tell_(place, Severity::Error,
                      {fmt::format("no workload has guests in VNI {}", vni),
                       used.empty() ? "there is no workload"
                                    : fmt::format("they are in {}", fmt::join(used, ", "))});
            } else if (!is_new) {
                tell_(place, Severity::Error,
                      {fmt::format("VNI {} is that of \"{}\" already", vni, owner->second)});
            }
        }
    }

    void check_tenant(std::size_t index) {
        const TenantSettings& tenant = scenario_.tenants[index];
        const std::string path = fmt::format("tenant.{}", index);
        check_names(path + ".guest", tenant.guests);
        check_guests(path, tenant);
        check_names(path + ".condition", tenant.conditions);
        if (tenant.conditions.size() > bounds.states_of_a_tenant)
            error(path, {fmt::format("more than {} conditions", bounds.states_of_a_tenant)});
        std::vector<std::string> states{"all", "health"};
        for (std::size_t i = 0; i < tenant.conditions.size(); ++i) {
            const std::string& name = tenant.conditions[i].name;
            const std::string at = fmt::format("{}.condition.{}.name", path, i);
            if (has(at) &&
                std::find(std::begin(states_taken), std::end(states_taken), name) != std::end(states_taken))
                error(at, {fmt::format("\"{}\" has a meaning already", name)});
            states.push_back(name);
        }
        for (std::size_t i = 0; i < tenant.subscriptions.size(); ++i) {
            const std::string at = fmt::format("{}.subscription.{}.state", path, i);
            const std::string& state = tenant.subscriptions[i].state;
            if (!has(at) || std::find(states.begin(), states.end(), state) != states.end()) continue;
            error(at, {fmt::format("the tenant has no state \"{}\"", state), meant(state, states)});
        }
    }

    /// At the first that the health service has no room for.
    void check_subscriptions() {
        const std::size_t most = health::ClientViewConfig{}.subscriptions;
        std::size_t before = 0;
        for (std::size_t i = 0; i < scenario_.tenants.size(); ++i) {
            const std::size_t own = scenario_.tenants[i].subscriptions.size();
            if (before + own > most) {
                return error(fmt::format("tenant.{}.subscription.{}", i, most - before),
                             {fmt::format("all tenants together have more than {} subscriptions", most)});
            }
            before += own;
        }
    }

    void check_guests(const std::string& path, const TenantSettings& tenant) {
        std::vector<OverlayGuest> guests;
        for (const NamedGuest& one : guests_of(scenario_, tenant))
            guests.push_back(one.guest);
        const auto named = named_of(scenario_, tenant, guests);
        for (std::size_t i = 0; i < tenant.guests.size(); ++i) {
            const TenantGuest& guest = tenant.guests[i];
            const std::string at = fmt::format("{}.guest.{}", path, i);
            if (has(at + ".name") && is_given_name(guest.name))
                error(at + ".name",
                      {fmt::format("\"{}\" is the name of a guest that is given none", guest.name)});
            if (!has(at + ".host") || !reading_.is_good(at + ".vni") || !has(path + ".vnis")) continue;
            if (guest.vni &&
                std::find(tenant.vnis.begin(), tenant.vnis.end(), *guest.vni) == tenant.vnis.end()) {
                error(at + ".vni", {fmt::format("VNI {} is not the tenant's", *guest.vni)});
                continue;
            }
            const auto node = names_.find(guest.host);
            if (!node) {
                error(at + ".host", names_.unknown_node(guest.host));
            } else if (!named[i]) {
                error(at + ".host", {fmt::format("the tenant has no {}guest on {}",
                                                 guests.empty() ? "" : "further ", guest.host)});
            }
        }
    }

    /// The tenant that is named at `path`, or nothing after an error.
    const TenantSettings* tenant_at(const std::string& path, const std::string& name) {
        if (!has(path)) return nullptr;
        const TenantSettings* const tenant = find_tenant(scenario_, name);
        if (tenant == nullptr) {
            std::vector<std::string> all;
            for (const TenantSettings& one : scenario_.tenants)
                all.push_back(one.name);
            error(path, {fmt::format("there is no tenant \"{}\"", name), meant(name, all)});
        }
        return tenant;
    }

    /// The tenant's guest that is named at `path`, or nothing after an error.
    std::optional<OverlayGuest> guest_at(const std::string& path, const TenantSettings& tenant,
                                         const std::string& name) {
        if (!has(path)) return std::nullopt;
        const std::vector<NamedGuest> guests = guests_of(scenario_, tenant);
        if (const NamedGuest* const guest = find_guest(guests, name)) return guest->guest;
        std::vector<std::string> all;
        for (const NamedGuest& one : guests)
            all.push_back(one.name);
        error(path, {fmt::format("tenant {} has no guest \"{}\"", tenant.name, name), meant(name, all)});
        return std::nullopt;
    }

    /// What may have been meant, or what there is.
    static std::string meant(const std::string& name, std::vector<std::string> all) {
        constexpr std::size_t shown_most = 8;
        std::string text = did_you_mean(name, all);
        if (!text.empty() || all.empty()) return text;
        const bool is_cut = all.size() > shown_most;
        if (is_cut) all.resize(shown_most);
        return fmt::format("there {} {}{}", all.size() == 1 ? "is" : "are", fmt::join(all, ", "),
                           is_cut ? " and more" : "");
    }

    void check_service(std::size_t index) {
        const ServiceSettings& service = scenario_.services[index];
        const std::string path = fmt::format("service.{}", index);
        check_names(path + ".instance", service.instances);
        const TenantSettings* const tenant = tenant_at(path + ".tenant", service.tenant);
        if (tenant == nullptr) return;
        for (std::size_t i = 0; i < service.instances.size(); ++i)
            guest_at(fmt::format("{}.instance.{}.guest", path, i), *tenant, service.instances[i].guest);
    }

    void check_probes() {
        const std::size_t most = health::ProbeBounds{}.probes;
        if (scenario_.probes.size() > most)
            error(fmt::format("probe.{}", most), {fmt::format("more than {} probes", most)});
        std::set<std::pair<std::uint32_t, std::string_view>> seen;
        for (std::size_t i = 0; i < scenario_.probes.size(); ++i) {
            const ProbeSettings& probe = scenario_.probes[i];
            const std::string path = fmt::format("probe.{}", i);
            const TenantSettings* const tenant = tenant_at(path + ".tenant", probe.tenant);
            if (has(path + ".name") && !is_name(probe.name)) error(path + ".name", no_name());
            if (tenant == nullptr || tenant->vnis.empty()) continue;
            const std::uint32_t vni = vni_of(probe, *tenant, guests_of(scenario_, *tenant));
            if (!seen.emplace(vni, probe.name).second)
                error(path + ".name", {fmt::format("VNI {} has a probe \"{}\" already", vni, probe.name)});
            if (probe.vni && std::find(tenant->vnis.begin(), tenant->vnis.end(), vni) == tenant->vnis.end())
                error(path + ".vni", {fmt::format("VNI {} is not the tenant's", vni)});
            check_ends(path, *tenant, probe, vni);
        }
    }

    void check_ends(const std::string& path, const TenantSettings& tenant, const ProbeSettings& probe,
                    std::uint32_t vni) {
        std::optional<std::uint32_t> from_host;
        for (const auto& [key, name] : {std::pair("from", &probe.from), std::pair("to", &probe.to)}) {
            const std::string at = fmt::format("{}.{}", path, key);
            const auto guest = *name ? guest_at(at, tenant, **name) : std::nullopt;
            if (!guest) continue;
            if (guest->vni != vni)
                error(at, {fmt::format("\"{}\" is in VNI {}, not {}", **name, guest->vni, vni)});
            if (from_host == guest->host) error(at, one_host());
            from_host = guest->host;
        }
    }

    void check_flow_trace(std::size_t index) {
        const FlowTraceSettings& trace = scenario_.flow_traces[index];
        const std::string path = fmt::format("flow_trace.{}", index);
        if (reading_.is_good(path + ".at") && reading_.is_good("run.duration") &&
            trace.at >= scenario_.run.duration) {
            error(path + ".at",
                  {fmt::format("it would begin at {}, and run.duration is {}", format_duration(trace.at),
                               format_duration(scenario_.run.duration))});
        }
        if (trace.captured_packets > 0 && trace.capture_bytes == 0 && has(path + ".captured_packets"))
            error(path + ".captured_packets", {"nothing is captured of them", "capture_bytes says how much"});
        const TenantSettings* const tenant = tenant_at(path + ".tenant", trace.tenant);
        if (tenant == nullptr) return;
        const auto from = guest_at(path + ".from", *tenant, trace.from);
        const auto to = guest_at(path + ".to", *tenant, trace.to);
        if (!from || !to) return;
        if (from->vni != to->vni) {
            error(path + ".to", {fmt::format("\"{}\" is in VNI {}, and \"{}\" in VNI {}", trace.from,
                                             from->vni, trace.to, to->vni)});
        } else if (from->host == to->host) {
            error(path + ".to", one_host());
        }
    }

    const Scenario& scenario_;
    NodeNames& names_;
    const Reading& reading_;
    const Tell& tell_;
    std::map<std::uint32_t, std::string> owners_;  ///< by VNI
};

}  // namespace

void check_clients(const Scenario& scenario, NodeNames& names, const Reading& reading, const Tell& tell) {
    ClientChecker(scenario, names, reading, tell).run();
}

}  // namespace dyetrace::scenario
