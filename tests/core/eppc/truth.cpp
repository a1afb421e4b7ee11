// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/eppc/truth.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/wire/session_messages.h"

namespace dyetrace::test {
namespace {

/// The marker that settled one end of an interval: the copy that arrived first.
struct Mark {
    std::uint64_t id = 0;
    std::uint64_t arrival = 0;
};

struct Interval {
    std::optional<Mark> start;
    std::optional<Mark> end;
};

using PathKey = std::tuple<std::uint32_t, std::uint16_t, std::uint8_t>;  // session, path, generation

}  // namespace

std::vector<PathTruth> path_truth(const Network& network, std::size_t from, std::size_t to) {
    std::map<PathKey, std::map<std::uint16_t, Interval>> intervals;
    std::vector<PathKey> order;
    std::map<PathKey, std::uint16_t> ports;
    for (const Captured& packet : network.captured()) {
        if (packet.from != from || packet.to != to || !packet.seen.is(wire::ControlType::Marker)) continue;
        const auto marker = wire::MarkerBody::parse(packet.seen.body);
        if (!marker || !packet.arrival || marker->kind == wire::MarkerKind::Count) continue;
        const PathKey key{packet.seen.control->session.value, marker->path.value, marker->generation.value};
        if (!intervals.contains(key)) order.push_back(key);
        ports[key] = packet.seen.source_port;
        Interval& interval = intervals[key][marker->interval];
        auto& mark = marker->kind == wire::MarkerKind::Start ? interval.start : interval.end;
        if (!mark || *packet.arrival < mark->arrival) mark = Mark{packet.id, *packet.arrival};
    }
    std::vector<PathTruth> truths;
    for (const PathKey& key : order) {
        PathTruth truth;
        truth.session = SessionId{std::get<0>(key)};
        truth.path = PathIndex{std::get<1>(key)};
        truth.generation = PathGeneration{std::get<2>(key)};
        for (const auto& [number, interval] : intervals[key]) {
            if (!interval.start) continue;
            if (!interval.end) {
                truth.open = true;
                continue;
            }
            ++truth.intervals_ended;
            for (std::uint64_t id = interval.start->id + 1; id < interval.end->id; ++id) {
                const Captured& packet = network.captured()[id];
                if (packet.from != from || packet.to != to || packet.seen.kind != SeenPacket::Kind::Data ||
                    packet.seen.source_port != ports[key]) {
                    continue;
                }
                const bool tagged = packet.seen.track && packet.seen.track->session == truth.session;
                ++truth.sent;
                truth.tagged_sent += tagged ? 1 : 0;
                truth.lost += packet.arrival ? 0 : 1;
                truth.tagged_lost += tagged && !packet.arrival ? 1 : 0;
            }
        }
        truths.push_back(truth);
    }
    return truths;
}

}  // namespace dyetrace::test
