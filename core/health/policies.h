// SPDX-License-Identifier: GPL-2.0-or-later
// What the health service may do about a confirmed incident, and how far it may go.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/time.h"

namespace dyetrace::health {

enum class RemedyMode : std::uint8_t {
    Off,        ///< not thought of
    Advisory,   ///< said, and left to the operator
    Automatic,  ///< done, within the limits
};
std::string_view to_string(RemedyMode mode);
/// "off", "advisory", "automatic"; none for anything else.
std::optional<RemedyMode> parse_remedy_mode(std::string_view text);

enum class Remedy : std::uint8_t {
    Repath,     ///< the EPPCs move the paths that cross the suspect to other source ports
    Drain,      ///< the network's controller takes the link or switch out of use; what is on its way goes on
    Migrate,    ///< the guests of a host are asked to move elsewhere
    DrainHost,  ///< no new guests are placed on a host
    Notify,     ///< somebody is told
};
inline constexpr std::size_t kRemedyCount = 5;
std::string_view to_string(Remedy remedy);

struct RemedyPolicies {
    std::array<RemedyMode, kRemedyCount> modes{};  ///< by Remedy; all off: incidents are confirmed, no more

    [[nodiscard]] RemedyMode mode(Remedy remedy) const { return modes[static_cast<std::size_t>(remedy)]; }
    RemedyMode& mode(Remedy remedy) { return modes[static_cast<std::size_t>(remedy)]; }

    // Limits
    /// Of the cables between two tiers, the switches of a tier, or all hosts, no greater share is drained at
    /// a time; a switch takes its cables with it. A quarter leaves a fabric three quarters of its paths.
    double drain_share = 0.25;
    std::size_t remedies_most = 16;  ///< begun in any `remedy_interval`, of all incidents together
    Duration remedy_interval = Duration::seconds(10);
    /// How often one path is moved before it is left where it is. Where a path crosses a suspect by chance 1
    /// in 4, one in 65,000 still does after eight moves.
    int repath_attempts = 8;
    std::size_t repath_directives = 256;        ///< sent at one look at the evidence
    std::size_t repath_directives_a_host = 24;  ///< of these to one EPPC, whose window of numbers is 64
    std::size_t watched_paths = 65536;          ///< of one incident: moved, and looked at until they are well

    // Verification
    /// Evidence that begins so long after the remedy counts, and spans as much.
    Duration settle = Duration::milliseconds(50);
    /// A remedy that has not shown to work for so long did not.
    /// Recovery is not believed sooner: a flow that waits for its timer (1 s at first, RFC 6298 §2) says
    /// nothing of the path that it is on.
    Duration verify_least = Duration::milliseconds(500);
    Duration verify_within = Duration::seconds(2);
    /// So many are enough, or as many as would have lost a dozen at the rate of before.
    std::uint64_t verify_packets_least = 1'000;
    /// Recovered: the paths lose no more than a pair that is not impaired, or this share of what the suspect
    /// lost before.
    double recovered_share = 0.25;
    /// Guests have left a host where no more than this share of what crossed it still does. What is still on
    /// its way, and who has not heard of their new place, makes some.
    double remaining_share = 0.05;

    /// What was drained is put into use again, on trial, after so long; each further time after twice as
    /// long. Zero: never.
    Duration restore_after = {};
};

}  // namespace dyetrace::health
