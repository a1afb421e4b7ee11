// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_FAULT_H
#define DYETRACE_FAULT_H

#include <cstdint>
#include <string>
#include <vector>

#include <ns3/nstime.h>
#include <ns3/object.h>

namespace ns3 {

class DyetraceTopology;
struct DyetraceFaultSite;

/**
 * \ingroup dyetrace
 * Something that goes wrong on the timeline of a DyetraceFabric (DyetraceFabric::AddFault), and tells nobody.
 *
 * What it is, is its class: a DyetraceLinkFault strikes directed links, a DyetraceNodeFault nodes. Where, is
 * a name, a pattern ("core-*"; `*` is any run of characters, `?` any one), or a random choice among those
 * that match. A fault that strikes where another is already in force adds to it: a link that two hold down is
 * up again when both have ended.
 */
class DyetraceFault : public Object {
  public:
    static TypeId GetTypeId();
    DyetraceFault();
    ~DyetraceFault() override;

    /// A fault by its kind: "silent-drop" makes a DyetraceSilentDrop, and so on. Aborts, naming them all,
    /// where there is no such kind.
    static Ptr<DyetraceFault> Create(const std::string& kind);
    /// All kinds, in alphabetical order.
    static std::vector<std::string> GetKinds();

    /// "silent-drop": the name in scenarios and records.
    virtual std::string GetKind() const = 0;
    /// "silent-drop agg-0-1 > core-3", as asked for.
    virtual std::string Describe() const = 0;
    Time GetAt() const { return m_at; }
    Time GetUntil() const { return m_until; }

    /// \name Where it strikes; known once it has been added to a fabric
    /// @{
    const std::vector<uint32_t>& GetLinks() const { return m_links; }
    const std::vector<uint32_t>& GetNodes() const { return m_nodes; }
    /// @}

  protected:
    friend class DyetraceFabric;

    /// Chooses links or nodes. Aborts, naming the fault, where none is meant.
    virtual void Place(const DyetraceTopology& topology) = 0;
    /// The effect begins, or ends.
    virtual void Switch(DyetraceFaultSite& site, bool isActive) = 0;
    /// When it switches again after it has at `now`; Time::Max() for never. Usually at Until.
    virtual Time GetNextSwitch(Time now, bool isActive) const;

    std::vector<uint32_t> m_links;
    std::vector<uint32_t> m_nodes;

  private:
    Time m_at;
    Time m_until;
};

/// \ingroup dyetrace
/// A fault of directed links.
class DyetraceLinkFault : public DyetraceFault {
  public:
    static TypeId GetTypeId();
    DyetraceLinkFault();
    ~DyetraceLinkFault() override;

    std::string Describe() const override;
    const std::string& GetFrom() const { return m_from; }
    const std::string& GetTo() const { return m_to; }

  protected:
    void Place(const DyetraceTopology& topology) override;
    /// Whether the other direction of each link is struck too, whatever the attribute says.
    virtual bool IsOfCable() const { return false; }

  private:
    std::string m_from;
    std::string m_to;
    bool m_bothWays;
    uint32_t m_count;
    uint64_t m_choiceSeed;
};

/// \ingroup dyetrace
/// A fault of nodes.
class DyetraceNodeFault : public DyetraceFault {
  public:
    static TypeId GetTypeId();
    DyetraceNodeFault();
    ~DyetraceNodeFault() override;

    std::string Describe() const override;
    const std::string& GetNode() const { return m_node; }

  protected:
    void Place(const DyetraceTopology& topology) override;
    enum class Which { Hosts, Switches };
    virtual Which GetWhich() const = 0;

  private:
    std::string m_node;
    uint32_t m_count;
    uint64_t m_choiceSeed;
};

}  // namespace ns3

#endif  // DYETRACE_FAULT_H
