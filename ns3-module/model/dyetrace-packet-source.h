// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_PACKET_SOURCE_H
#define DYETRACE_PACKET_SOURCE_H

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <ns3/data-rate.h>
#include <ns3/nstime.h>
#include <ns3/object.h>
#include <ns3/traced-callback.h>

#include "dyetrace-guest.h"
#include "dyetrace-receiver.h"

namespace ns3 {

struct DyetracePacket;
class DyetracePacketPool;

/**
 * \ingroup dyetrace
 * A lean guest: sends UDP datagrams to other guests in the way of its kind, and counts what it gets.
 *
 * All kinds send in flows, each with ports of its own. Headers are real and checksums right; payload is
 * DyetracePayload's pattern. A kind says when flows begin, to which guest, and when their packets are due. It
 * works that out alone, from the seed, the guest's number and those of the guests it sends among, and asks no
 * other source: so a simulation may be split anywhere between hosts.
 */
class DyetracePacketSource : public Object, public DyetraceReceiver, public DyetraceMovable {
  public:
    static TypeId GetTypeId();
    DyetracePacketSource();
    ~DyetracePacketSource() override;

    /// Bytes in front of a packet's UDP payload: Ethernet, IPv4, UDP.
    static constexpr uint32_t HeaderBytes = 42;

    /// Numbers of guests, ascending.
    using Party = std::vector<uint32_t>;

    /**
     * Plugs the guest in; it starts with the simulation. Call once, after the attributes are set.
     * \param port of its host; must outlive this
     * \param guests of the overlay
     * \param self this guest's number in `guests`
     * \param party those that it sends among, itself included; null: all
     */
    void Start(DyetraceGuestPort& port, DyetracePacketPool& pool,
               std::shared_ptr<const DyetraceGuests> guests, uint32_t self,
               std::shared_ptr<const Party> party = nullptr);

    /// Sets the streams of random numbers, before the simulation runs. Guests of different numbers draw
    /// differently from one. \return how many it takes
    virtual int64_t AssignStreams(int64_t stream);

    /// A frame for this guest.
    void Receive(DyetracePacket* packet) override;

    /// It can be on any host, and its flows go on from there: same ports, same packets, same times.
    std::string GetMoveRefusal(const DyetraceHost& host) const override;
    void MoveTo(Ptr<DyetraceHost> host, DyetraceGuestPort& port) override;

    uint64_t GetFlows() const { return m_flows; }
    uint64_t GetSentPackets() const { return m_sentPackets; }
    uint64_t GetReceivedPackets() const { return m_receivedPackets; }
    uint64_t GetReceivedBytes() const { return m_receivedBytes; }

    /// \param guest the destination's number
    /// \param bytes UDP payload to send; 0: no end but Stop
    typedef void (*FlowTracedCallback)(uint32_t guest, uint64_t bytes);
    typedef void (*PacketTracedCallback)(const DyetracePacket& packet);

  protected:
    /// A time that does not come.
    static constexpr int64_t Never = std::numeric_limits<int64_t>::max();
    /// The bytes of a flow that only Stop ends.
    static constexpr uint64_t Unbounded = std::numeric_limits<uint64_t>::max();

    /// \name What a kind is. Times are nanoseconds of the simulation.
    /// @{
    /// Stops the program, in words, where the attributes and the guests do not fit together.
    virtual void Check() const;
    /// The source starts: at Start, or now where that is past. \return when Arrive is called first
    virtual int64_t Begin(int64_t startNs) = 0;
    /// Begins what is due. \return when it is called again
    virtual int64_t Arrive(int64_t nowNs);
    /// A flow that has more to send. \return when its next packet is due, after one at `dueNs`; Never ends it
    virtual int64_t NextPacket(uint32_t flow, int64_t dueNs) = 0;
    /// @}

    /// \name What a kind makes use of, from Check() on
    /// @{
    /// \return the flow's number among those that are being sent
    uint32_t BeginFlow(uint32_t to, uint64_t bytes, int64_t firstNs);
    /// In [0, 1).
    double Uniform();
    /// Stops the program where no guest of the party is in another rack.
    void CheckPeers() const;
    /// A guest of the party in another rack; each is as likely.
    uint32_t DrawPeer();
    uint32_t GetPartySize() const;
    uint32_t GetPartyGuest(uint32_t place) const;
    /// How many of the party have lower numbers than a guest of it.
    uint32_t GetPartyPlace(uint32_t guest) const;
    uint32_t GetSelf() const;
    /// The same for all sources of one party and Seed.
    uint64_t GetPartySeed() const;
    int64_t GetStartNs() const { return m_start.GetNanoSeconds(); }
    int64_t GetStopNs() const { return m_stop.GetNanoSeconds(); }
    /// The time of one full packet at this rate, Ethernet frames counted.
    int64_t GetPacketNs(const DataRate& rate) const;
    /// The same, with its fraction.
    double GetExactPacketNs(const DataRate& rate) const;
    /// @}

    void DoDispose() override;

  private:
    class Sender;

    Time m_start;
    Time m_stop;
    uint32_t m_packetBytes;
    uint64_t m_seed;
    int64_t m_stream;
    DyetracePacketPool* m_pool;
    uint64_t m_flows;
    uint64_t m_sentPackets;
    uint64_t m_receivedPackets;
    uint64_t m_receivedBytes;
    TracedCallback<uint32_t, uint64_t> m_flow;
    TracedCallback<const DyetracePacket&> m_tx;
    TracedCallback<const DyetracePacket&> m_rx;
    std::unique_ptr<Sender> m_sender;
};

}  // namespace ns3

#endif  // DYETRACE_PACKET_SOURCE_H
