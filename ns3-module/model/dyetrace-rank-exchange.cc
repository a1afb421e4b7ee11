// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-rank-exchange.h"

#include <ns3/abort.h>

#include "dyetrace-ranks.h"

#ifdef DYETRACE_HAVE_MPI
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include <mpi.h>
#include <ns3/mpi-interface.h>
#include <ns3/mpi-receiver.h>
#include <ns3/node.h>
#include <ns3/packet.h>
#include <ns3/simulator.h>

#include "dyetrace-ethernet-channel.h"
#include "dyetrace-ethernet-device.h"
#endif

namespace ns3 {

#ifdef DYETRACE_HAVE_MPI

namespace {

/// In front of each part. Ranks are processes of one program, and the bytes are in its own order.
struct PartHeader {
    uint32_t from;
    uint32_t offset;  ///< of the part in its message
    uint32_t total;   ///< bytes of the message
    uint32_t length;
    uint64_t number;  ///< of the message, among those from that rank to this one
};

void Ignore(Ptr<Packet>) {}

}  // namespace

class DyetraceRankExchange::Ports {
  public:
    Ports(const DyetraceRanks& ranks, int64_t lookaheadNs, Listener listener, PartBytes partBytes);
    ~Ports();

    void Send(uint32_t rank, int64_t atNs, dyetrace::Bytes message);

  private:
    struct Unfinished {
        std::vector<uint8_t> bytes;
        std::size_t missing;
    };

    void Receive(Ptr<Packet> part);
    Ptr<DyetraceEthernetDevice> PortOf(uint32_t rank, uint32_t to) const;

    Listener m_listener;
    uint32_t m_partBytes;
    uint32_t m_own;
    std::vector<Ptr<Node>> m_nodes;                                                ///< by rank
    std::map<std::pair<uint32_t, uint32_t>, Ptr<DyetraceEthernetDevice>> m_ports;  ///< by rank and peer
    std::vector<uint64_t> m_numbers;  ///< by rank: the next message's
    std::map<std::pair<uint32_t, uint64_t>, Unfinished> m_unfinished;
    alignas(PartHeader) std::array<uint8_t, sizeof(PartHeader) + Longest> m_part;  ///< scratch
};

// Every rank makes all of it, so that nodes and ports have one number everywhere.
DyetraceRankExchange::Ports::Ports(const DyetraceRanks& ranks, int64_t lookaheadNs, Listener listener,
                                   PartBytes partBytes)
    : m_listener(std::move(listener)),
      m_partBytes(partBytes),
      m_own(ranks.GetOwn()),
      m_numbers(ranks.GetCount(), 0) {
    NS_ABORT_MSG_IF(lookaheadNs < 1, "a link between ranks has no delay: ranks could not run apart");
    for (uint32_t rank = 0; rank < ranks.GetCount(); ++rank)
        m_nodes.push_back(CreateObject<Node>(rank));
    for (uint32_t a = 0; a < ranks.GetCount(); ++a) {
        for (uint32_t b = a + 1; b < ranks.GetCount(); ++b) {
            auto channel = CreateObjectWithAttributes<DyetraceEthernetChannel>(
                "Delay", TimeValue(NanoSeconds(static_cast<uint64_t>(lookaheadNs))));
            for (const auto& [rank, peer] : {std::pair(a, b), std::pair(b, a)}) {
                auto port = CreateObject<DyetraceEthernetDevice>();
                m_nodes[rank]->AddDevice(port);
                port->Attach(channel);
                auto receiver = CreateObject<MpiReceiver>();
                receiver->SetReceiveCallback(MakeCallback(&Ports::Receive, this));
                port->AggregateObject(receiver);
                m_ports[{rank, peer}] = port;
            }
        }
    }
}

// Parts may still be under way, and nobody waits for them any more.
DyetraceRankExchange::Ports::~Ports() {
    for (const auto& [between, port] : m_ports) {
        const auto receiver = port->GetObject<MpiReceiver>();
        if (receiver) receiver->SetReceiveCallback(MakeCallback(&Ignore));
    }
}

void DyetraceRankExchange::Ports::Send(uint32_t rank, int64_t atNs, dyetrace::Bytes message) {
    // The port that the message comes out of: the far rank's, towards this one.
    const Ptr<DyetraceEthernetDevice>& port = m_ports.at({rank, m_own});
    const Time at = NanoSeconds(static_cast<uint64_t>(atNs));
    PartHeader header{m_own, 0, static_cast<uint32_t>(message.size()), 0, m_numbers[rank]++};
    while (header.offset < header.total) {
        header.length = std::min<uint32_t>(header.total - header.offset, m_partBytes);
        std::memcpy(m_part.data(), &header, sizeof header);
        std::memcpy(m_part.data() + sizeof header, message.data() + header.offset, header.length);
        MpiInterface::SendPacket(Create<Packet>(m_part.data(), sizeof header + header.length), at,
                                 m_nodes[rank]->GetId(), port->GetIfIndex());
        header.offset += header.length;
    }
}

void DyetraceRankExchange::Ports::Receive(Ptr<Packet> part) {
    part->CopyData(m_part.data(), static_cast<uint32_t>(m_part.size()));
    PartHeader header;
    std::memcpy(&header, m_part.data(), sizeof header);
    const dyetrace::Bytes bytes{m_part.data() + sizeof header, header.length};
    if (header.length == header.total) return m_listener(bytes);
    const auto [unfinished, isNew] = m_unfinished.try_emplace({header.from, header.number});
    auto& [message, missing] = unfinished->second;
    if (isNew) {
        message.resize(header.total);
        missing = header.total;
    }
    std::copy(bytes.begin(), bytes.end(), message.begin() + header.offset);
    missing -= bytes.size();
    if (missing != 0) return;
    m_listener(message);
    m_unfinished.erase(unfinished);
}

DyetraceRankExchange::DyetraceRankExchange(const DyetraceRanks& ranks, int64_t lookaheadNs, Listener listener,
                                           PartBytes partBytes)
    : m_ports(ranks.GetCount() > 1
                  ? std::make_unique<Ports>(ranks, lookaheadNs, std::move(listener), partBytes)
                  : nullptr) {}

std::vector<uint8_t> DyetraceGatherAll(dyetrace::Bytes own) {
    const MPI_Comm ranks = MpiInterface::GetCommunicator();
    std::vector<int> sizes(MpiInterface::GetSize());
    NS_ABORT_MSG_IF(own.size() > INT32_MAX, "one rank has more than 2 GB to tell");
    const int size = static_cast<int>(own.size());
    MPI_Allgather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, ranks);
    std::vector<int> offsets(sizes.size(), 0);
    for (std::size_t rank = 1; rank < sizes.size(); ++rank)
        offsets[rank] = offsets[rank - 1] + sizes[rank - 1];
    std::vector<uint8_t> all(static_cast<std::size_t>(offsets.back() + sizes.back()));
    MPI_Allgatherv(own.data(), size, MPI_BYTE, all.data(), sizes.data(), offsets.data(), MPI_BYTE, ranks);
    return all;
}

#else

std::vector<uint8_t> DyetraceGatherAll(dyetrace::Bytes own) {
    return {own.begin(), own.end()};
}

class DyetraceRankExchange::Ports {
  public:
    void Send(uint32_t, int64_t, dyetrace::Bytes) {}
};

// DyetraceRanks knows of one rank where there is no MPI.
DyetraceRankExchange::DyetraceRankExchange(const DyetraceRanks&, int64_t, Listener, PartBytes) {}

#endif

DyetraceRankExchange::~DyetraceRankExchange() = default;

void DyetraceRankExchange::Send(uint32_t rank, int64_t atNs, dyetrace::Bytes message) {
    NS_ABORT_MSG_UNLESS(m_ports, "there is no rank " << rank);
    m_ports->Send(rank, atNs, message);
}

}  // namespace ns3
