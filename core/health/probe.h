// SPDX-License-Identifier: GPL-2.0-or-later
// Logical probes: named pairs of observation points in a tenant's virtual network, one where packets leave a
// guest and one where they reach another. A share of the packets is picked by hash, the same at both, so
// that loss and delay are those of single packets that were seen, or not seen, at the far end.
//
// Observations come from the EPPCs that have the guests (eppc::FlowTap); times are of one clock, so whoever
// feeds them has taken the hosts' clock offsets out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/health/packet_matcher.h"
#include "core/health/pair_figures.h"
#include "core/health/tenants.h"

namespace dyetrace::health {

struct ProbeSpec {
    std::string name;  ///< unique in its network
    Vni vni;           ///< one of the tenant's
    std::string from;  ///< a guest of the tenant in that network; empty: every one
    std::string to;
    double share = 1;  ///< of packets, 0 to 1
};

struct ProbeBounds {
    std::size_t probes = 256;  ///< about 10 KB each, 100 bytes a host at its ends, and what waits
    std::size_t name_bytes = 64;
    PacketMatcherConfig matcher;
};

/// One packet as one observation point saw it.
struct ProbeObservation {
    enum class Side : std::uint8_t {
        Ingress,  ///< it left the guest `from` for the network
        Egress,   ///< it reached the guest `to`
    };
    Vni vni;
    std::string_view from, to;  ///< guests at the packet's two ends
    Side side{};
    std::uint32_t packet = 0;  ///< its hash, of one seed everywhere
    Time at;
    bool is_judged = true;  ///< of Ingress: whoever should see it arrive was looking
};

struct ProbeResult {
    std::string name;
    Vni vni;
    std::string from, to;
    double share = 0;
    MatcherCounts counts;
    std::optional<double> loss;  ///< lost / (delivered + lost); none of either: not measured
    ShareInterval loss_interval;
    std::uint64_t delays = 0;  ///< packets that the next four are of
    std::optional<Duration> delay_p50, delay_p90, delay_p99, delay_max;
};
std::string to_string(const ProbeResult& result);

class LogicalProbes {
  public:
    explicit LogicalProbes(const ProbeBounds& bounds) : bounds_(bounds) {}

    /// Errors in words. A guest that is not the tenant's looks like one that does not exist.
    Result<Done, std::string> add(const Tenant& tenant, const ProbeSpec& spec);
    bool remove(Vni vni, std::string_view name);

    /// For every probe that it concerns.
    void observe(const ProbeObservation& observation, Time now);
    /// For one alone, whose packets have names of their own. False where it is not there or does not want it.
    bool observe(std::string_view name, const ProbeObservation& observation, Time now);
    /// Somebody who should have seen what is on its way may not have looked.
    void doubt(Vni vni, const std::string& name);
    void advance(Time now);
    [[nodiscard]] Time next_deadline() const;

    /// Of one logical network, by name.
    [[nodiscard]] std::vector<ProbeResult> results(Vni vni) const;
    /// Observations that no probe wanted.
    [[nodiscard]] std::uint64_t unwanted() const { return unwanted_; }

  private:
    struct Probe {
        ProbeSpec spec;
        std::uint64_t below = 0;  ///< hashes under this are picked, of 2^32
        PacketMatcher matcher;
    };

    static bool see(Probe& probe, const ProbeObservation& observation, Time now);

    ProbeBounds bounds_;
    std::map<std::pair<Vni, std::string>, Probe> probes_;
    std::uint64_t unwanted_ = 0;
};

}  // namespace dyetrace::health
