// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_SOURCE_HELPER_H
#define DYETRACE_SOURCE_HELPER_H

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ns3/attribute.h>
#include <ns3/dyetrace-packet-source.h>
#include <ns3/object-factory.h>

namespace ns3 {

class DyetraceFlowSizes;
class DyetraceHelper;

/**
 * \ingroup dyetrace
 * Has lean guests send, all in one way.
 *
 * \code
 *   const uint32_t more = dyetrace.AddGuestGroup("host-0-*");  // before Install(): a further guest on each
 *   dyetrace.Install();
 *   DyetraceSourceHelper background("ns3::DyetracePoissonSource");
 *   background.SetAttribute("Rate", StringValue("50Mbps"));
 *   background.Install(dyetrace);  // the guest that each host has anyway
 *   DyetraceSourceHelper incast("ns3::DyetraceIncastSource");
 *   incast.Install(dyetrace, dyetrace.GetGuestGroup(more));
 * \endcode
 *
 * A guest has one source; they are kept, and disposed of, by the DyetraceHelper.
 */
class DyetraceSourceHelper {
  public:
    /// \param kind TypeId of a DyetracePacketSource
    explicit DyetraceSourceHelper(const std::string& kind = "ns3::DyetraceFlowSource");
    ~DyetraceSourceHelper();

    /// Of the sources. A Seed of 0 takes the fabric's.
    void SetAttribute(const std::string& name, const AttributeValue& value);
    /// Sizes of a DyetraceFlowSource's flows, (bytes, cumulative probability), and how much of each host's
    /// link they take up on average, all bytes on the wire counted; sets ArrivalRate.
    void SetFlows(const std::vector<std::pair<double, double>>& sizes, double load);

    /// Makes a source for each of these guests, by number; they send among themselves.
    void Install(DyetraceHelper& dyetrace, const std::vector<uint32_t>& guests);
    /// The same for the guests that the hosts have anyway, one each.
    void Install(DyetraceHelper& dyetrace);

    /// Sets the sources' streams of random numbers, after Install() and before the simulation runs.
    /// \return how many were used
    int64_t AssignStreams(int64_t stream);

    /// Those made so far.
    const std::vector<Ptr<DyetracePacketSource>>& GetSources() const { return m_sources; }

  private:
    friend class DyetraceHelper;
    using Party = std::shared_ptr<const DyetracePacketSource::Party>;

    /// `party` null: they send to any guest.
    void Install(DyetraceHelper& dyetrace, const std::vector<uint32_t>& guests, const Party& party);
    Ptr<DyetracePacketSource> Make(const DyetraceHelper& dyetrace) const;
    /// Flows a second of a guest, so that its host's link has the load asked for.
    double ArrivalRate(uint64_t linkRate, const DyetracePacketSource& source, uint32_t overheadBytes) const;

    ObjectFactory m_factory;
    std::shared_ptr<const DyetraceFlowSizes> m_sizes;
    double m_load;
    std::vector<Ptr<DyetracePacketSource>> m_sources;
};

}  // namespace ns3

#endif  // DYETRACE_SOURCE_HELPER_H
