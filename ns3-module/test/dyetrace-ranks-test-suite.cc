// SPDX-License-Identifier: GPL-2.0-or-later
// How a fabric is split among ranks. That ranks then agree takes several processes: make test-mpi.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <ns3/packet.h>
#include <ns3/socket.h>
#include <ns3/test.h>

#include "../model/dyetrace-frame-tag.h"
#include "../model/dyetrace-packet-bytes.h"
#include "../model/dyetrace-packet.h"
#include "../model/dyetrace-ranks.h"
#include "../model/dyetrace-topology.h"
#include "dyetrace-test-cases.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

using Topology = DyetraceTopology;

class SplitTestCase : public TestCase {
  public:
    SplitTestCase() : TestCase("pods stay whole, hosts are with their switch, and no rank has much more") {}

  private:
    void DoRun() override {
        Check("fat-tree by pods", Topology::FatTree(8), 2, true);
        Check("fat-tree by pods, unevenly", Topology::FatTree(8), 3, true);
        Check("fat-tree of more ranks than pods", Topology::FatTree(4), 8, false);
        Check("leaf-spine by leaves", Topology::LeafSpine(6, 4, 3), 3, false);
        Check("Jellyfish", Topology::Jellyfish(12, 3, 2, 5), 4, false);
        const Topology one = Topology::FatTree(4);
        NS_TEST_EXPECT_MSG_EQ((DyetraceRanks::Split(one, 1) == std::vector<uint32_t>(one.GetNNodes(), 0)),
                              true, "one rank has all");
    }

    void Check(const std::string& what, const Topology& topology, uint32_t count, bool isByPod) {
        const std::vector<uint32_t> ranks = DyetraceRanks::Split(topology, count);
        NS_TEST_ASSERT_MSG_EQ(ranks.size(), topology.GetNNodes(), what);
        std::vector<uint32_t> hosts(count, 0);
        std::vector<uint32_t> podRanks(topology.GetNNodes(), Topology::None);
        for (uint32_t node = 0; node < ranks.size(); ++node) {
            NS_TEST_ASSERT_MSG_LT(ranks[node], count, what << ": " << topology.GetNode(node).name);
            const Topology::Node& it = topology.GetNode(node);
            if (node < topology.GetNHosts()) {
                ++hosts[ranks[node]];
                NS_TEST_EXPECT_MSG_EQ(ranks[node], ranks[topology.GetRackSwitch(it.rack)],
                                      what << ": " << it.name << " is with its switch");
            }
            if (!isByPod || it.pod == Topology::None) continue;
            if (podRanks[it.pod] == Topology::None) podRanks[it.pod] = ranks[node];
            NS_TEST_EXPECT_MSG_EQ(ranks[node], podRanks[it.pod], what << ": pod " << it.pod << " is whole");
        }
        const uint32_t units = isByPod ? 8 : topology.GetNRacks();
        const uint32_t most = (units + count - 1) / count * (topology.GetNHosts() / units);
        for (uint32_t rank = 0; rank < count; ++rank) {
            NS_TEST_EXPECT_MSG_GT(hosts[rank], 0, what << ": rank " << rank << " has hosts");
            NS_TEST_EXPECT_MSG_EQ((hosts[rank] <= most), true, what << ": rank " << rank << " has its share");
        }
    }
};

class CoreTestCase : public TestCase {
  public:
    CoreTestCase() : TestCase("core switches, which are as near to all pods, are dealt out evenly") {}

  private:
    void DoRun() override {
        const Topology topology = Topology::FatTree(8);
        const std::vector<uint32_t> ranks = DyetraceRanks::Split(topology, 2);
        uint32_t cores[2] = {0, 0};
        for (uint32_t node = 0; node < topology.GetNNodes(); ++node) {
            if (topology.GetNode(node).tier == Topology::Tier::Core) ++cores[ranks[node]];
        }
        NS_TEST_EXPECT_MSG_EQ(cores[0], 8, "half of 16");
        NS_TEST_EXPECT_MSG_EQ(cores[1], 8, "the other half");
    }
};

class PacketBytesTestCase : public TestCase {
  public:
    PacketBytesTestCase()
        : TestCase("packets go through bytes one after the other and come out as they were") {}

  private:
    void DoRun() override {
        DyetracePacketPool pool;
        std::vector<uint8_t> bytes;
        for (const uint32_t head : {0U, 1U, 98U, 1700U}) {
            DyetracePacket* packet = pool.Allocate(head % 200, head, head * 3);
            for (uint32_t i = 0; i < head; ++i)
                packet->Frame()[i] = static_cast<uint8_t>(i * 7 + head);
            DyetracePacketBytes::Append(bytes, *packet);
            pool.Free(packet);
        }
        dyetrace::Bytes rest(bytes);
        for (const uint32_t head : {0U, 1U, 98U, 1700U}) {
            DyetracePacket* packet = DyetracePacketBytes::Take(pool, rest);
            NS_TEST_EXPECT_MSG_EQ(packet->begin, head % 200, "its headroom");
            NS_TEST_EXPECT_MSG_EQ(packet->HeadLength(), head, "its stored bytes");
            NS_TEST_EXPECT_MSG_EQ(packet->tail, head * 3, "its payload");
            for (uint32_t i = 0; i < head; ++i)
                NS_TEST_ASSERT_MSG_EQ(packet->Frame()[i], static_cast<uint8_t>(i * 7 + head), "byte " << i);
            pool.Free(packet);
        }
        NS_TEST_EXPECT_MSG_EQ(rest.empty(), true, "nothing is left");
    }
};

class FrameBytesTestCase : public TestCase {
  public:
    FrameBytesTestCase()
        : TestCase("frames of an EPPC go without payload, all others whole, and come out as they were") {}

  private:
    void DoRun() override {
        DyetracePacket* packet = m_pool.Allocate(0, 98, 1000);
        std::fill(packet->Frame(), packet->Frame() + 98, uint8_t{7});
        const Ptr<Packet> ours = DyetraceFrameTag::ToPacket(*packet);
        m_pool.Free(packet);
        SocketPriorityTag priority;
        priority.SetPriority(5);
        const Ptr<Packet> tagged = ours->Copy();
        tagged->AddPacketTag(priority);
        const Ptr<Packet> byteTagged = ours->Copy();
        byteTagged->AddByteTag(priority);
        const Ptr<Packet> cut = ours->Copy();
        cut->RemoveAtEnd(50);
        const std::vector<uint8_t> bytes(1501, 3);

        NS_TEST_EXPECT_MSG_LT(Check("an EPPC's", *ours), 200, "no payload is among the bytes");
        priority.SetPriority(0);
        Check("one with another packet tag", *tagged);
        NS_TEST_EXPECT_MSG_EQ(m_frame->PeekPacketTag(priority), true, "it has the tag");
        NS_TEST_EXPECT_MSG_EQ(priority.GetPriority(), 5, "with what the tag says");
        Check("one with a byte tag", *byteTagged);
        NS_TEST_EXPECT_MSG_EQ(m_frame->GetByteTagIterator().HasNext(), true, "it has the tag");
        Check("one that has been cut", *cut);
        Check("a stack's own", *Create<Packet>(bytes.data(), static_cast<uint32_t>(bytes.size())));
    }

    /// Behind another, for whatever is left over. \return the size as bytes
    std::size_t Check(const std::string& what, const Packet& frame) {
        std::vector<uint8_t> bytes;
        DyetraceFrameBytes::Append(bytes, m_pool, frame);
        const std::size_t size = bytes.size();
        DyetraceFrameBytes::Append(bytes, m_pool, frame);
        NS_TEST_EXPECT_MSG_EQ(size % 4, 0, what << " takes whole words");
        dyetrace::Bytes rest(bytes);
        for (const std::size_t left : {size, std::size_t{0}}) {
            m_frame = DyetraceFrameBytes::Take(m_pool, rest);
            NS_TEST_EXPECT_MSG_EQ((ContentOf(*m_frame) == ContentOf(frame)), true, what << ": its bytes");
            DyetraceFrameTag tag;
            NS_TEST_EXPECT_MSG_EQ(m_frame->PeekPacketTag(tag), frame.PeekPacketTag(tag), what << ": our tag");
            NS_TEST_EXPECT_MSG_EQ(rest.size(), left, what << ": what is left");
        }
        return size;
    }

    static std::vector<uint8_t> ContentOf(const Packet& frame) {
        std::vector<uint8_t> content(frame.GetSize());
        frame.CopyData(content.data(), frame.GetSize());
        return content;
    }

    DyetracePacketPool m_pool;
    Ptr<Packet> m_frame;  ///< the last that came out
};

const Offer<SplitTestCase, CoreTestCase, PacketBytesTestCase, FrameBytesTestCase> g_offer{"ranks"};

}  // namespace
