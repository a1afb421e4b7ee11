// SPDX-License-Identifier: GPL-2.0-or-later
// Tenants, as their provider configures them: which virtual networks are whose, and which guest is where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/health/condition.h"

namespace dyetrace::health {

using TenantId = StrongId<struct TenantTag, std::uint32_t>;

struct GuestSpec {
    std::string name;     ///< as its tenant knows it; unique in the tenant
    Vni vni;              ///< one of the tenant's
    IpAddress host;       ///< that carries it: the address of its EPPC in the underlay
    IpAddress address{};  ///< its own, in the virtual network; unspecified: not known, and no probe is at it
};

/// A health state that a tenant has defined.
struct StateSpec {
    std::string name;  ///< unique in the tenant, and no name of a built-in state
    Condition condition;
};

struct TenantSpec {
    std::string name;
    std::vector<Vni> vnis;  ///< each belongs to one tenant
    std::vector<GuestSpec> guests;
    std::vector<StateSpec> states;
};

struct TenantBounds {
    std::size_t tenants = 1024;
    std::size_t guests = 1'000'000;  ///< of all tenants
    std::size_t states_of_a_tenant = 16;
    std::size_t name_bytes = 64;
};

/// From host to host.
using HostPair = std::pair<IpAddress, IpAddress>;

/// One tenant with its guests in order.
class Tenant {
  public:
    explicit Tenant(const TenantSpec& spec);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::vector<StateSpec>& states() const { return states_; }
    /// By name, ascending.
    [[nodiscard]] const std::vector<GuestSpec>& guests() const { return guests_; }
    [[nodiscard]] std::optional<std::size_t> find(std::string_view guest) const;
    /// Whether some guest is there.
    [[nodiscard]] bool is_on(IpAddress host) const { return by_host_.contains(host); }
    /// Indexes of the guests there, ascending.
    [[nodiscard]] const std::vector<std::size_t>& on(IpAddress host) const;
    /// Ordered pairs of guests in one virtual network, wherever they are.
    [[nodiscard]] std::uint64_t pairs() const { return pairs_; }
    /// Of those, the ones from one host to another: zero where source and destination are one host, since
    /// nothing of these crosses the network.
    [[nodiscard]] std::uint64_t pairs_between(const HostPair& hosts) const;

    void move(std::size_t guest, IpAddress host);

  private:
    std::string name_;
    std::vector<GuestSpec> guests_;
    std::vector<StateSpec> states_;
    std::map<IpAddress, std::vector<std::size_t>> by_host_;
    std::uint64_t pairs_ = 0;
};

/// What is wrong with a configuration, with the tenant's name; nothing where nothing is.
std::optional<std::string> wrong_tenants(const std::vector<TenantSpec>& tenants, const TenantBounds& bounds);

}  // namespace dyetrace::health
