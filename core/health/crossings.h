// SPDX-License-Identifier: GPL-2.0-or-later
// What crosses a suspect, link or device, by the evidence.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/health/events.h"
#include "core/localise/evidence_source.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::health {

class Crossings {
  public:
    /// Both must outlive it.
    Crossings(const localise::FabricGraph& graph, const localise::EvidenceSource& evidence)
        : graph_(graph), evidence_(evidence) {}

    /// Links that together carry each packet that crosses the subject once: of a switch those that enter it,
    /// of a host all.
    [[nodiscard]] std::vector<localise::LinkId> links(const Subject& subject) const;
    [[nodiscard]] localise::Crossing sum(const Subject& subject, Time since) const;
    /// Most traffic first, as far as one link tells.
    [[nodiscard]] std::vector<localise::HostPair> pairs(const Subject& subject, Time since,
                                                        std::size_t most) const;
    [[nodiscard]] std::vector<localise::PathKey> paths(const Subject& subject, Time since,
                                                       std::size_t most) const;
    /// Whether the device is an end of the link.
    [[nodiscard]] static bool is_at(localise::NodeId device, const Subject& link) {
        return link.is_link() && (link.from == device || link.to == device);
    }
    /// Whether all its traffic is a host's own, so that no other way leads round it.
    [[nodiscard]] bool is_of_host(const Subject& subject) const;
    /// Of a subject that is of a host: which. Precondition: is_of_host(subject).
    [[nodiscard]] localise::NodeId host_of(const Subject& subject) const;

  private:
    const localise::FabricGraph& graph_;
    const localise::EvidenceSource& evidence_;
};

/// "12 of 4000 packets across it lost on the way"
std::string lost_of(const localise::Crossing& crossing, const char* what = "packets across it");
double rate_of(const localise::Crossing& crossing);

}  // namespace dyetrace::health
