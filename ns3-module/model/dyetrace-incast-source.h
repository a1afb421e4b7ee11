// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_INCAST_SOURCE_H
#define DYETRACE_INCAST_SOURCE_H

#include <cstdint>

#include <ns3/data-rate.h>
#include <ns3/nstime.h>

#include "dyetrace-packet-source.h"

namespace ns3 {

/**
 * \ingroup dyetrace
 * A lean guest that takes part in incasts: every Interval many guests of its party answer one, all at once.
 *
 * In each round all guests of the party stand in a circle in an order of that round. The first is a receiver,
 * the FanIn behind it send it a response each; then, for each further of Receivers, the same again. The order
 * follows from the seed and the number of the round, so that each source knows by itself what it has to do,
 * and no request needs to be sent.
 */
class DyetraceIncastSource : public DyetracePacketSource {
  public:
    static TypeId GetTypeId();
    DyetraceIncastSource();
    ~DyetraceIncastSource() override;

    /// Of the attribute Receiver: each round has another.
    static constexpr uint32_t AnyReceiver = 0xffffffff;

  protected:
    void Check() const override;
    int64_t Begin(int64_t startNs) override;
    int64_t Arrive(int64_t nowNs) override;
    int64_t NextPacket(uint32_t flow, int64_t dueNs) override;

  private:
    /// Whom this guest answers in this round; AnyReceiver: nobody.
    uint32_t FindReceiver() const;

    Time m_interval;
    uint32_t m_fanIn;
    uint32_t m_receivers;
    uint32_t m_receiver;
    uint64_t m_responseBytes;
    DataRate m_flowRate;
    Time m_jitter;
    uint64_t m_round;
    int64_t m_packetNs;
};

}  // namespace ns3

#endif  // DYETRACE_INCAST_SOURCE_H
