// SPDX-License-Identifier: GPL-2.0-or-later
// What the tests of lean sources share: guests whose frames are noted, and go nowhere.
#ifndef DYETRACE_SOURCE_BENCH_H
#define DYETRACE_SOURCE_BENCH_H

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ns3/dyetrace-flow-source.h>
#include <ns3/dyetrace-packet-source.h>
#include <ns3/dyetrace-packet.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

#include "core/base/bytes.h"

namespace ns3 {
namespace dyetrace_test {

constexpr uint32_t kGuests = 16;
constexpr uint32_t kPerRack = 4;

/// A frame that a guest sent.
struct Frame {
    int64_t atNs;
    uint32_t from;
    uint32_t to;
    uint16_t sourcePort;
    uint32_t length;
    bool operator<(const Frame& other) const { return Key() < other.Key(); }
    bool operator==(const Frame& other) const { return Key() == other.Key(); }

  private:
    std::tuple<int64_t, uint32_t, uint32_t, uint16_t, uint32_t> Key() const {
        return {atNs, from, to, sourcePort, length};
    }
};

/// A flow that a guest began.
struct Begun {
    int64_t atNs;
    uint32_t from;
    uint32_t to;
    uint64_t bytes;
};

/// Guests in racks of four whose frames are noted, and go nowhere.
class Bench {
  public:
    explicit Bench(uint64_t seed = 5) : m_seed(seed), m_guests(std::make_shared<DyetraceGuests>()) {
        for (uint32_t guest = 0; guest < kGuests; ++guest) {
            m_guests->push_back({Mac48Address("02:01:00:00:00:01"), Ipv4Address(0xc0a80001 + guest), 1000,
                                 guest, guest / kPerRack});
            m_ports.push_back(std::make_unique<Port>(*this, guest));
        }
        m_sources.resize(kGuests);
    }
    ~Bench() {
        for (const auto& source : m_sources) {
            if (source) source->Dispose();
        }
        Simulator::Destroy();
    }

    template <class Source>
    Ptr<Source> Add(uint32_t guest, const Attributes& attributes,
                    std::shared_ptr<const DyetracePacketSource::Party> party = nullptr,
                    std::shared_ptr<const DyetraceFlowSizes> sizes = nullptr) {
        auto source = CreateObject<Source>();
        if (auto flowSource = DynamicCast<DyetraceFlowSource>(source)) flowSource->SetSizes(sizes);
        source->SetAttribute("Seed", UintegerValue(m_seed));
        for (const auto& [name, value] : attributes)
            source->SetAttribute(name, StringValue(value));
        if (notes) source->TraceConnect("Flow", std::to_string(guest), MakeCallback(&Bench::NoteFlow, this));
        source->Start(*m_ports[guest], m_pool, m_guests, guest, std::move(party));
        m_sources[guest] = source;
        return source;
    }
    template <class Source>
    void AddAll(const Attributes& attributes) {
        for (uint32_t guest = 0; guest < kGuests; ++guest)
            Add<Source>(guest, attributes);
    }
    void Run(Time time) {
        Simulator::Stop(time);
        Simulator::Run();
    }

    /// The frames of one guest, in the order of their times.
    std::vector<Frame> Of(uint32_t guest) const {
        std::vector<Frame> own;
        std::copy_if(frames.begin(), frames.end(), std::back_inserter(own),
                     [guest](const Frame& frame) { return frame.from == guest; });
        return own;
    }
    DyetracePacketSource& Source(uint32_t guest) const { return *m_sources[guest]; }

    bool notes = true;  ///< whether frames and flows are kept
    uint64_t sent = 0;  ///< frames, kept or not
    std::vector<Frame> frames;
    std::vector<Begun> flows;

  private:
    class Port : public DyetraceGuestPort {
      public:
        Port(Bench& bench, uint32_t guest) : m_bench(bench), m_guest(guest) {}
        void Receive(DyetracePacket* packet) override {
            const uint8_t* frame = packet->Frame();
            ++m_bench.sent;
            if (m_bench.notes)
                m_bench.frames.push_back({Simulator::Now().GetNanoSeconds(), m_guest,
                                          dyetrace::load_u32(frame + 30) - 0xc0a80001,
                                          dyetrace::load_u16(frame + 34), packet->Length()});
            m_bench.m_pool.Free(packet);
        }
        void Resolve(uint32_t) override {}
        uint32_t GetMtu() const override { return 1500; }
        void Connect(DyetraceReceiver*) override {}
        DyetraceReceiver* GetConnected() const override { return nullptr; }

      private:
        Bench& m_bench;
        uint32_t m_guest;
    };

    void NoteFlow(std::string guest, uint32_t to, uint64_t bytes) {
        if (!notes) return;
        flows.push_back(
            {Simulator::Now().GetNanoSeconds(), static_cast<uint32_t>(std::stoul(guest)), to, bytes});
    }

    uint64_t m_seed;
    DyetracePacketPool m_pool;
    std::shared_ptr<DyetraceGuests> m_guests;
    std::vector<std::unique_ptr<Port>> m_ports;
    std::vector<Ptr<DyetracePacketSource>> m_sources;
};

}  // namespace dyetrace_test
}  // namespace ns3

#endif  // DYETRACE_SOURCE_BENCH_H
