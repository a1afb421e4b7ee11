// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_FAULT_H
#define DYETRACE_FAULT_H

#include <string>

#include <ns3/nstime.h>
#include <ns3/object.h>

namespace ns3 {

/**
 * \ingroup dyetrace
 * One fault on the timeline of a DyetraceFabric (DyetraceFabric::AddFault).
 *
 * - "silent-drop": the directed link From > To loses each packet with Probability, and tells nobody.
 * - "link-down": the link between From and To is down in both directions. What is queued or under way is
 * lost, and so is whatever is sent.
 */
class DyetraceFault : public Object {
  public:
    static TypeId GetTypeId();
    DyetraceFault();
    ~DyetraceFault() override;

    const std::string& GetKind() const { return m_kind; }
    const std::string& GetFrom() const { return m_from; }
    const std::string& GetTo() const { return m_to; }
    Time GetAt() const { return m_at; }
    Time GetUntil() const { return m_until; }
    double GetProbability() const { return m_probability; }
    /// "silent-drop agg-0-1 > core-3"
    std::string Describe() const;

  private:
    std::string m_kind;
    std::string m_from;
    std::string m_to;
    Time m_at;
    Time m_until;
    double m_probability;
};

}  // namespace ns3

#endif  // DYETRACE_FAULT_H
