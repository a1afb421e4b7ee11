// SPDX-License-Identifier: GPL-2.0-or-later
// The switches' forwarding tables: at each switch, for each rack, the ports on a shortest path over the links
// that are in use. Not installed.
#ifndef DYETRACE_ROUTES_H
#define DYETRACE_ROUTES_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "dyetrace-large-pages.h"
#include "dyetrace-topology.h"

#include "core/base/prefetch.h"

namespace ns3 {

class DyetraceRoutes {
  public:
    static constexpr uint32_t None = DyetraceTopology::None;

    /// Equal-cost ports, as an index into GetPort and a count; no port: there is no way.
    struct Group {
        uint32_t first;
        uint32_t count;
    };

    /// \param topology must outlive this
    explicit DyetraceRoutes(const DyetraceTopology& topology);

    /// The rack of the /24 prefix that `address` (host byte order) is in; None: not one of ours.
    uint32_t GetRack(uint32_t address) const {
        return address >> 24 == 10 ? m_rackOfPrefix[address >> 8 & 0xffff] : None;
    }
    /// \param node a switch, and not the rack's own
    Group GetGroup(uint32_t node, uint32_t rack) const {
        const uint32_t packed = m_groups[Index(node, rack)];
        return {packed >> 8, packed & 0xff};
    }
    /// Asks the memory for what GetGroup will look at.
    void Expect(uint32_t node, uint32_t rack) const { dyetrace::prefetch_line(&m_groups[Index(node, rack)]); }
    uint32_t GetPort(uint32_t index) const { return m_ports[index]; }

    /// Takes the cable that `link` runs in out of use or into use again, in both directions. Only what
    /// depends on it is worked out anew.
    void SetInUse(uint32_t link, bool inUse);

  private:
    static constexpr uint16_t Far = UINT16_MAX;  ///< no way

    std::size_t Index(uint32_t node, uint32_t rack) const {
        return static_cast<std::size_t>(node - m_hosts) * m_racks + rack;
    }
    /// Steps from a switch to a rack's own, over links in use.
    uint16_t& Distance(uint32_t node, uint32_t rack) {
        return m_distances[static_cast<std::size_t>(rack) * m_switches + (node - m_hosts)];
    }
    void ComputeRack(uint32_t rack);
    /// A link that leads one step nearer comes into the group of its switch, or goes out of it.
    void AddPort(uint32_t link, uint32_t rack);
    void RemovePort(uint32_t link, uint32_t rack);
    std::vector<uint32_t> PortsOf(uint32_t node, uint32_t rack) const;
    /// The group of exactly these ports; equal lists are stored once.
    uint32_t Intern(const std::vector<uint32_t>& ports);

    const DyetraceTopology& m_topology;
    uint32_t m_hosts;  ///< switches are numbered after them
    uint32_t m_switches;
    uint32_t m_racks;
    std::vector<uint32_t> m_rackOfPrefix;
    /// By switch and rack: first << 8 | count, so that a table stays in the cache.
    std::vector<uint32_t, DyetraceLargePages<uint32_t>> m_groups;
    std::vector<uint16_t> m_distances;  ///< by rack and switch
    std::vector<uint32_t> m_ports;      ///< the groups' links, each a number of the topology
    std::map<std::vector<uint32_t>, uint32_t> m_interned;
    std::vector<bool> m_unused;      ///< by link
    std::vector<uint32_t> m_order;   ///< scratch of ComputeRack
    std::vector<uint32_t> m_nearer;  ///< scratch of ComputeRack
};

}  // namespace ns3

#endif  // DYETRACE_ROUTES_H
