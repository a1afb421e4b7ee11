// SPDX-License-Identifier: GPL-2.0-or-later
// Following one guest flow: what the NHMS asks of the EPPCs at its two ends, inside a directive of kind 16,
// and what each of them says of one packet at one stage, in an update's entry of kind 16.
//
// Behind kind and peer of the directive:
//
//   trace id (32) | stages (8) | protocol (8) | packets captured at most (16) | VNI (32) |
//   source port (16) | destination port (16) | packets at most (16) | bytes captured of each (16) |
//   source (128) | destination (128) | for how long, ns (64) | sampled (32)
//
// Entry:
//
//   trace id (32) | stage (8) | generation (8) | path index (16) | packet (32) | frame length (16) |
//   bytes captured (16) | at, ns, clock of the sender of the update (64) | reserved (32) |
//   the bytes
//
// `packet` names it: the hash of what no router changes of it (RFC 5475 §6.2), with the trace id as seed, so
// that both ends call it the same.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/wire/drop_reason.h"
#include "core/wire/inner_packet.h"

namespace dyetrace::wire {

/// Where on its way a packet is seen.
enum class FlowStage : std::uint8_t {
    GuestOut = 0,  ///< its guest has handed it over
    EppcOut = 1,   ///< encapsulated
    EppcIn = 2,    ///< arrived and decapsulated
    GuestIn = 3,   ///< handed to its guest
};
inline constexpr std::size_t kFlowStages = 4;
std::string_view to_string(FlowStage stage);

/// One direction of a flow of guests, or of many: what is zero is any. No transport has protocol or port 0.
struct TracedFlow {
    Vni vni;
    IpAddress source;
    IpAddress destination;
    std::uint8_t protocol = 0;
    std::uint16_t source_port = 0;  ///< zero also where the protocol has none
    std::uint16_t destination_port = 0;

    bool operator==(const TracedFlow&) const = default;
    [[nodiscard]] bool matches(const InnerPacket& packet, Vni in) const;
};

struct FlowTraceSpec {
    static constexpr std::size_t kSize = 64;
    static constexpr std::size_t kCaptureMost = 128;  ///< bytes of a packet
    static constexpr std::uint8_t kAllStages = 0x0f;
    static constexpr Duration kDurationMost = Duration::seconds(3600);

    std::uint32_t trace = 0;
    std::uint8_t stages = kAllStages;  ///< bit n: FlowStage n is reported
    TracedFlow flow;
    std::uint16_t packets = 100;         ///< reported at each stage, at most
    std::uint16_t captured_packets = 0;  ///< of those, with their first bytes, at each stage
    std::uint16_t capture_bytes = 0;     ///< of each, from its Ethernet header on
    Duration duration = Duration::seconds(1);
    /// Packets whose names are below it, of 2^32, are reported, the same at both ends; zero: all.
    std::uint32_t sampled = 0;

    bool operator==(const FlowTraceSpec&) const = default;
    /// Precondition: in.has(kSize).
    static Result<FlowTraceSpec, DropReason> parse(ByteReader& in);
    void encode_into(ByteWriter& out) const;
    /// What is wrong with it, in words; empty where nothing is.
    [[nodiscard]] std::string_view fault() const;
};

struct FlowStageEntry {
    static constexpr std::size_t kFixedSize = 28;
    static constexpr PathIndex kNoPath{0xffff};

    std::uint32_t trace = 0;
    FlowStage stage{};
    PathGeneration generation;
    PathIndex path = kNoPath;  ///< of the pair of EPPCs; only its sender knows it
    std::uint32_t packet = 0;
    std::uint16_t frame_length = 0;  ///< of the guest's frame; saturates
    std::int64_t at_ns = 0;
    std::uint16_t captured = 0;
    std::array<std::uint8_t, FlowTraceSpec::kCaptureMost> bytes{};  ///< the first `captured`; else zero

    bool operator==(const FlowStageEntry&) const = default;
    [[nodiscard]] std::size_t encoded_size() const { return kFixedSize + captured; }
    static Result<FlowStageEntry, DropReason> parse(Bytes data);
    void encode_into(ByteWriter& out) const;
};

}  // namespace dyetrace::wire
