// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_HELPER_H
#define DYETRACE_HELPER_H

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ns3/attribute.h>
#include <ns3/dyetrace-fabric.h>
#include <ns3/dyetrace-fault.h>
#include <ns3/dyetrace-flow-source.h>
#include <ns3/dyetrace-guest.h>
#include <ns3/dyetrace-host.h>
#include <ns3/dyetrace-link-faults.h>
#include <ns3/dyetrace-nhms.h>
#include <ns3/dyetrace-node-faults.h>
#include <ns3/dyetrace-packet-source.h>
#include <ns3/dyetrace-placement.h>
#include <ns3/dyetrace-source-helper.h>
#include <ns3/dyetrace-topology.h>
#include <ns3/dyetrace-truth.h>
#include <ns3/object-factory.h>
#include <ns3/ptr.h>

namespace ns3 {

/**
 * \ingroup dyetrace
 * Builds a fabric with an EPPC and a guest on every host.
 *
 * Set attributes, call Install(), then add faults and captures. The guest of host number i is guest number i:
 * Ethernet address 02:01 and the host's four address bytes, IPv4 address 192.168.0.0 + i + 1, all in one VNI.
 * Guests that AddGuest() adds are numbered after these, and then those of AddGuestGroup(); their Ethernet
 * address is 02:02 and their number.
 */
class DyetraceHelper {
  public:
    DyetraceHelper();
    ~DyetraceHelper();

    /// \name Attributes of what Install() makes
    /// @{
    /// The fabric's shape, in place of the fat-tree of its attribute K.
    void SetTopology(const DyetraceTopology& topology);
    void SetFabricAttribute(const std::string& name, const AttributeValue& value);
    void SetHostAttribute(const std::string& name, const AttributeValue& value);
    /// Of the hosts whose names match `pattern` ("host-0-*") alone; what is set later counts.
    void SetHostAttribute(const std::string& pattern, const std::string& name, const AttributeValue& value);
    void SetGuestAttribute(const std::string& name, const AttributeValue& value);
    void SetVni(uint32_t vni);
    /// Of the DyetracePlacement, which moves guests.
    void SetPlacementAttribute(const std::string& name, const AttributeValue& value);
    void SetNhmsAttribute(const std::string& name, const AttributeValue& value);
    /// Puts the health service on this host, by name, and has every EPPC report to it.
    void SetNhmsHost(const std::string& name);
    /// Has the guests send flows of these sizes, (bytes, cumulative probability), so that the mean load of
    /// the hosts' links is `load`, all bytes on the wire counted. Without it the guests only receive.
    void SetTraffic(const std::vector<std::pair<double, double>>& sizes, double load);
    /// @}

    /// A further guest on a host, by name, which sends nothing by itself: DyetraceGuestHelper gives it a
    /// node. Call before Install(). \return how many-th it is, from 0
    uint32_t AddGuest(const std::string& host);
    /// A further guest on each host that matches a pattern such as `host-0-*`, for a DyetraceSourceHelper.
    /// Call before Install(). \param vni that they are in; 0: that of SetVni
    /// \return how many-th such group it is, from 0
    uint32_t AddGuestGroup(const std::string& hosts, uint32_t vni = 0);

    /// Makes everything, once, and starts it.
    void Install();
    /// Has all guests draw from this stream, each in a way of its own. Call before Install(). \return 1
    int64_t AssignStreams(int64_t stream);

    /// \name Faults and captures, after Install()
    /// @{
    Ptr<DyetraceFault> AddSilentDrop(const std::string& from, const std::string& to, Time at,
                                     double probability, Time until = Time::Max());
    Ptr<DyetraceFault> AddLinkDown(const std::string& from, const std::string& to, Time at,
                                   Time until = Time::Max());
    /// Captures a port, "node:peer", to `directory`/node_peer.pcap. \return the file's name
    std::string EnablePcap(const std::string& directory, const std::string& port,
                           uint64_t packetsMax = 100000);
    /// The name of that file.
    static std::string GetPcapFile(const std::string& directory, const std::string& port);
    /// @}

    /**
     * Moves a guest to another host, now; with or without a node. Call it while the simulation runs, from an
     * event of its own. See DyetracePlacement for what that comes to.
     * \param guest its number among all guests \param host its name
     * \return empty where it was moved, else why it was not
     */
    std::string MoveGuest(uint32_t guest, const std::string& host);
    /// Where guests are, and who moves them.
    Ptr<DyetracePlacement> GetPlacement() const { return m_placement; }

    Ptr<DyetraceFabric> GetFabric() const { return m_fabric; }
    Ptr<DyetraceTruth> GetTruth() const { return m_truth; }
    /// By number; null where another rank of a parallel simulation has the host.
    const std::vector<Ptr<DyetraceHost>>& GetHosts() const { return m_hosts; }
    /// Null without SetNhmsHost, and where another rank has that host.
    Ptr<DyetraceNhms> GetNhms() const { return m_nhms; }
    /// Null where another rank has it. Aborts for a name that no host has.
    Ptr<DyetraceHost> GetHost(const std::string& name) const;
    /// Where a guest is plugged in that has no node, until it moves; what is connected there gets its frames.
    DyetraceGuestPort& GetGuestPort(uint32_t guest) const;
    /// Makes a source one of the guests that have no node, and keeps it. A guest has one source.
    /// \param party numbers of the guests that it sends among; null: all
    void Plug(Ptr<DyetracePacketSource> source, uint32_t guest,
              std::shared_ptr<const DyetracePacketSource::Party> party);
    /// The guests that send flows, by host; empty without SetTraffic. Those on hosts of other ranks send
    /// nothing here.
    const std::vector<Ptr<DyetraceFlowSource>>& GetSources() const { return m_sources; }
    std::shared_ptr<const DyetraceGuests> GetGuests() const { return m_guests; }
    uint32_t GetNAddedGuests() const { return static_cast<uint32_t>(m_addedGuests.size()); }
    /// The number among all guests of the n-th that was added.
    uint32_t GetAddedGuest(uint32_t n) const;
    /// Numbers of the guests that the hosts of a pattern have anyway.
    std::vector<uint32_t> GetHostGuests(const std::string& hosts = "*") const;
    /// Numbers of the guests of the n-th group, in the order of their hosts.
    const std::vector<uint32_t>& GetGuestGroup(uint32_t n) const;
    /// Bits a second of the link of a guest's host.
    uint64_t GetGuestRate(uint32_t guest) const;
    /// The address of guest number `guest`: 192.168.0.0 and one more than its number.
    static Ipv4Address GetGuestAddress(uint32_t guest) { return Ipv4Address(0xc0a80000 + guest + 1); }
    /// All guests are in one subnet.
    static Ipv4Mask GetGuestMask() { return Ipv4Mask("255.255.0.0"); }

    /// Ends every session in order. Run the simulator on for IsDraining() to become false.
    void CloseSessions();
    bool IsDraining() const;
    /// Breaks the ties between the objects; call after the simulation, before Simulator::Destroy.
    void Dispose();

  private:
    uint32_t FindNhmsHost() const;
    Ptr<DyetraceHost> MakeHost(const std::string& name) const;
    std::vector<uint32_t> HostsLike(const std::string& pattern) const;
    void MakeGuests();
    void AddGuestTo(DyetraceGuests& guests, uint32_t host, uint32_t vni) const;
    void MakePorts();
    void MakeSources();

    std::shared_ptr<const DyetraceTopology> m_topology;  ///< null: a fat-tree
    ObjectFactory m_fabricFactory;
    ObjectFactory m_hostFactory;
    struct OfSomeHosts {
        std::string pattern;
        std::string name;
        Ptr<AttributeValue> value;
    };
    std::vector<OfSomeHosts> m_ofSomeHosts;
    ObjectFactory m_nhmsFactory;
    ObjectFactory m_placementFactory;
    DyetraceSourceHelper m_traffic;
    bool m_hasTraffic;
    uint32_t m_vni;
    std::string m_nhmsHost;
    std::vector<std::string> m_addedGuests;                      ///< their hosts
    std::vector<std::pair<std::string, uint32_t>> m_groupHosts;  ///< patterns and VNIs
    int64_t m_stream;

    Ptr<DyetraceFabric> m_fabric;
    Ptr<DyetraceTruth> m_truth;
    std::vector<Ptr<DyetraceHost>> m_hosts;
    std::vector<std::vector<uint32_t>> m_groups;       ///< numbers of their guests
    std::vector<bool> m_isLean;                        ///< by guest: it is plugged in without a node
    std::vector<Ptr<DyetracePacketSource>> m_plugged;  ///< by guest; null: none
    Ptr<DyetraceNhms> m_nhms;
    Ptr<DyetracePlacement> m_placement;
    std::vector<Ptr<DyetraceFlowSource>> m_sources;
    std::shared_ptr<DyetraceGuests> m_guests;
};

}  // namespace ns3

#endif  // DYETRACE_HELPER_H
