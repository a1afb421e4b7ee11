// SPDX-License-Identifier: GPL-2.0-or-later
// A network as a file describes it, GraphML or edge list: checked, and made a plan of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/localise/fabric_plan.h"
#include "scenarios/reader/diagnostics.h"

namespace dyetrace::scenario {

constexpr std::uint64_t link_rate_least = 1'000'000;
constexpr std::uint64_t link_rate_most = 1'000'000'000'000;
constexpr Duration link_delay_most = Duration::seconds(1);

/// Far more than any network that was drawn; a fabric of so many is better described by its shape.
constexpr std::size_t network_nodes_most = 10'000;
constexpr std::size_t network_edges_most = 100'000;
constexpr std::uint32_t node_hosts_most = localise::kRackHostsMost;

struct NetworkNode {
    std::string name;
    Place place;
    bool is_host = false;                  ///< one of its own, with one link to a switch
    std::optional<std::uint32_t> hosts{};  ///< to be attached; none: as many as at every other
    std::optional<double> latitude{};      ///< degrees
    std::optional<double> longitude{};
};

struct NetworkEdge {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    Place place;
    bool directed = false;  ///< one direction of a link, whose other may be another edge
    std::optional<std::uint64_t> rate_bps{};
    std::optional<Duration> delay{};
};

struct Network {
    std::vector<NetworkNode> nodes;
    std::vector<NetworkEdge> edges;
    /// False where so much could not be read that more errors would mislead.
    bool is_whole = true;
};

/// What holds where the file says nothing.
struct NetworkDefaults {
    std::uint32_t hosts_per_node = 1;
    std::uint64_t link_rate_bps = 0;
    Duration link_delay{};
};

/// Tells what is wrong with one file, and remembers whether anything was.
class FileReport {
  public:
    FileReport(const SourceText& source, Diagnostics& diagnostics)
        : source_(source), diagnostics_(diagnostics) {}
    void error(const Place& place, Problem problem) {
        has_errors_ = true;
        diagnostics_.add(source_.at(place, Severity::Error, std::move(problem)));
    }
    void warning(const Place& place, Problem problem) {
        diagnostics_.add(source_.at(place, Severity::Warning, std::move(problem)));
    }
    [[nodiscard]] bool has_errors() const { return has_errors_; }
    [[nodiscard]] const SourceText& source() const { return source_; }
    /// A line from its first letter to its last.
    [[nodiscard]] Place line(std::uint32_t number) const;

  private:
    const SourceText& source_;
    Diagnostics& diagnostics_;
    bool has_errors_ = false;
};

/// How light gets from one place on earth to another: along the great circle, at two thirds of its speed in
/// vacuum, as in fibre. Degrees.
[[nodiscard]] Duration fibre_delay(double latitude_a, double longitude_a, double latitude_b,
                                   double longitude_b);

/// `text` as a node's name: blanks become `_`, and so does what no name has; at most 64 code points.
[[nodiscard]] std::string as_name(std::string_view text);

/// A rate or delay that a link can have; tells otherwise.
[[nodiscard]] bool is_link_rate(double bps, const Place& place, FileReport& report);
[[nodiscard]] bool is_link_delay(Duration delay, const Place& place, FileReport& report);

/// Takes away all nodes and edges but those of the largest part that is joined in itself, the first of those
/// that are, and warns of what is left out.
void keep_largest_part(Network& network, FileReport& report);

/// Attaches hosts, joins parallel edges, and tells self-loops, hosts that hang wrong, and what no way leads
/// to, each with its line. Names are to be good and unique. None where there are errors, also earlier ones.
[[nodiscard]] std::optional<localise::FabricPlan> plan_network(const Network& network,
                                                               const NetworkDefaults& defaults,
                                                               FileReport& report);

}  // namespace dyetrace::scenario
