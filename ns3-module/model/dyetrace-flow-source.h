// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_FLOW_SOURCE_H
#define DYETRACE_FLOW_SOURCE_H

#include <cstdint>
#include <memory>

#include <ns3/data-rate.h>
#include <ns3/nstime.h>
#include <ns3/object.h>
#include <ns3/traced-callback.h>

#include "dyetrace-guest.h"
#include "dyetrace-receiver.h"

namespace ns3 {

class DyetraceFlowSizes;
class DyetracePacketPool;

/**
 * \ingroup dyetrace
 * A lean guest: sends flows of UDP datagrams to guests in other racks, and counts what it gets.
 *
 * Flows arrive as a Poisson process. Each has a size drawn from a distribution, a destination drawn uniformly
 * among the guests of other racks, ports of its own, and sends its packets at an even pace. Headers are real
 * and checksums right; payload is DyetracePayload's pattern.
 */
class DyetraceFlowSource : public Object, public DyetraceReceiver {
  public:
    static TypeId GetTypeId();
    DyetraceFlowSource();
    ~DyetraceFlowSource() override;

    /// Bytes in front of a packet's UDP payload: Ethernet, IPv4, UDP.
    static constexpr uint32_t HeaderBytes = 42;

    /**
     * Plugs the guest in and starts it. Call once, after the attributes and AssignStreams.
     * \param port of its host; must outlive this
     * \param self this guest's number in `guests`
     */
    void Start(DyetraceGuestPort& port, DyetracePacketPool& pool,
               std::shared_ptr<const DyetraceGuests> guests, uint32_t self,
               std::shared_ptr<const DyetraceFlowSizes> sizes);

    /// Sets the stream of random numbers; guests of different numbers draw differently from one. \return 1
    int64_t AssignStreams(int64_t stream);

    /// A frame for this guest.
    void Receive(DyetracePacket* packet) override;

    uint64_t GetFlows() const { return m_flows; }
    uint64_t GetSentPackets() const { return m_sentPackets; }
    uint64_t GetReceivedPackets() const { return m_receivedPackets; }
    uint64_t GetReceivedBytes() const { return m_receivedBytes; }

    /// \param guest the destination's number
    typedef void (*FlowTracedCallback)(uint32_t guest, uint64_t bytes);

  protected:
    void DoDispose() override;

  private:
    class Sender;

    Time m_start;
    Time m_stop;
    DataRate m_flowRate;
    double m_arrivalRate;
    uint32_t m_packetBytes;
    uint64_t m_seed;
    int64_t m_stream;
    DyetracePacketPool* m_pool;
    uint64_t m_flows;
    uint64_t m_sentPackets;
    uint64_t m_receivedPackets;
    uint64_t m_receivedBytes;
    TracedCallback<uint32_t, uint64_t> m_flow;
    std::unique_ptr<Sender> m_sender;
};

}  // namespace ns3

#endif  // DYETRACE_FLOW_SOURCE_H
