// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that one EPPC of a small world was given, with times: what a bare engine and eppcd's loop are
// both driven with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/random.h"
#include "core/base/time.h"
#include "core/eppc/eppc.h"
#include "tests/host/fakes.h"

namespace dyetrace::host::test {

/// One frame that arrived at the recorded EPPC.
struct TraceInput {
    Time at;
    bool from_underlay = false;
    Frame frame;
};

struct RecordedTrace {
    std::vector<TraceInput> inputs;  ///< in order of time
    Time close_at;                   ///< when its sessions were closed
    Time end;
};

/// What an engine made of a trace. Frames in order on each side; everything else as text, in order.
struct Decisions {
    std::vector<Frame> to_underlay;
    std::vector<Frame> to_guest;
    std::vector<std::string> events;
    std::string counters;

    bool operator==(const Decisions&) const = default;
};

/// A fresh engine of one of the two EPPCs, 0 or 1. Always the same.
eppc::Eppc make_engine(std::size_t side);
IpAddress address_of(std::size_t side);
/// A UDP datagram of one of eight flows, as that side's guest sends it to the other.
Frame guest_frame(std::size_t side, Random& random);

/// A fresh engine of the recorded EPPC: side 0.
eppc::Eppc make_recorded_engine();
/// The only guest of the recorded EPPC.
constexpr GuestPort kGuest{0};
constexpr Time kStart{1'000'000'000};

/// Two EPPCs with a guest each talk over a link that drops, duplicates, reorders and spoils some packets;
/// what the first of them is given is recorded. The same for the same seed.
RecordedTrace record_trace(std::uint64_t seed);

/// Drives an engine the way core/eppc/eppc.h says.
Decisions run_bare(const RecordedTrace& trace);

std::string describe(const eppc::Output& output);
std::string describe_counters(const eppc::Eppc& engine);

}  // namespace dyetrace::host::test
